"""The addresses that mail links to: unsubscribe and preferences.

GET and HEAD change nothing, because link scanners open every link. POST needs no cookie, form token or redirect
(RFC 8058, 3.1) and may be repeated.
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
from ketapress.model.subscriber import SubscriptionState
from ketapress.subscribe import find_by_subscription, unsubscribe
from ketapress.web.site_state import SiteState

MAX_FORM_BYTES = 16_384
"""More than any form of ours, or any mail provider, sends."""

_PRIVATE_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


class SubscriptionRoutes:
    """The routes that mail links to. `get_state` returns the current state of the site."""

    def __init__(self, get_state: Callable[[], SiteState]) -> None:
        self._get_state = get_state

    @property
    def routes(self) -> list[Route]:
        methods = ["GET", "POST"]
        return [
            Route(f"/{Purpose.UNSUBSCRIBE}/{{token}}", self.unsubscribe, methods=methods),
            Route(f"/{Purpose.PREFERENCES}/{{token}}", self.show_preferences, methods=methods),
        ]

    async def unsubscribe(self, request: Request) -> Response:
        """GET asks; POST ends the subscription, whatever its body is: unsubscribing must not fail on a detail."""
        is_post = request.method == "POST"
        if is_post:
            await _read_form(request)
        return await run_in_threadpool(
            self._answer_unsubscribe, request.path_params["token"], ends_subscription=is_post
        )

    async def show_preferences(self, request: Request) -> Response:
        """GET shows the subscriptions; POST `leave=ID` or `leave=all` ends some of them first."""
        form = await _read_form(request) if request.method == "POST" else {}
        choice = form.get("leave", [""])[0]
        return await run_in_threadpool(self._answer_preferences, request.path_params["token"], choice)

    def _answer_unsubscribe(self, token: str, *, ends_subscription: bool) -> Response:
        state = self._get_state()
        subscription_id = _parse_token(state, Purpose.UNSUBSCRIBE, token)
        if subscription_id is None:
            return _respond(state.pages.render_invalid_link(), 404)
        subscriber = find_by_subscription(state.store, subscription_id)
        if subscriber is None:
            return _respond(state.pages.render_no_subscriptions())
        subscription = next(entry for entry in subscriber.subscriptions if entry.id == subscription_id)
        is_active = subscription.state is not SubscriptionState.LEFT
        if is_active and not ends_subscription:
            return _respond(state.pages.render_unsubscribe_form(subscriber, subscription.newsletter))
        if is_active:
            unsubscribe(state.store, [subscription_id], datetime.now(UTC))
        return _respond(state.pages.render_unsubscribe_done(subscription.newsletter))

    def _answer_preferences(self, token: str, choice: str) -> Response:
        state = self._get_state()
        subscription_id = _parse_token(state, Purpose.PREFERENCES, token)
        if subscription_id is None:
            return _respond(state.pages.render_invalid_link(), 404)
        subscriber = find_by_subscription(state.store, subscription_id)
        if subscriber is not None and choice:
            ids = [
                subscription.id
                for subscription in subscriber.subscriptions
                if subscription.state is not SubscriptionState.LEFT
                and choice in {"all", str(subscription.id)}
            ]
            unsubscribe(state.store, ids, datetime.now(UTC))
            subscriber = find_by_subscription(state.store, subscription_id)
        if subscriber is None:
            return _respond(state.pages.render_no_subscriptions())
        return _respond(state.pages.render_preferences(subscriber))


def _parse_token(state: SiteState, purpose: Purpose, token: str) -> int | None:
    """Return the subscription of a token; None where the token is not valid."""
    try:
        return read_token(state.secrets, purpose, token)
    except ValueError:
        return None


async def _read_form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form after reading the whole body. Raises HTTPException 413 where it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
    return parse_qs(body.decode("latin-1"), max_num_fields=20)


def _respond(html: str, status: int = 200) -> Response:
    return HTMLResponse(html, status, _PRIVATE_HEADERS)
