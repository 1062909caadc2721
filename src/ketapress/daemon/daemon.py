"""`ketapress run`: start the jobs of one publication, and keep them going until a signal stops them.

SIGTERM and SIGINT let work in progress finish; a second signal, or a drain that takes too long, ends the process at once.
SIGHUP reloads the settings; where ketapress.toml has errors, the previous settings stay in force. Posts and templates
need no reload.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

from starlette.routing import Route

from ketapress.daemon.clock_guard import ClockGuard
from ketapress.daemon.context import DaemonContext, Job
from ketapress.daemon.counters import read_counters
from ketapress.daemon.delivery_job import DeliveryJob
from ketapress.daemon.incidents import Incidents
from ketapress.daemon.publish_job import PublishJob
from ketapress.daemon.scheduler import INTERVAL, Scheduler
from ketapress.daemon.supervisor import SupervisedJob
from ketapress.daemon.watch_job import WatchJob
from ketapress.daemon.web_job import WebJob
from ketapress.daemon.websub_job import WebSubJob
from ketapress.model.errors import KetapressError
from ketapress.publication import Publication
from ketapress.settings.loader import SETTINGS_FILE, read_settings
from ketapress.system.event_log import Log
from ketapress.system.file_stamp import stamp as read_stamp
from ketapress.system.lock import part_work
from ketapress.web.metrics import MetricsEndpoint
from ketapress.web.site_state import SiteState

DRAIN_SECONDS = 25.0
"""How long work in progress may take at the end: service managers kill the process after 30 seconds."""

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_MAX_SILENCE = 120.0  # seconds without a run
_MAX_PUBLISH_SECONDS = 1200.0  # of one run, which may wait for writers


def _get_now() -> datetime:
    return datetime.now(UTC)


class Daemon:
    """The daemon of one publication."""

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        log: Log,
        *,
        clock: Callable[[], datetime] = _get_now,
        file_clock: Callable[[], float] = time.time,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        """`file_clock` is the clock of the file system, in seconds since 1970: it shows files that are being written.

        Raises ConfigurationError.
        """
        self._context = DaemonContext(root, environ, read_settings(root, environ), log, clock)
        self._drain_seconds = drain_seconds
        self._incidents = Incidents(self._context)
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._settings_stamp = read_stamp(str(root / SETTINGS_FILE))
        self._web_job = WebJob(self._context, self._create_routes)
        self._clock_guard = ClockGuard(clock)
        guard = self._clock_guard.guard
        publish_job = PublishJob(self._context, lambda: self._wake("delivery", "hub"), file_clock)
        jobs: dict[str, Job] = {
            "schedule": guard(publish_job),
            "delivery": guard(DeliveryJob(self._context)),
            "web": self._web_job,
            "watch": WatchJob(self._context, lambda: self._wake("schedule")),
            "hub": WebSubJob(self._context),
        }
        self._jobs = {
            name: SupervisedJob(name, job, self._incidents, time.monotonic) for name, job in jobs.items()
        }
        self._scheduler: Scheduler | None = None

    def publish_due(self) -> None:
        """Run the schedule's job once."""
        self._jobs["schedule"]()

    def send_ready(self) -> None:
        """Run the delivery job once."""
        self._jobs["delivery"]()

    def notify_hub(self) -> None:
        """Run the WebSub job once."""
        self._jobs["hub"]()

    def run(self, parts: Sequence[str]) -> None:
        """Run these parts until SIGTERM or SIGINT. Call it on the main thread.

        Raises RefusedError where another process runs one of them in this folder, and names it.
        """
        names = [*parts, *(("watch", "hub") if "schedule" in parts else ())]
        with ExitStack() as locks:
            with closing(self._context.open_publication()) as publication:
                for part in parts:
                    locks.enter_context(publication.exclusive_lock(part_work(part)))
            for number in (*_STOP_SIGNALS, signal.SIGHUP):
                signal.signal(number, self._handle_signal)
            message = (
                f"Started {', '.join(parts)} of {self._context.settings.site.title} (process {os.getpid()}). "
                "SIGTERM stops it; SIGHUP reloads the settings."
            )
            self._context.log.info("started", message)
            self._scheduler = Scheduler({name: self._jobs[name] for name in names})
            self._scheduler.start()
            self._handle_signals(self._scheduler)
            self._drain(self._scheduler)
            self._context.log.info("stopped", "Stopped. All work in progress was finished.")

    def reload(self) -> None:
        """Use the settings that ketapress.toml has now; where they have errors, the previous ones stay in force."""
        context, previous = self._context, self._context.settings
        self._settings_stamp = read_stamp(str(context.root / SETTINGS_FILE))
        try:
            settings = read_settings(context.root, context.environ)
            with closing(Publication(context.root, context.environ, settings)) as publication:
                publication.store  # noqa: B018 - opens the database, so that an error shows before the change
                publication.secret  # noqa: B018 - as above
            context.settings = settings
            self._web_job.reload()
        except KetapressError as error:
            context.settings = previous
            next_step = "The previous settings stay in force. Fix the file and send SIGHUP again."
            self._incidents.report("settings", error.problems, then=next_step)
            return
        self._incidents.report("settings", (), then="")
        self._clock_guard.accept()
        context.log.info("reloaded", f"{SETTINGS_FILE} was loaded; its settings are in force.")
        self._wake(*self._jobs)

    def _handle_signals(self, scheduler: Scheduler) -> None:
        """Wait for a signal to stop; reload on SIGHUP, and look for changes of the clock and the settings file."""
        while not self._context.stop.is_set():
            try:
                number = self._signals.get(timeout=INTERVAL.total_seconds())
            except Empty:
                scheduler.wake_delayed()
                self._warn_of_changed_settings()
                continue
            if number == signal.SIGHUP:
                self.reload()

    def _handle_signal(self, number: int, _frame: FrameType | None) -> None:
        if number in _STOP_SIGNALS:
            if self._context.stop.is_set():
                os._exit(128 + number)  # the second signal
            self._context.stop.set()
        self._signals.put(number)

    def _drain(self, scheduler: Scheduler) -> None:
        """Wait for work in progress, with a limit: a relay may take ten minutes for one reply."""
        timer = threading.Timer(self._drain_seconds, self._abort)
        timer.daemon = True
        timer.start()
        self._web_job.stop()
        scheduler.stop()
        timer.cancel()

    def _abort(self) -> None:
        names = ", ".join(name for name, job in self._jobs.items() if job.is_running)
        self._context.log.error(
            "stopped",
            f"Stopped: {names} did not finish within {self._drain_seconds:.0f} seconds and was interrupted.",
            then="The next start continues. Messages that were being sent are in doubt; `relay.in_doubt` applies to them.",
        )
        os._exit(1)

    def _warn_of_changed_settings(self) -> None:
        stamp = read_stamp(str(self._context.root / SETTINGS_FILE))
        if stamp != self._settings_stamp:
            self._settings_stamp = stamp
            next_step = (
                f"The previous settings stay in force until `kill -HUP {os.getpid()}`. "
                "`ketapress queue` shows what the change would do."
            )
            self._context.log.warning("settings", f"{SETTINGS_FILE} was changed.", then=next_step)

    def _wake(self, *names: str) -> None:
        if self._scheduler is not None:
            self._scheduler.wake(*names)

    def _create_routes(self, get_state: Callable[[], SiteState]) -> list[Route]:
        return MetricsEndpoint(get_state, self._list_delays, lambda: read_counters(self._context.root)).routes

    def _list_delays(self) -> list[str]:
        """Return one line for each job that is blocked, has not run for too long, or takes too long."""
        if self._scheduler is None:
            return []
        now, lines = time.monotonic(), list[str]()
        for name in sorted(self._scheduler.names & {"schedule", "delivery"}):
            job = self._jobs[name]
            lines += [f"{name} is blocked: {problem.message}" for problem in job.blocked_by]
            if not job.is_running and now - job.finished_at > _MAX_SILENCE:
                lines.append(f"{name} has not run for {now - job.finished_at:.0f} seconds")
            elif name == "schedule" and job.is_running and now - job.started_at > _MAX_PUBLISH_SECONDS:
                lines.append(f"{name} has been running for {now - job.started_at:.0f} seconds")
        return lines
