"""`ketapress run`: the parts of one publication, kept going until somebody says stop.

SIGTERM and SIGINT let what is in flight end; a second one, or too long a wait, ends at once. SIGHUP reads the settings
anew, and a broken ketapress.toml leaves those of before in force. Posts and templates are read anew at every tick.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

from starlette.routing import Route

from ketapress.daemon.clock_guard import Clockwatch
from ketapress.daemon.context import Ground
from ketapress.daemon.counters import measured
from ketapress.daemon.delivery_job import Sending
from ketapress.daemon.incidents import Troubles
from ketapress.daemon.publish_job import Publishing
from ketapress.daemon.scheduler import EVERY, Ticks
from ketapress.daemon.supervisor import Kept, Work
from ketapress.daemon.watch_job import Watching
from ketapress.daemon.web_job import Opening
from ketapress.daemon.websub_job import Announcing
from ketapress.model.errors import KetapressError
from ketapress.publication import Publication
from ketapress.settings.loader import SETTINGS_FILE, read_settings
from ketapress.system.event_log import Log
from ketapress.system.file_stamp import stamp
from ketapress.system.lock import part_work
from ketapress.web.metrics import Instruments
from ketapress.web.site_state import Site

DRAIN = 25.0
"""Seconds that what is in flight may take at the end: service managers kill after 30."""

_ENDS = (signal.SIGTERM, signal.SIGINT)
_LATE = 120.0  # seconds without a tick
_STUCK = 1200.0  # seconds in one tick of the schedule, which may wait for writers


def _now() -> datetime:
    return datetime.now(UTC)


class Daemon:
    """One publication, kept going, under the settings that it was opened with until they are read anew."""

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        log: Log,
        *,
        clock: Callable[[], datetime] = _now,
        wall: Callable[[], float] = time.time,
        drain: float = DRAIN,
    ) -> None:
        """`wall` is the clock of the file system, in seconds since 1970: it tells whether a file is still being written."""
        self._ground = Ground(root, environ, read_settings(root, environ), log, clock)
        self._drain = drain
        self._troubles = Troubles(self._ground)
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._settings_stamp = stamp(str(root / SETTINGS_FILE))
        self._opening = Opening(self._ground, self._routes)
        self._clockwatch = Clockwatch(clock)
        trusting = self._clockwatch.trusting
        works: dict[str, Work] = {
            "schedule": trusting(Publishing(self._ground, lambda: self._wake("delivery", "hub"), wall)),
            "delivery": trusting(Sending(self._ground)),
            "web": self._opening,
            "watch": Watching(self._ground, lambda: self._wake("schedule")),
            "hub": Announcing(self._ground),
        }
        self._jobs = {name: Kept(name, work, self._troubles, time.monotonic) for name, work in works.items()}
        self._ticks: Ticks | None = None

    def publish_due(self) -> None:
        """One tick of the schedule."""
        self._jobs["schedule"]()

    def send_ready(self) -> None:
        """One tick of delivery."""
        self._jobs["delivery"]()

    def announce(self) -> None:
        """One look at what the hub was not told yet."""
        self._jobs["hub"]()

    def run(self, parts: Sequence[str]) -> None:
        """Keeps these parts going until SIGTERM or SIGINT. Call it on the main thread.

        Raises RefusedError where another process keeps one of them in this folder, and names it.
        """
        chosen = [*parts, *(("watch", "hub") if "schedule" in parts else ())]
        with ExitStack() as locks:
            with closing(self._ground.publication()) as publication:
                for part in parts:
                    locks.enter_context(publication.exclusive_lock(part_work(part)))
            for each in (*_ENDS, signal.SIGHUP):
                signal.signal(each, self._heard)
            self._ground.log.info("started", self._welcome(parts))
            self._ticks = Ticks({name: self._jobs[name] for name in chosen})
            self._ticks.start()
            self._follow(self._ticks)
            self._end(self._ticks)
            self._ground.log.info("stopped", "Down: what was in flight is finished.")

    def reload(self) -> None:
        """Takes the settings that ketapress.toml holds now; where they cannot be used, those of before stay in force."""
        ground, before = self._ground, self._ground.settings
        self._settings_stamp = stamp(str(ground.root / SETTINGS_FILE))
        try:
            settings = read_settings(ground.root, ground.environ)
            _tried(Publication(ground.root, ground.environ, settings))
            ground.settings = settings
            self._opening.reload()
        except KetapressError as error:
            ground.settings = before
            then = "The settings of before stay in force; mend it and send SIGHUP again."
            self._troubles.stand("settings", error.problems, then=then)
            return
        self._troubles.stand("settings", (), then="")
        self._clockwatch.believe()
        ground.log.info("reloaded", f"{SETTINGS_FILE} is read anew and in force.")
        self._wake(*self._jobs)

    def _follow(self, ticks: Ticks) -> None:
        """Does what the signals say, and between them looks whether anybody changed the clock or the settings."""
        while not self._ground.stop.is_set():
            try:
                number = self._signals.get(timeout=EVERY.total_seconds())
            except Empty:
                ticks.set_right()
                self._mind_settings()
                continue
            if number == signal.SIGHUP:
                self.reload()

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if number in _ENDS:
            if self._ground.stop.is_set():
                os._exit(128 + number)  # asked a second time: at once
            self._ground.stop.set()
        self._signals.put(number)

    def _end(self, ticks: Ticks) -> None:
        """Waits for what is in flight, but not for ever: a relay may take ten minutes for one answer."""
        impatience = threading.Timer(self._drain, self._give_up)
        impatience.daemon = True
        impatience.start()
        self._opening.end()
        ticks.end()
        impatience.cancel()

    def _give_up(self) -> None:
        busy = " and ".join(name for name, job in self._jobs.items() if job.busy)
        self._ground.log.error(
            "stopped",
            f"Down: {busy} did not end within {self._drain:.0f} seconds and was cut off.",
            then="The next start takes over; what was just being sent is in doubt then, as `relay.in_doubt` says.",
        )
        os._exit(1)

    def _mind_settings(self) -> None:
        found = stamp(str(self._ground.root / SETTINGS_FILE))
        if found != self._settings_stamp:
            self._settings_stamp = found
            then = (
                f"The settings of before stay in force until `kill -HUP {os.getpid()}`; "
                "`ketapress queue` shows first what that changes."
            )
            self._ground.log.warning("settings", f"{SETTINGS_FILE} was changed.", then=then)

    def _wake(self, *names: str) -> None:
        if self._ticks is not None:
            self._ticks.wake(*names)

    def _welcome(self, parts: Iterable[str]) -> str:
        title = self._ground.settings.site.title
        return f"Up: {' and '.join(parts)} of {title}, process {os.getpid()}. SIGTERM ends it, SIGHUP reads the settings anew."

    def _routes(self, site: Callable[[], Site]) -> list[Route]:
        return Instruments(site, self._late, lambda: measured(self._ground.root)).routes

    def _late(self) -> list[str]:
        """What should have ticked and has not, or could not do its work."""
        if self._ticks is None:
            return []
        now, found = time.monotonic(), list[str]()
        for name in sorted(self._ticks.names & {"schedule", "delivery"}):
            job = self._jobs[name]
            found += [f"{name} cannot work: {each.message}" for each in job.hindered]
            if not job.busy and now - job.looked > _LATE:
                found.append(f"{name} has not looked for {now - job.looked:.0f} seconds")
            elif name == "schedule" and job.busy and now - job.began > _STUCK:
                found.append(f"{name} has been at one thing for {now - job.began:.0f} seconds")
        return found


def _tried(publication: Publication) -> None:
    """Opens what the settings name, so that what cannot be opened is known before they are in force."""
    with closing(publication):
        publication.store  # noqa: B018 - it is made when it is asked for
        publication.secret  # noqa: B018 - as above
