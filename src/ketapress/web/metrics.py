"""`/metrics` for Prometheus, `/healthz` and `/readyz` for supervisors and load balancers.

For machines of the operator only: a request that came through a proxy gets 404 for everything but `/healthz`.
A scrape asks the store a few questions whose cost does not grow with the past, and its text is cached for some seconds.
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
from ketapress.web.site_state import SiteState

CACHE_SECONDS = 10.0
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MOMENT = timedelta(microseconds=1)
_NO_STORE = {"Cache-Control": "no-store"}
_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "Via")
_REPLY_CLASSES = ("2xx", "4xx", "5xx", "none")
_METRICS = {
    "ketapress_deliveries": ("gauge", "Deliveries of all editions, by state."),
    "ketapress_editions_waiting": ("gauge", "Editions that wait for a person."),
    "ketapress_lag_seconds": (
        "gauge",
        "Age of the oldest slot whose edition is not composed and sent yet; 0 if there is none.",
    ),
    "ketapress_relay_replies_total": ("counter", "Replies of the relay, by class of their code."),
    "ketapress_builds_total": ("counter", "Times that posts were read, editions composed and pages written."),
    "ketapress_build_seconds_total": ("counter", "Total duration of these builds."),
    "ketapress_last_build_seconds": ("gauge", "Duration of the last build."),
    "ketapress_last_build_timestamp_seconds": ("gauge", "Time of the last build."),
}
"""Type and help text of each metric."""

_BUILD_METRICS = {
    "builds": "ketapress_builds_total",
    "build_seconds": "ketapress_build_seconds_total",
    "last_build_seconds": "ketapress_last_build_seconds",
    "last_build_at": "ketapress_last_build_timestamp_seconds",
}

Sample = tuple[str, Mapping[str, str], float]


class MetricsEndpoint:
    """The monitoring routes.

    `list_delays` names the jobs that are late or blocked; `read_counters` returns the numbers that the jobs count.
    """

    def __init__(
        self,
        get_state: Callable[[], SiteState],
        list_delays: Callable[[], Sequence[str]],
        read_counters: Callable[[], Mapping[str, float]],
    ) -> None:
        self._get_state = get_state
        self._list_delays = list_delays
        self._read_counters = read_counters
        self._cache: tuple[float, str] = (-CACHE_SECONDS, "")

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/healthz", self.get_health),
            Route("/readyz", self.get_readiness),
            Route("/metrics", self.get_metrics),
        ]

    async def get_health(self, _request: Request) -> Response:
        """Answer 200 as long as the process answers at all; a supervisor restarts it otherwise."""
        return PlainTextResponse("ok\n", headers=_NO_STORE)

    async def get_readiness(self, request: Request) -> Response:
        """Answer 200 where all jobs and the store work, else 503 with one line for each fault."""
        if _is_forwarded(request):
            return Response(status_code=404)
        faults = [*self._list_delays(), *await run_in_threadpool(self._list_store_faults)]
        text = "".join(f"{line}\n" for line in faults or ["ready"])
        return PlainTextResponse(text, 503 if faults else 200, _NO_STORE)

    async def get_metrics(self, request: Request) -> Response:
        if _is_forwarded(request):
            return Response(status_code=404)
        read_at, text = self._cache
        if time.monotonic() - read_at >= CACHE_SECONDS:
            text = await run_in_threadpool(self._render)
            self._cache = time.monotonic(), text
        return Response(text, headers=_NO_STORE | {"Content-Type": _CONTENT_TYPE})

    def _list_store_faults(self) -> list[str]:
        try:
            self._get_state().store.editions.list_sendable(datetime.now(UTC))
        except KetapressError as error:
            return [problem.message for problem in error.problems]
        return []

    def _render(self) -> str:
        store_samples = _read_store(self._get_state(), datetime.now(UTC))
        return format_samples([*store_samples, *_convert_counters(self._read_counters())])


def format_samples(samples: Sequence[Sample]) -> str:
    """Return the samples in Prometheus' text format, with help and type before the first one of each metric."""
    lines: list[str] = []
    for name, labels, number in samples:
        kind, description = _METRICS[name]
        head = [f"# HELP {name} {description}", f"# TYPE {name} {kind}"]
        lines += [] if head[1] in lines else head
        text = ",".join(f'{label}="{_escape(value)}"' for label, value in labels.items())
        lines.append(f"{name}{{{text}}} {number:.10g}" if text else f"{name} {number:.10g}")
    return "".join(f"{line}\n" for line in lines)


def _read_store(state: SiteState, now: datetime) -> Iterator[Sample]:
    store = state.store
    for delivery_state, count in store.deliveries.counts(None).items():
        yield "ketapress_deliveries", {"state": delivery_state.value.replace(" ", "_")}, count
    unsent = store.editions.list_sendable(now)
    waiting_count = sum(edition_state in WAITING_STATES for _, edition_state in store.editions.list_states())
    yield "ketapress_editions_waiting", {}, waiting_count
    for newsletter in state.settings.newsletters.values():
        unsent_slots = [edition.slot.at for edition in unsent if edition.slot.newsletter == newsletter.name]
        oldest = min((*unsent_slots, *_find_undecided_slot(state, newsletter), now))
        yield "ketapress_lag_seconds", {"newsletter": newsletter.name}, (now - oldest).total_seconds()


def _find_undecided_slot(state: SiteState, newsletter: NewsletterSettings) -> list[datetime]:
    """Return the first slot that is not decided yet; an empty list where the newsletter has no more slots."""
    zone = state.settings.newsletter_zone(newsletter)
    newest = state.store.editions.get_newest_decided_slot(newsletter.name)
    after = newest.at if newest else local_midnight(newsletter.starts, zone) - _MOMENT
    slot = find_next_slot(newsletter.name, newsletter.schedule.cron, zone, after)
    return [slot.at] if slot else []


def _convert_counters(counters: Mapping[str, float]) -> Iterator[Sample]:
    for reply_class in _REPLY_CLASSES:
        count = counters.get(f"replies_{reply_class}", 0)
        yield "ketapress_relay_replies_total", {"class": reply_class}, count
    for name, metric in _BUILD_METRICS.items():
        if name in counters:
            yield metric, {}, counters[name]


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _is_forwarded(request: Request) -> bool:
    return any(name in request.headers for name in _PROXY_HEADERS)
