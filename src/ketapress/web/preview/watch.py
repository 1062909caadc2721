"""The state of the preview: built again when a file changes; the last good edition of each newsletter is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.check.preview import Preview
from ketapress.model.errors import Problem

_POLL_SECONDS = 0.4  # less than an editor needs to switch from one window to the other
_MAX_AGE = timedelta(minutes=1)
"""Age at which a requested page is built again: a canceled edition, or the time of day, changes no file."""

FileStamps = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewAttempt:
    """One attempt to build all previews. A newsletter that cannot be composed has a problem instead of a preview.

    `newsletter_names` has the order of the settings; None where the settings cannot be used.
    """

    created_at: datetime
    site_title: str = ""
    newsletter_names: tuple[str, ...] | None = None
    previews: Mapping[str, Preview] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


class PreviewState(NamedTuple):
    """What pages show. The previews of `stale_names` are from an earlier attempt."""

    number: int
    attempt: PreviewAttempt
    previews: Mapping[str, Preview]
    stale_names: frozenset[str]


class PreviewWatcher:
    """The owner of the preview's state, in one event loop.

    `build_previews` and `read_stamps` run in threads; `read_stamps` stands for the content of all input files.
    """

    def __init__(
        self,
        build_previews: Callable[[], PreviewAttempt],
        read_stamps: Callable[[], FileStamps],
        clock: Callable[[], datetime],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.state: PreviewState | None = None
        self._build_previews, self._read_stamps = build_previews, read_stamps
        self._clock, self._pause = clock, pause
        self._last_stamps: FileStamps = {}
        self._build_lock = asyncio.Lock()
        self._change = asyncio.Condition()
        self._is_closed = False

    async def update(self) -> PreviewState:
        """Return the current state, which is built again where it is too old."""
        async with self._build_lock:
            state = self.state
            if state is None or self._clock() - state.attempt.created_at >= _MAX_AGE:
                state = await self._rebuild(await asyncio.to_thread(self._read_stamps))
        return state

    async def wait_for_change(self, number: str) -> PreviewState | None:
        """Return the state as soon as its number is another one than `number`; None when the server stops."""
        async with self._change:
            await self._change.wait_for(
                lambda: self._is_closed or (self.state and str(self.state.number) != number)
            )
        return None if self._is_closed else self.state

    async def watch_files(self) -> None:
        """Build the previews again whenever a file changes, until the task is canceled."""
        while True:
            async with self._build_lock:
                stamps = await asyncio.to_thread(self._read_stamps)
                if stamps != self._last_stamps:
                    await self._rebuild(stamps)
            await self._pause(_POLL_SECONDS)

    async def close(self) -> None:
        """End every wait."""
        async with self._change:
            self._is_closed = True
            self._change.notify_all()

    async def _rebuild(self, stamps: FileStamps) -> PreviewState:
        """Build the previews. The caller holds the lock and read the stamps before, so that no change is missed."""
        self._last_stamps = stamps
        attempt = await asyncio.to_thread(self._build_previews)
        async with self._change:
            self.state = merge_attempt(self.state, attempt)
            self._change.notify_all()
        return self.state


def merge_attempt(state: PreviewState | None, attempt: PreviewAttempt) -> PreviewState:
    """Return the state after an attempt: new previews, and the last good one of newsletters that failed."""
    old_previews = state.previews if state else {}
    names = tuple(old_previews) if attempt.newsletter_names is None else attempt.newsletter_names
    previews = {
        name: attempt.previews.get(name) or old_previews[name]
        for name in names
        if name in attempt.previews or name in old_previews
    }
    return PreviewState(
        number=state.number + 1 if state else 1,
        attempt=attempt,
        previews=previews,
        stale_names=frozenset(previews) - frozenset(attempt.previews),
    )
