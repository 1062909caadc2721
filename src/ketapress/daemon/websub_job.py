"""Tells the hub when a feed's bytes have changed, and tries again, later each time, until it was told.

In: the feeds in `public/`, and what was announced before. Out: a problem as long as the hub does not take it. It has a
thread of its own: nothing else waits for a hub.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from ketapress.daemon.context import Ground
from ketapress.daemon.websub_client import announce, read_announced, write_announced
from ketapress.feeds.formats import FORMATS
from ketapress.model.errors import Problem, Severity

PAUSES = (60.0, 300.0, 900.0, 3600.0)
"""Seconds between tries; the last one for ever."""


class Announcing:
    """The news of one publication. `monotonic` measures pauses."""

    def __init__(self, ground: Ground, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ground = ground
        self._monotonic = monotonic
        self._failures = 0
        self._again_at = 0.0
        self._problems: tuple[Problem, ...] = ()

    def __call__(self) -> Iterable[Problem]:
        hub = self._ground.settings.feeds.hub
        if not hub:
            return ()
        if self._problems and self._monotonic() < self._again_at:
            return self._problems
        failed = self._announce(hub)
        self._problems = (_untold(hub, failed),) if failed else ()
        self._again_at = self._monotonic() + PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures = self._failures + 1 if failed else 0
        return self._problems

    def _announce(self, hub: str) -> str:
        """Tells the hub of all that it does not know; empty, or why it could not be told."""
        root, page = self._ground.root, self._ground.settings.page_url
        announced = dict(read_announced(root))
        for path, digest in feed_digests(root / "public"):
            topic = page(quote(path))
            key = f"{hub} {topic}"
            if announced.get(key) == digest:
                continue
            if failed := announce(hub, topic):
                return failed
            announced[key] = digest
            write_announced(root, announced)
            self._ground.log.info("announced", f"{hub} knows of the news in {topic}.", topic=topic)
        return ""


def feed_digests(public: Path) -> Iterator[tuple[str, str]]:
    """Each feed that readers poll, by its path in `public/`, with a hash of its bytes. Those of the whole site first."""
    site = [public / each.path for each in FORMATS]
    tags = sorted(public.glob(f"tags/*/{FORMATS[0].path}"))
    for file in (*site, *tags):
        try:
            content = file.read_bytes()
        except OSError:
            continue  # it is not there yet, or just being taken away
        yield file.relative_to(public).as_posix(), sha256(content).hexdigest()


def _untold(hub: str, why: str) -> Problem:
    return Problem(
        code="hub",
        severity=Severity.WARNING,
        message=f"the hub {hub} {why}, so readers hear of news only when they ask.",
        cure="If it stays so, look whether `hub` below [feeds] is right.",
    )
