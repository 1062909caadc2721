"""`/metrics` for Prometheus, `/healthz` and `/readyz` for whoever restarts and routes. For machines of ours alone.

In: the store, the numbers that the parts keep, what is late. Out: text. A scrape asks the store a few questions that do not
grow with what was sent long ago, and their answers are kept for some seconds. Who comes through a proxy gets 404.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ketapress.editions.slots import find_next_slot, local_midnight
from ketapress.model.edition import WAITING_STATES
from ketapress.model.errors import KetapressError
from ketapress.model.settings import NewsletterSettings
from ketapress.web.site_state import Site

KEPT = 10.0  # seconds
_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
_INSTANT = timedelta(microseconds=1)
_FRESH = {"Cache-Control": "no-store"}
_FORWARDED = ("Forwarded", "X-Forwarded-For", "Via")
_REPLIES = ("2xx", "4xx", "5xx", "none")

Sample = tuple[str, Mapping[str, str], float]


class Instruments:
    """The routes for ops. `late` names what should have happened and did not; `numbers` are those of the parts."""

    def __init__(
        self,
        site: Callable[[], Site],
        late: Callable[[], Sequence[str]],
        numbers: Callable[[], Mapping[str, float]],
    ) -> None:
        self._site = site
        self._late = late
        self._numbers = numbers
        self._kept: tuple[float, str] = (-KEPT, "")

    @property
    def routes(self) -> list[Route]:
        return [Route("/healthz", self.health), Route("/readyz", self.ready), Route("/metrics", self.metrics)]

    async def health(self, _request: Request) -> Response:
        """That the process answers at all: whoever gets no 200 restarts it."""
        return PlainTextResponse("ok\n", headers=_FRESH)

    async def ready(self, request: Request) -> Response:
        """Whether it can do its work; 503 says what is in the way."""
        if _came_through_a_proxy(request):
            return Response(status_code=404)
        faults = [*self._late(), *await run_in_threadpool(self._faults_of_the_store)]
        return PlainTextResponse(
            "".join(f"{each}\n" for each in faults or ["ready"]), 503 if faults else 200, _FRESH
        )

    async def metrics(self, request: Request) -> Response:
        if _came_through_a_proxy(request):
            return Response(status_code=404)
        asked, text = self._kept
        if time.monotonic() - asked >= KEPT:
            text = await run_in_threadpool(self._text)
            self._kept = time.monotonic(), text
        return Response(text, headers=_FRESH | {"Content-Type": _FORMAT})

    def _faults_of_the_store(self) -> list[str]:
        try:
            self._site().store.editions.list_sendable(datetime.now(UTC))
        except KetapressError as error:
            return [problem.message for problem in error.problems]
        return []

    def _text(self) -> str:
        samples = [*_of_the_store(self._site(), datetime.now(UTC)), *_of_the_parts(self._numbers())]
        return exposition(samples)


def exposition(samples: Sequence[Sample]) -> str:
    """The samples in Prometheus' text format, each metric with its help and type before its first."""
    lines: list[str] = []
    for name, labels, number in samples:
        kind, sentence = _KNOWN[name]
        head = [f"# HELP {name} {sentence}", f"# TYPE {name} {kind}"]
        lines += [] if head[1] in lines else head
        told = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
        lines.append(f"{name}{{{told}}} {number:.10g}" if told else f"{name} {number:.10g}")
    return "".join(f"{line}\n" for line in lines)


_KNOWN = {
    "ketapress_deliveries": ("gauge", "Deliveries by state, of all editions."),
    "ketapress_editions_waiting": ("gauge", "Editions that wait for a person."),
    "ketapress_lag_seconds": (
        "gauge",
        "How long ago the oldest slot was that is not composed and sent yet; 0 if none.",
    ),
    "ketapress_relay_replies_total": (
        "counter",
        "What the relay said of messages and lines, by the class of its reply.",
    ),
    "ketapress_builds_total": ("counter", "How often posts were read, editions composed and pages written."),
    "ketapress_build_seconds_total": ("counter", "How long that took, all together."),
    "ketapress_last_build_seconds": ("gauge", "How long it took the last time."),
    "ketapress_last_build_timestamp_seconds": ("gauge", "When that was."),
}
_OF_PARTS = {
    "builds": "ketapress_builds_total",
    "build_seconds": "ketapress_build_seconds_total",
    "last_build_seconds": "ketapress_last_build_seconds",
    "last_build_at": "ketapress_last_build_timestamp_seconds",
}


def _of_the_store(site: Site, now: datetime) -> Iterator[Sample]:
    store = site.store
    for state, count in store.deliveries.counts(None).items():
        yield "ketapress_deliveries", {"state": state.value.replace(" ", "_")}, count
    underway = store.editions.list_sendable(now)
    waiting = [each for each, state in store.editions.list_states() if state in WAITING_STATES]
    yield "ketapress_editions_waiting", {}, len(waiting)
    for newsletter in site.settings.newsletters.values():
        mine = [each.slot.at for each in underway if each.slot.newsletter == newsletter.name]
        oldest = min((*mine, *_undecided(site, newsletter), now))
        yield "ketapress_lag_seconds", {"newsletter": newsletter.name}, (now - oldest).total_seconds()


def _undecided(site: Site, newsletter: NewsletterSettings) -> list[datetime]:
    """The first slot that nobody has decided; none where the newsletter has no more."""
    zone = site.settings.newsletter_zone(newsletter)
    newest = site.store.editions.get_newest_decided_slot(newsletter.name)
    after = newest.at if newest else local_midnight(newsletter.starts, zone) - _INSTANT
    following = find_next_slot(newsletter.name, newsletter.schedule.cron, zone, after)
    return [following.at] if following else []


def _of_the_parts(numbers: Mapping[str, float]) -> Iterator[Sample]:
    for each in _REPLIES:
        yield "ketapress_relay_replies_total", {"class": each}, numbers.get(f"replies_{each}", 0)
    for name, metric in _OF_PARTS.items():
        if name in numbers:
            yield metric, {}, numbers[name]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _came_through_a_proxy(request: Request) -> bool:
    """The world comes through a proxy, ops do not; those numbers are nobody else's business."""
    return any(name in request.headers for name in _FORWARDED)
