"""`public/` over HTTP: strong entity tags, 304, ranges, and the `.gz` copy of a file for clients that accept gzip."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ketapress.model.settings import Settings
from ketapress.web.static.files import FileCache, StaticFile, parse_path
from ketapress.web.static.http_conditional import accepts_gzip, is_not_modified, parse_range
from ketapress.web.static.media_types import guess_media_type, is_subscription_feed

_INDEX = "index.html"
_NOT_FOUND = ("404.html",)
_CACHE_CONTROL = "public, max-age=60"
_NOT_MODIFIED_HEADERS = ("Cache-Control", "ETag", "Last-Modified", "Vary", "Link")  # RFC 9110, 15.4.5


class PublicFiles:
    """The files of one publication. `render_not_found` returns the page for 404 where `public/` has none."""

    def __init__(
        self, folder: Path, get_settings: Callable[[], Settings], render_not_found: Callable[[], bytes]
    ) -> None:
        self._cache = FileCache(folder)
        self._get_settings = get_settings
        self._render_not_found = render_not_found

    async def respond(self, request: Request) -> Response:
        """Answer GET or HEAD for the path as it was sent."""
        names = parse_path(request.scope["raw_path"])
        if names is None:
            return self._respond_not_found()
        file_names = names if names[-1] else (*names[:-1], _INDEX)
        file = self._cache.find(file_names)
        if file is not None:
            return self._respond_file(request, file_names, file)
        if names[-1] and self._cache.find((*names, _INDEX)):
            return _redirect_to_folder(request, names[-1])
        return self._respond_not_found()

    def _respond_file(self, request: Request, names: tuple[str, ...], file: StaticFile) -> Response:
        path = "/".join(names)
        headers = {"Content-Type": guess_media_type(path), "Cache-Control": _CACHE_CONTROL}
        settings = self._get_settings()
        if settings.feeds.hub and is_subscription_feed(path):  # WebSub, 4
            self_url = settings.page_url(quote(path))
            headers["Link"] = f'<{settings.feeds.hub}>; rel="hub", <{self_url}>; rel="self"'
        gzip_names = (*names[:-1], f"{names[-1]}.gz")
        gzip_file = self._cache.find(gzip_names)
        if gzip_file is not None:
            headers["Vary"] = "Accept-Encoding"
            if accepts_gzip(request.headers.get("Accept-Encoding")):
                names, file = gzip_names, gzip_file
                headers["Content-Encoding"] = "gzip"
        headers["ETag"], headers["Last-Modified"] = file.validators.etag, file.validators.last_modified
        if is_not_modified(
            file.validators, request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")
        ):
            return Response(
                status_code=304,
                headers={name: headers[name] for name in _NOT_MODIFIED_HEADERS if name in headers},
            )
        headers["Accept-Ranges"] = "bytes"
        try:
            byte_range = parse_range(
                file.size, request.headers.get("Range"), file.validators, request.headers.get("If-Range")
            )
        except ValueError:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{file.size}"})
        first, last = byte_range or (0, file.size - 1)
        headers["Content-Length"] = str(last - first + 1)
        if byte_range:
            headers["Content-Range"] = f"bytes {first}-{last}/{file.size}"
        status = 206 if byte_range else 200
        if file.content is None and request.method == "GET":
            return StreamingResponse(_stream(self._cache, names, first, last), status, headers)
        return Response((file.content or b"")[first : last + 1], status, headers)

    def _respond_not_found(self) -> Response:
        file = self._cache.find(_NOT_FOUND)
        content = file.content if file is not None and file.content else self._render_not_found()
        headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache"}
        return Response(content, 404, headers)


def _redirect_to_folder(request: Request, name: str) -> Response:
    """Redirect to the address with a slash, which relative links on the folder's page need.

    The location is relative, so that it never leads to another host.
    """
    query = request.scope["query_string"].decode("latin-1")
    location = f"./{quote(name)}/{'?' if query else ''}{quote(query, safe='=&%+')}"
    return Response(status_code=301, headers={"Location": location, "Cache-Control": _CACHE_CONTROL})


async def _stream(cache: FileCache, names: Sequence[str], first: int, last: int) -> AsyncIterator[bytes]:
    chunks = cache.read_range(names, first, last)
    while (chunk := await run_in_threadpool(next, chunks, None)) is not None:
        yield chunk
