"""The public web application: routes, security headers and error responses."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ketapress.model.errors import KetapressError
from ketapress.system.event_log import Log
from ketapress.web.site_state import SiteState
from ketapress.web.static.routes import PublicFiles
from ketapress.web.subscription_routes import SubscriptionRoutes

_CONTENT_POLICY = (
    "default-src 'none'; img-src 'self' https: http: data:; media-src 'self' https: http:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Added to every response with content that does not set them itself. Public pages run no script and allow no framing."""

_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_NOT_MODIFIED = 304  # most responses to feed readers; without content, they need no security headers
_RETRY_HEADERS = {"Retry-After": "60", "Cache-Control": "no-store"}
_ERROR_TEXTS = {
    405: "This address does not accept that method.",
    413: "The request is larger than any form of this site.",
}


def create_app(get_state: Callable[[], SiteState], log: Log, extra_routes: Sequence[Route] = ()) -> ASGIApp:
    """Create the application. `get_state` is called for each request; `extra_routes` come before all others."""
    public_files = PublicFiles(
        get_state().root / "public",
        lambda: get_state().settings,
        lambda: get_state().pages.render_not_found().encode(),
    )

    async def handle_http_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # it is registered for this class only
        text = _ERROR_TEXTS.get(error.status_code, "This request cannot be answered.")
        return PlainTextResponse(f"{text}\n", error.status_code, error.headers)

    async def handle_crash(_request: Request, _error: Exception) -> Response:
        return HTMLResponse(get_state().pages.render_unavailable(), 500, _RETRY_HEADERS)

    async def handle_problem(request: Request, error: Exception) -> Response:
        # Only the first part of the path is logged: a token in a log would give access to a subscription.
        address = f"/{request.url.path.split('/')[1]}/…"
        next_step = "The reader was asked to try again. Nothing was changed."
        log.warning("web.fault", f"{request.method} {address} failed: {error}", then=next_step)
        return HTMLResponse(get_state().pages.render_unavailable(), 503, _RETRY_HEADERS)

    app = Starlette(
        routes=[
            *extra_routes,
            *SubscriptionRoutes(get_state).routes,
            Route("/{path:path}", public_files.respond),
        ],
        exception_handlers={
            HTTPException: handle_http_error,
            KetapressError: handle_problem,
            Exception: handle_crash,
        },
    )
    return _add_security_headers(_strip_path_prefix(app, get_state))


def _strip_path_prefix(app: ASGIApp, get_state: Callable[[], SiteState]) -> ASGIApp:
    """Remove the folder of `web.url` or `site.url` (`https://example.org/press`) from the paths of requests.

    Some proxies pass the full path on, others remove the folder.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            settings = get_state().settings
            folders = {urlsplit(url).path.rstrip("/") for url in (settings.web.url, settings.site.url)}
            for folder in sorted(folders - {""}, key=len, reverse=True):
                if scope["raw_path"].startswith(f"{folder}/".encode()):
                    length = len(folder)
                    scope = {**scope, "raw_path": scope["raw_path"][length:], "path": scope["path"][length:]}
                    break
        await app(scope, receive, send)

    return call


def _add_security_headers(app: ASGIApp) -> ASGIApp:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] != _NOT_MODIFIED:
                names = {name.lower() for name, _ in message["headers"]}
                defaults = [header for header in _RAW_HEADERS if header[0] not in names]
                message["headers"] = [*message["headers"], *defaults]
            await send(message)

        await app(scope, receive, send_with_headers)

    return call
