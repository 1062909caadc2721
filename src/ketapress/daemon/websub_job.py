"""The WebSub job: notify the hub when a feed has changed, and retry with growing pauses until it accepts."""

import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from ketapress.daemon.context import DaemonContext
from ketapress.daemon.websub_client import notify_hub, read_digests, write_digests
from ketapress.feeds.formats import FORMATS
from ketapress.model.errors import Problem, Severity

RETRY_PAUSES = (60.0, 300.0, 900.0, 3600.0)
"""Seconds between attempts; the last one repeats."""


class WebSubJob:
    """WebSub for the feeds of one publication. `monotonic` measures the pauses."""

    def __init__(self, context: DaemonContext, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._context = context
        self._monotonic = monotonic
        self._failure_count = 0
        self._retry_at = 0.0
        self._problems: tuple[Problem, ...] = ()

    def __call__(self) -> Iterable[Problem]:
        hub = self._context.settings.feeds.hub
        if not hub:
            return ()
        if self._problems and self._monotonic() < self._retry_at:
            return self._problems
        failure = self._notify_of_changes(hub)
        if not failure:
            self._failure_count, self._problems = 0, ()
            return ()
        pause = RETRY_PAUSES[min(self._failure_count, len(RETRY_PAUSES) - 1)]
        self._retry_at = self._monotonic() + pause
        self._failure_count += 1
        problem = Problem(
            code="hub",
            severity=Severity.WARNING,
            message=f"the hub {hub} {failure}; feed readers see new posts only when they poll.",
            cure="If this continues, check `hub` below [feeds].",
        )
        self._problems = (problem,)
        return self._problems

    def _notify_of_changes(self, hub: str) -> str:
        """Notify the hub of all feeds that changed. Returns an empty string, or what failed."""
        root, page_url = self._context.root, self._context.settings.page_url
        digests = dict(read_digests(root))
        for path, digest in _hash_feeds(root / "public"):
            topic = page_url(quote(path))
            key = f"{hub} {topic}"
            if digests.get(key) == digest:
                continue
            if failure := notify_hub(hub, topic):
                return failure
            digests[key] = digest
            write_digests(root, digests)
            self._context.log.info("announced", f"The hub {hub} was notified of {topic}.", topic=topic)
        return ""


def _hash_feeds(public: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and digest of each feed that readers poll, those of the complete site first."""
    site_feeds = [public / feed_format.path for feed_format in FORMATS]
    tag_feeds = sorted(public.glob(f"tags/*/{FORMATS[0].path}"))
    for file in (*site_feeds, *tag_feeds):
        try:
            content = file.read_bytes()
        except OSError:
            continue  # not built yet, or just being removed
        yield file.relative_to(public).as_posix(), sha256(content).hexdigest()
