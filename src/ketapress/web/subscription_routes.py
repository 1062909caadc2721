"""What the links in mail lead to: unsubscribe, at once or after a question, and preferences.

In: a token, and for a change a POST. Out: a page. A GET or HEAD changes nothing, whoever sends it: link scanners look at
every link. A POST needs no cookie, no form token and no redirect (RFC 8058, 3.1), and is fine twice.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ketapress.mail.tokens import Purpose, read_token
from ketapress.model.subscriber import Subscriber
from ketapress.subscribe import find_by_subscription, unsubscribe
from ketapress.web.site_state import Site
from ketapress.web.subscription_pages import Pages, open_subscriptions, subscription_of

LARGEST_FORM = 16_384  # bytes: more than any form or mail provider of ours sends
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_ALL = "all"


class Links:
    """The routes that mail links to. `site` gives the publication as it is set now."""

    def __init__(self, site: Callable[[], Site]) -> None:
        self._site = site

    @property
    def routes(self) -> list[Route]:
        both = ["GET", "POST"]
        return [
            Route(f"/{Purpose.UNSUBSCRIBE}/{{token}}", self.unsubscribe, methods=both),
            Route(f"/{Purpose.PREFERENCES}/{{token}}", self.preferences, methods=both),
        ]

    async def unsubscribe(self, request: Request) -> Response:
        """GET asks; POST ends the subscription, whatever its body says: leaving must never fail for a detail."""
        if request.method == "POST":
            await _form(request)
        return await run_in_threadpool(
            self._unsubscribe, request.path_params["token"], acts=request.method == "POST"
        )

    async def preferences(self, request: Request) -> Response:
        """GET shows; POST `leave=NUMBER` or `leave=all` ends subscriptions of this reader, and shows."""
        wanted = (await _form(request)).get("leave", [""])[0] if request.method == "POST" else ""
        return await run_in_threadpool(self._preferences, request.path_params["token"], wanted)

    def _unsubscribe(self, token: str, *, acts: bool) -> Response:
        site = self._site()
        pages, subscription_id = site.pages, _read(site, Purpose.UNSUBSCRIBE, token)
        if subscription_id is None:
            return _page(pages.broken(), 404)
        reader = find_by_subscription(site.store, subscription_id)
        if reader is None:
            return _page(pages.nothing())
        newsletter, ended = subscription_of(reader, subscription_id)
        if acts and not ended:
            unsubscribe(site.store, [subscription_id], datetime.now(UTC))
        return _page(pages.left(newsletter) if acts or ended else pages.leave(reader, newsletter))

    def _preferences(self, token: str, wanted: str) -> Response:
        site = self._site()
        pages, subscription_id = site.pages, _read(site, Purpose.PREFERENCES, token)
        if subscription_id is None:
            return _page(pages.broken(), 404)
        reader = find_by_subscription(site.store, subscription_id)
        if reader is not None and (ended := _wanted(reader, wanted)):
            unsubscribe(site.store, ended, datetime.now(UTC))
            reader = find_by_subscription(site.store, subscription_id)
        return _preferences_page(pages, reader)


def _preferences_page(pages: Pages, reader: Subscriber | None) -> Response:
    return _page(pages.preferences(reader) if reader else pages.nothing())


def _wanted(reader: Subscriber, wanted: str) -> list[int]:
    """Which of the reader's own subscriptions a form asks to end."""
    return [each for each in open_subscriptions(reader) if wanted in {_ALL, str(each)}]


def _read(site: Site, purpose: Purpose, token: str) -> int | None:
    try:
        return read_token(site.secrets, purpose, token)
    except ValueError:
        return None


async def _form(request: Request) -> dict[str, list[str]]:
    """The fields of a form, all of whose body is read. Raises HTTPException 413 where it is larger than any of ours."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise HTTPException(413)
    return parse_qs(body.decode("latin-1"), max_num_fields=20)


def _page(html: str, status: int = 200) -> Response:
    return HTMLResponse(html, status, _PRIVATE)
