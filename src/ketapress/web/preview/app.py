"""The preview over HTTP, for one editor on this machine: a page for each newsletter, its frames, and change events.

The pages run one script of ours, the frames none. Requests change nothing. A request whose Host is another name is
refused, so that no page elsewhere can read the preview by DNS rebinding.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ketapress.check.preview import UpcomingEdition
from ketapress.model.errors import KetapressError
from ketapress.model.renderer import Renderer
from ketapress.web.preview.page import build_page_values
from ketapress.web.preview.renditions import RENDITIONS, split_message
from ketapress.web.preview.watch import PreviewWatcher

_HOST_NAMES = {"127.0.0.1", "localhost", "[::1]"}
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE_POLICY = (
    "default-src 'none'; img-src data:; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def create_preview_app(watcher: PreviewWatcher, render: Renderer) -> Starlette:
    """Create the application. `render` has to know the templates `preview/…`."""
    pages = _PreviewPages(watcher, render)
    return Starlette(
        routes=[
            Route("/", pages.redirect_to_newsletter),
            Route("/preview.css", pages.get_style),
            Route("/preview.js", pages.get_script),
            Route("/events", pages.stream_events),
            Route("/newsletter/{name}", pages.get_newsletter),
            Route("/newsletter/{name}/message.eml", pages.get_message),
            Route("/newsletter/{name}/{rendition}", pages.get_rendition),
        ],
        middleware=[Middleware(_HostCheck)],
    )


class _HostCheck:
    """Refuse requests whose Host header does not name this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _get_host(scope) not in _HOST_NAMES:
            text = "This preview answers to 127.0.0.1 and localhost only.\n"
            await PlainTextResponse(text, 421, _HEADERS)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _get_host(scope: Scope) -> str:
    """Return the Host header without its port; an empty string where there is none or more than one."""
    hosts: list[str] = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        return ""
    name, colon, port = hosts[0].rpartition(":")
    return (name if colon and port.isdecimal() else hosts[0]).lower()


class _PreviewPages:
    def __init__(self, watcher: PreviewWatcher, render: Renderer) -> None:
        self._watcher = watcher
        self._render = render

    async def redirect_to_newsletter(self, _request: Request) -> Response:
        state = await self._watcher.update()
        for name in state.attempt.newsletter_names or state.previews:
            return RedirectResponse(f"/newsletter/{name}", 307, _HEADERS)
        return self._respond_page(build_page_values(state, None))

    async def get_newsletter(self, request: Request) -> Response:
        state, name = await self._watcher.update(), request.path_params["name"]
        if name not in state.previews and name not in (state.attempt.newsletter_names or ()):
            return self._respond_page(build_page_values(state, None), 404)
        return self._respond_page(build_page_values(state, name))

    async def get_rendition(self, request: Request) -> Response:
        rendition = RENDITIONS.get(request.path_params["rendition"])
        if rendition is None:
            raise HTTPException(404)
        html = split_message((await self._get_upcoming(request)).sample_message).html
        headers = _HEADERS | {"Content-Security-Policy": rendition.policy}
        return HTMLResponse(rendition.render(html), headers=headers)

    async def get_message(self, request: Request) -> Response:
        upcoming = await self._get_upcoming(request)
        name = upcoming.composed_edition.edition.slot.edition.replace("/", "-")
        headers = _HEADERS | {"Content-Disposition": f'attachment; filename="{name}.eml"'}
        return Response(upcoming.sample_message, headers=headers, media_type="message/rfc822")

    async def get_style(self, _request: Request) -> Response:
        return Response(self._render("preview/preview.css", {}), headers=_HEADERS, media_type="text/css")

    async def get_script(self, _request: Request) -> Response:
        script = self._render("preview/preview.js", {})
        return Response(script, headers=_HEADERS, media_type="text/javascript")

    async def stream_events(self, request: Request) -> Response:
        """Stream the number of each state that is newer than the one in the query."""
        events = self._generate_events(request.query_params.get("after", ""))
        return StreamingResponse(events, headers=_HEADERS, media_type="text/event-stream")

    async def _generate_events(self, number: str) -> AsyncIterator[str]:
        yield ": listening\n\n"
        while (state := await self._watcher.wait_for_change(number)) is not None:
            number = str(state.number)
            yield f"data: {number}\n\n"

    async def _get_upcoming(self, request: Request) -> UpcomingEdition:
        state = self._watcher.state or await self._watcher.update()
        preview = state.previews.get(request.path_params["name"])
        if preview is None or preview.upcoming is None:
            raise HTTPException(404)
        return preview.upcoming

    def _respond_page(self, values: Mapping[str, Any], status: int = 200) -> Response:
        try:
            page = self._render("preview/page.html", values)
        except KetapressError as error:
            return PlainTextResponse(f"{error}\n", 500, _HEADERS)
        return HTMLResponse(page, status, _HEADERS | {"Content-Security-Policy": _PAGE_POLICY})
