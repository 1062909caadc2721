"""`public/` over HTTP: what any web server can serve, served so that polling costs next to nothing.

In: GET and HEAD. Out: files with strong entity tags, 304 for who has them already, the compressed copy that stands
beside a file for who takes it, parts of large files. Never a path outside the folder, a link, or a hidden file.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ketapress.model.settings import Settings
from ketapress.web.static.files import File, Shelf, path_parts
from ketapress.web.static.http_conditional import byte_range, is_unchanged, takes_gzip
from ketapress.web.static.media_types import is_polled_feed, media_type

_INDEX = "index.html"
_NOT_FOUND = ("404.html",)
_FRESH = "public, max-age=60"


class PublicFiles:
    """The files of one publication. `not_found` makes the page for an address that leads nowhere."""

    def __init__(
        self, folder: Path, settings: Callable[[], Settings], not_found: Callable[[], bytes]
    ) -> None:
        self._shelf = Shelf(folder)
        self._settings = settings
        self._not_found = not_found

    async def answer(self, request: Request) -> Response:
        """The answer for the path of a request, as it came over the wire."""
        parts = path_parts(request.scope["raw_path"])
        if parts is None:
            return self._lost()
        whole = parts if parts[-1] else (*parts[:-1], _INDEX)
        file = self._shelf.find(whole)
        if file is not None:
            return self._served(request, whole, file)
        if parts[-1] and self._shelf.find((*parts, _INDEX)):
            return _moved(request, parts)
        return self._lost()

    def _served(self, request: Request, parts: tuple[str, ...], file: File) -> Response:
        asked, path = request.headers, "/".join(parts)
        headers = {"Content-Type": media_type(path), "Cache-Control": _FRESH, **self._links(path)}
        packed_parts = (*parts[:-1], f"{parts[-1]}.gz")
        packed = self._shelf.find(packed_parts)
        if packed is not None:
            headers["Vary"] = "Accept-Encoding"
            if takes_gzip(asked.get("Accept-Encoding")):
                parts, file = packed_parts, packed
                headers["Content-Encoding"] = "gzip"
        headers["ETag"], headers["Last-Modified"] = file.validators.etag, file.validators.last_modified
        if is_unchanged(file.validators, asked.get("If-None-Match"), asked.get("If-Modified-Since")):
            return Response(status_code=304, headers=_without_content(headers))
        headers["Accept-Ranges"] = "bytes"
        try:
            part = byte_range(file.size, asked.get("Range"), file.validators, asked.get("If-Range"))
        except ValueError:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{file.size}"})
        return self._sent(parts, file, part, headers, with_body=request.method == "GET")

    def _sent(
        self,
        parts: Sequence[str],
        file: File,
        part: tuple[int, int] | None,
        headers: dict[str, str],
        *,
        with_body: bool,
    ) -> Response:
        first, last = part or (0, file.size - 1)
        headers["Content-Length"] = str(last - first + 1)
        if part:
            headers["Content-Range"] = f"bytes {first}-{last}/{file.size}"
        status = 206 if part else 200
        if file.content is not None or not with_body:
            content = (file.content or b"")[first : last + 1]
            return Response(content, status, headers)
        return StreamingResponse(_streamed(self._shelf, parts, first, last), status, headers)

    def _links(self, path: str) -> Mapping[str, str]:
        """Where a feed is at home, and which hub tells of its news (WebSub, 4)."""
        settings = self._settings()
        if not settings.feeds.hub or not is_polled_feed(path):
            return {}
        self_url = settings.page_url(quote(path))
        return {"Link": f'<{settings.feeds.hub}>; rel="hub", <{self_url}>; rel="self"'}

    def _lost(self) -> Response:
        own = self._shelf.find(_NOT_FOUND)
        content = own.content if own is not None and own.content else self._not_found()
        return Response(
            content, 404, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache"}
        )


def _moved(request: Request, parts: Sequence[str]) -> Response:
    """A folder's page is at its address with a slash: relative links on it count on that.

    The new address is relative to the old one, so that it can lead to no other host.
    """
    query = request.scope["query_string"].decode("latin-1")
    location = f"./{quote(parts[-1])}/{'?' if query else ''}{quote(query, safe='=&%+')}"
    return Response(status_code=301, headers={"Location": location, "Cache-Control": _FRESH})


def _without_content(headers: Mapping[str, str]) -> dict[str, str]:
    """What a 304 repeats (RFC 9110, 15.4.5)."""
    return {
        name: headers[name]
        for name in ("Cache-Control", "ETag", "Last-Modified", "Vary", "Link")
        if name in headers
    }


async def _streamed(shelf: Shelf, parts: Sequence[str], first: int, last: int) -> AsyncIterator[bytes]:
    chunks = shelf.chunks(parts, first, last)
    while (chunk := await run_in_threadpool(next, chunks, None)) is not None:
        yield chunk
