"""The preview over HTTP, for one editor on this machine: a page a newsletter, its frames, and news of changes.

In: requests to 127.0.0.1, and a `Watch` that knows what to show. Out: pages that run one small script of ours, and
frames that run none. It changes nothing, and answers nobody who came by another name: a page elsewhere whose name was
bent to this address (DNS rebinding) is refused by its Host.
"""

from collections.abc import AsyncIterator, Callable, Mapping
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
from ketapress.web.preview.page import page_values
from ketapress.web.preview.renditions import COPIES, copied, parts
from ketapress.web.preview.watch import Watch

Fill = Callable[[str, Mapping[str, Any]], str]

_NAMES = {"127.0.0.1", "localhost", "[::1]"}
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


def preview_app(watch: Watch, fill: Fill) -> Starlette:
    """The application. `fill` has to know the templates `preview/…`."""
    pages = _Pages(watch, fill)
    return Starlette(
        routes=[
            Route("/", pages.first),
            Route("/preview.css", pages.style),
            Route("/preview.js", pages.script),
            Route("/events", pages.events),
            Route("/newsletter/{name}", pages.newsletter),
            Route("/newsletter/{name}/message.eml", pages.message),
            Route("/newsletter/{name}/{copy}", pages.copy),
        ],
        middleware=[Middleware(_OnlyHere)],
    )


class _OnlyHere:
    """Refuses who names another host than this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _host(scope) not in _NAMES:
            refusal = PlainTextResponse(
                "This preview answers to 127.0.0.1 and localhost alone.\n", 421, _HEADERS
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _host(scope: Scope) -> str:
    """The name in the Host header without its port; empty where there is none, or more than one."""
    hosts: list[str] = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        return ""
    name, colon, port = hosts[0].rpartition(":")
    return (name if colon and port.isdecimal() else hosts[0]).lower()


class _Pages:
    """What stands at each address."""

    def __init__(self, watch: Watch, fill: Fill) -> None:
        self._watch = watch
        self._fill = fill

    async def first(self, _request: Request) -> Response:
        shown = await self._watch.now()
        for name in shown.made.names or shown.previews:
            return RedirectResponse(f"/newsletter/{name}", 307, _HEADERS)
        return self._page(page_values(shown, None))

    async def newsletter(self, request: Request) -> Response:
        shown, name = await self._watch.now(), request.path_params["name"]
        if name not in shown.previews and name not in (shown.made.names or ()):
            return self._page(page_values(shown, None), 404)
        return self._page(page_values(shown, name))

    async def copy(self, request: Request) -> Response:
        copy = COPIES.get(request.path_params["copy"])
        if copy is None:
            raise HTTPException(404)
        document = copied(copy, parts((await self._coming(request)).sample_message).html)
        return HTMLResponse(document, headers=_HEADERS | {"Content-Security-Policy": copy.policy})

    async def message(self, request: Request) -> Response:
        coming = await self._coming(request)
        name = coming.composed_edition.edition.slot.edition.replace("/", "-")
        attached = {"Content-Disposition": f'attachment; filename="{name}.eml"'}
        return Response(coming.sample_message, headers=_HEADERS | attached, media_type="message/rfc822")

    async def style(self, _request: Request) -> Response:
        return Response(self._fill("preview/preview.css", {}), headers=_HEADERS, media_type="text/css")

    async def script(self, _request: Request) -> Response:
        return Response(self._fill("preview/preview.js", {}), headers=_HEADERS, media_type="text/javascript")

    async def events(self, request: Request) -> Response:
        """News, each time something else is shown than the number that the page names."""
        stream = self._news(request.query_params.get("after", ""))
        return StreamingResponse(stream, headers=_HEADERS, media_type="text/event-stream")

    async def _news(self, number: str) -> AsyncIterator[str]:
        yield ": listening\n\n"
        while (shown := await self._watch.another(number)) is not None:
            number = str(shown.number)
            yield f"data: {number}\n\n"

    async def _coming(self, request: Request) -> UpcomingEdition:
        shown = self._watch.last() or await self._watch.now()
        found = shown.previews.get(request.path_params["name"])
        if found is None or found.upcoming is None:
            raise HTTPException(404)
        return found.upcoming

    def _page(self, values: Mapping[str, Any], status: int = 200) -> Response:
        try:
            page = self._fill("preview/page.html", values)
        except KetapressError as fault:
            return PlainTextResponse(f"{fault}\n", 500, _HEADERS)
        return HTMLResponse(page, status, _HEADERS | {"Content-Security-Policy": _PAGE_POLICY})
