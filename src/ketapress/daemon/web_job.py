"""Keeps the web door open, under the settings of this moment. Lasts until the end, or until the door has to move."""

from collections.abc import Callable, Iterable
from threading import Lock

from starlette.routing import Route

from ketapress.daemon.context import Ground
from ketapress.model.errors import Problem
from ketapress.publication import Publication
from ketapress.web.app import web_door
from ketapress.web.server import Server, listening
from ketapress.web.site_state import Site


class Opening:
    """The door of one publication. `own` are the routes of the daemon itself."""

    def __init__(self, ground: Ground, own: Callable[[Callable[[], Site]], list[Route]]) -> None:
        self._ground = ground
        self._own = own
        self._lock = Lock()
        self._site: Site | None = None
        self._server: Server | None = None
        self._moves = False

    def __call__(self) -> Iterable[Problem]:
        """Answers until the end; on another address where the settings name another. Raises KetapressError."""
        self._moves = True
        while self._moves and not self._ground.stop.is_set():
            self._moves = False
            self._answer()
        if not self._ground.stop.is_set():
            raise RuntimeError("the web server ended by itself")
        return ()

    def _answer(self) -> None:
        ground, web = self._ground, self._ground.settings.web
        self._exchange(ground.publication())
        try:
            app = web_door(self._now, ground.log, lambda: self._own(self._now))
            server = Server(app, listening(web.host, web.port), web.trusted_proxies)
            with self._lock:
                self._server = server
            if ground.stop.is_set():
                server.end()
            ground.log.info("web", f"Listening on {server.address}.", url=server.address)
            server.serve()
        finally:
            with self._lock:
                self._server = None
            self._exchange(None)

    def reload(self) -> None:
        """Takes over new settings: for the next request, or on another address. Raises KetapressError."""
        with self._lock:
            server, site = self._server, self._site
        if server is None or site is None:
            return
        before, now = site.settings.web, self._ground.settings.web
        if (before.host, before.port, before.trusted_proxies) != (now.host, now.port, now.trusted_proxies):
            self._moves = True
            server.end()
        else:
            self._exchange(self._ground.publication())

    def end(self) -> None:
        with self._lock:
            if self._server is not None:
                self._server.end()

    def _now(self) -> Site:
        assert self._site is not None  # as long as the server answers
        return self._site

    def _exchange(self, publication: Publication | None) -> None:
        """A request that has begun ends on what it began with."""
        fresh = Site.of(publication) if publication else None
        with self._lock:
            old, self._site = self._site, fresh
        if old is not None:
            old.close()
