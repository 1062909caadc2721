"""The web job: run the web server with the current settings."""

from collections.abc import Callable, Iterable
from threading import Lock

from starlette.routing import Route

from ketapress.daemon.context import DaemonContext
from ketapress.model.errors import Problem
from ketapress.publication import Publication
from ketapress.web.app import create_app
from ketapress.web.server import Server, open_socket
from ketapress.web.site_state import SiteState


class WebJob:
    """The web server of one publication. `create_routes` returns the routes of the daemon itself."""

    def __init__(
        self, context: DaemonContext, create_routes: Callable[[Callable[[], SiteState]], list[Route]]
    ) -> None:
        self._context = context
        self._create_routes = create_routes
        self._lock = Lock()
        self._state: SiteState | None = None
        self._server: Server | None = None
        self._must_restart = False

    def __call__(self) -> Iterable[Problem]:
        """Answer requests until the daemon stops; start again where the settings name another address.

        Raises KetapressError where the server cannot start.
        """
        self._must_restart = True
        while self._must_restart and not self._context.stop.is_set():
            self._must_restart = False
            self._serve()
        if not self._context.stop.is_set():
            raise RuntimeError("the web server stopped unexpectedly")
        return ()

    def _serve(self) -> None:
        context, web = self._context, self._context.settings.web
        self._replace_state(context.open_publication())
        try:
            app = create_app(self._get_state, context.log, self._create_routes(self._get_state))
            server = Server(app, open_socket(web.host, web.port), web.trusted_proxies)
            with self._lock:
                self._server = server
            if context.stop.is_set():
                server.stop()
            context.log.info("web", f"Listening on {server.url}.", url=server.url)
            server.serve()
        finally:
            with self._lock:
                self._server = None
            self._replace_state(None)

    def reload(self) -> None:
        """Use the new settings from the next request on, or on another address. Raises KetapressError."""
        with self._lock:
            server, state = self._server, self._state
        if server is None or state is None:
            return
        old, new = state.settings.web, self._context.settings.web
        if (old.host, old.port, old.trusted_proxies) != (new.host, new.port, new.trusted_proxies):
            self._must_restart = True
            server.stop()
        else:
            self._replace_state(self._context.open_publication())

    def stop(self) -> None:
        with self._lock:
            if self._server is not None:
                self._server.stop()

    def _get_state(self) -> SiteState:
        assert self._state is not None  # as long as the server answers
        return self._state

    def _replace_state(self, publication: Publication | None) -> None:
        """Replace the state. A request that has begun keeps the one that it began with."""
        new_state = SiteState.load(publication) if publication else None
        with self._lock:
            old_state, self._state = self._state, new_state
        if old_state is not None:
            old_state.close()
