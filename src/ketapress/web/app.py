"""The web door, put together: which address leads where, and what every answer has in its head.

In: the publication, as it is set at the moment of a request. Out: an ASGI application. The pages that need a process come
first, then `public/`. Whatever goes wrong in here becomes a page that says so, and one line in the log.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ketapress.model.errors import KetapressError
from ketapress.system.event_log import Log
from ketapress.web.site_state import Site
from ketapress.web.static.routes import PublicFiles
from ketapress.web.subscription_routes import Links

_ARCHIVE_POLICY = (
    "default-src 'none'; img-src 'self' https: http: data:; media-src 'self' https: http:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _ARCHIVE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer with content, unless it says otherwise itself. No page of ours runs a script or stands in a frame."""
_UNCHANGED = 304  # the bulk of what is answered; it has no content to keep anybody safe from

_RETRY = {"Retry-After": "60", "Cache-Control": "no-store"}


def web_door(site: Callable[[], Site], log: Log, own: Callable[[], list[Route]] = list) -> ASGIApp:
    """The application. `site` is asked for each request; `own` are routes of whoever runs it, before all others."""
    public = PublicFiles(
        site().root / "public", lambda: site().settings, lambda: site().pages.lost().encode()
    )

    async def refused(_request: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)  # it is called for nothing else
        said = _SAID.get(fault.status_code, "This cannot be done here.")
        return PlainTextResponse(f"{said}\n", fault.status_code, fault.headers)

    async def broken(_request: Request, _fault: Exception) -> Response:
        return HTMLResponse(site().pages.busy(), 500, _RETRY)

    async def busy(request: Request, fault: Exception) -> Response:
        log.warning("web.fault", f"{request.method} {_named(request)}: {fault}", then=_THEN)
        return HTMLResponse(site().pages.busy(), 503, _RETRY)

    app = Starlette(
        routes=[*own(), *Links(site).routes, Route("/{path:path}", public.answer)],
        exception_handlers={HTTPException: refused, KetapressError: busy, Exception: broken},
    )
    return _Headed(_Within(app, lambda: _folders(site())))


_SAID = {
    405: "This address does not take that method.",
    413: "That is more than any form of ours sends.",
}
_THEN = "The reader was asked to try again; nothing was changed."


def _named(request: Request) -> str:
    """The kind of address, without a token: a log is no place for what opens somebody's subscription."""
    return f"/{request.url.path.split('/')[1]}/…"


def _folders(site: Site) -> list[str]:
    """The folders of the addresses that people reach us by: a proxy may hand on their paths as they are."""
    urls = (site.settings.web.url, site.settings.site.url)
    return sorted({urlsplit(url).path.rstrip("/") for url in urls} - {""}, key=len, reverse=True)


class _Within:
    """Takes the folder that the site or the door stands in (`https://example.org/press`) off a path that has it."""

    def __init__(self, app: ASGIApp, folders: Callable[[], list[str]]) -> None:
        self._app = app
        self._folders = folders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw = scope["raw_path"]
            for folder in self._folders():
                if raw.startswith(f"{folder}/".encode()):
                    cut = len(folder)
                    scope = {**scope, "raw_path": raw[cut:], "path": scope["path"][cut:]}
                    break
        await self._app(scope, receive, send)


class _Headed:
    """Gives every answer the heads that keep its reader safe."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] != _UNCHANGED:
                there = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(each for each in _ENCODED if each[0] not in there),
                ]
            await send(message)

        await self._app(scope, receive, sent)


_ENCODED = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
