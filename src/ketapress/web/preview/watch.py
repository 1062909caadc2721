"""What the preview shows now: made anew when a file changes, while the last good edition of each newsletter stays.

In: a way to make previews and a way to look at the stamps of files, both blocking. Out: the newest `Shown`, and a wait
for the next one. It never says what a file means, and renders nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.check.preview import Preview
from ketapress.model.errors import Problem

_PAUSE = 0.4  # seconds between two looks at the stamps: sooner than an editor can turn from one window to the other
_STALE = timedelta(minutes=1)
"""Age at which a page that is asked for is made anew: editions that were cancelled, and the hour, change no file."""

Stamps = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One try to make every preview. A newsletter whose letter cannot be made has no preview, but a problem.

    `names` are the newsletters of the settings, in their order; None where the settings themselves cannot be used.
    """

    at: datetime
    site: str = ""
    names: tuple[str, ...] | None = None
    previews: Mapping[str, Preview] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


class Shown(NamedTuple):
    """What pages are filled from. `stale` are newsletters whose preview is that of an earlier try."""

    number: int
    made: Made
    previews: Mapping[str, Preview]
    stale: frozenset[str]


class Watch:
    """The one owner of what is shown. Its methods belong to one event loop; `make` and `stamps` run in threads."""

    def __init__(
        self,
        make: Callable[[], Made],
        stamps: Callable[[], Stamps],
        clock: Callable[[], datetime],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._make, self._stamps, self._clock, self._pause = make, stamps, clock, pause
        self._before: Stamps = {}
        self._turn = asyncio.Lock()
        self._news = asyncio.Condition()
        self._shown: Shown | None = None
        self._closing = False

    async def now(self) -> Shown:
        """What to show on a page that is asked for now."""
        async with self._turn:
            shown = self._shown
            if shown is None or self._clock() - shown.made.at >= _STALE:
                shown = await self._remake(await asyncio.to_thread(self._stamps))
        return shown

    def last(self) -> Shown | None:
        """What the page shows that asks for its frames."""
        return self._shown

    async def another(self, number: str) -> Shown | None:
        """What is shown, once its number is another than that one; None when the server closes."""
        async with self._news:
            await self._news.wait_for(
                lambda: self._closing or (self._shown and str(self._shown.number) != number)
            )
        return None if self._closing else self._shown

    async def follow(self) -> None:
        """Looks at the files again and again, and makes all anew when one of them changed. Ends by being cancelled."""
        while True:
            async with self._turn:
                stamps = await asyncio.to_thread(self._stamps)
                if stamps != self._before:
                    await self._remake(stamps)
            await self._pause(_PAUSE)

    async def close(self) -> None:
        """Ends every wait."""
        async with self._news:
            self._closing = True
            self._news.notify_all()

    async def _remake(self, stamps: Stamps) -> Shown:
        """The caller has the turn, and took the stamps just before: what changes meanwhile is seen by the next look."""
        self._before = stamps
        made = await asyncio.to_thread(self._make)
        async with self._news:
            self._shown = shown_after(self._shown, made)
            self._news.notify_all()
        return self._shown


def shown_after(last: Shown | None, made: Made) -> Shown:
    """The new previews, and the last good one of each newsletter that is still there and could not be made."""
    known = last.previews if last else {}
    names = tuple(known) if made.names is None else made.names
    found = {
        name: made.previews.get(name) or known[name]
        for name in names
        if name in made.previews or name in known
    }
    return Shown(
        number=last.number + 1 if last else 1,
        made=made,
        previews=found,
        stale=frozenset(found) - frozenset(made.previews),
    )
