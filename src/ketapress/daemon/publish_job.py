"""The schedule's job: compose due editions, and build feeds and pages.

It waits until no file is being written. A run is skipped where no file, edition or date has changed since the last one.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ketapress.builder.builder import BuildReport
from ketapress.compose import ComposeReport
from ketapress.daemon.context import DaemonContext
from ketapress.daemon.counters import Counters
from ketapress.daemon.quiescence import is_git_busy, is_quiescent
from ketapress.edition_service import EditionService
from ketapress.editions.slots import find_next_slot
from ketapress.model.edition import EditionState
from ketapress.model.errors import Problem
from ketapress.model.post import Post, next_change
from ketapress.model.settings import Settings
from ketapress.publication import Publication
from ketapress.review import waiting_problem
from ketapress.system.file_stamp import tree_stamps

MAX_IDLE = timedelta(minutes=10)
"""Without any change, a full run happens this often: it restores files that were removed from `public/`."""

_MAX_WAIT = 600.0  # seconds that writers may delay publishing
_POLL_SECONDS = 0.25
_INPUT_FOLDERS = ("posts", "templates")
_FileStamps = Mapping[str, str]


class _LastRun(NamedTuple):
    """What the last run read and found. Valid for the same inputs, until a date or a slot changes the result."""

    inputs: tuple[Settings, _FileStamps, tuple[tuple[int, EditionState], ...]]
    valid_until: datetime
    problems: tuple[Problem, ...]


class PublishJob:
    """Publishing for one publication. Calls `on_publish` after a run that composed or wrote anything.

    `file_clock` is the clock of the file system, in seconds since 1970.
    """

    def __init__(
        self,
        context: DaemonContext,
        on_publish: Callable[[], None],
        file_clock: Callable[[], float] = time.time,
    ) -> None:
        self._context = context
        self._on_publish = on_publish
        self._file_clock = file_clock
        self._counters = Counters(context.root, "schedule")
        self._last_run: _LastRun | None = None

    def __call__(self) -> Iterable[Problem]:
        """Publish as soon as no file is being written, or after ten minutes; do nothing where the daemon stops first."""
        with closing(self._context.open_publication()) as publication:
            now, editions = self._context.clock(), publication.store.editions.list_states()
            inputs = (publication.settings, self._read_stamps(), editions)
            last_run = self._last_run
            if last_run and last_run.inputs == inputs and now < last_run.valid_until:
                return last_run.problems
            self._last_run = None
            start = self._file_clock()
            while True:
                stamps, file_time = self._read_stamps(), self._file_clock()
                is_overdue = not 0 <= file_time - start < _MAX_WAIT
                is_busy = is_git_busy(self._context.root, file_time)
                if is_overdue or (is_quiescent(stamps.values(), file_time) and not is_busy):
                    result = self._publish(publication, now, stamps, is_overdue=is_overdue)
                    if result is not None:
                        break
                if self._context.stop.wait(_POLL_SECONDS):
                    return ()
            problems, posts = result
            valid_until = _find_next_change(publication.settings, posts, now)
            self._last_run = _LastRun((publication.settings, stamps, editions), valid_until, problems)
            return problems

    def _read_stamps(self) -> _FileStamps:
        root = str(self._context.root)
        return {path: stamp for folder in _INPUT_FOLDERS for path, stamp in tree_stamps(root, folder).items()}

    def _publish(
        self, publication: Publication, now: datetime, stamps: _FileStamps, *, is_overdue: bool
    ) -> tuple[tuple[Problem, ...], tuple[Post, ...]] | None:
        """Return all problems and posts; None, with nothing done, where a file changed while posts were read."""
        read_at, start = datetime.now(UTC), time.monotonic()
        edition_service = EditionService(publication)
        with publication.exclusive_lock("publish"):
            library = publication.load_library(now, save_ids=False)
            if not is_overdue and self._read_stamps() != stamps:
                return None
            publication.save_ids(library)
            publication.save_posts(library, read_at)
            compose_report, build_report = edition_service.publish(library, now, dry_run=False)
        self._count_build(time.monotonic() - start)
        self._log_result(compose_report, build_report)
        waiting = (waiting_problem(edition) for edition in edition_service.list_to_review())
        problems = (*library.problems, *compose_report.problems, *build_report.problems, *waiting)
        return problems, library.posts

    def _log_result(self, compose_report: ComposeReport, build_report: BuildReport) -> None:
        log = self._context.log
        for composed in compose_report.editions:
            name, state = composed.edition.slot.edition, str(composed.state)
            reason = f": {composed.reason}" if composed.reason else ""
            message = f"{name} was composed and is {state}{reason}."
            log.info("composed", message, edition=name, state=state)
        written, removed = build_report.written, build_report.removed
        if written or removed:
            message = f"public/: {written} file{'' if written == 1 else 's'} written, {removed} removed."
            log.info("built", message, written=written, removed=removed)
        if compose_report.editions or written or removed:
            self._on_publish()

    def _count_build(self, seconds: float) -> None:
        self._counters.add("builds")
        self._counters.add("build_seconds", seconds)
        self._counters.set("last_build_seconds", seconds)
        self._counters.set("last_build_at", self._context.clock().timestamp())
        self._counters.save()


def _find_next_change(settings: Settings, posts: Iterable[Post], now: datetime) -> datetime:
    """Return when the next post appears or expires, or the next slot is due; at most `MAX_IDLE` from now."""
    slots = (
        find_next_slot(newsletter.name, newsletter.schedule.cron, settings.newsletter_zone(newsletter), now)
        for newsletter in settings.newsletters.values()
    )
    moments = [next_change(posts, now), *(slot.at for slot in slots if slot), now + MAX_IDLE]
    return min(moment for moment in moments if moment)
