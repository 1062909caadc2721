"""The schedule's tick: what is due is composed, and feeds and archive follow the posts. Nothing to do costs a look.

A post is read when it stands still; while somebody writes, the tick waits. A tick is skipped where no file, no edition
and no date says that anything could be different from the last one.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ketapress.builder.builder import BuildReport
from ketapress.compose import ComposeReport
from ketapress.daemon.context import Ground
from ketapress.daemon.counters import Measures
from ketapress.daemon.quiescence import git_is_busy, stands_still
from ketapress.edition_service import EditionService
from ketapress.editions.slots import find_next_slot
from ketapress.model.edition import EditionState
from ketapress.model.errors import Problem
from ketapress.model.post import Post, next_change
from ketapress.model.settings import Settings
from ketapress.publication import Publication
from ketapress.review import waiting_problem
from ketapress.system.file_stamp import tree_stamps

LONGEST_REST = timedelta(minutes=10)
"""However still it is, everything is looked at this often: pages that somebody removed come back."""

_PATIENCE = 600.0  # seconds that writers may keep the schedule waiting
_STEP = 0.25  # seconds
_READ = ("posts", "templates")
_Read = tuple[dict[str, str], tuple[Problem, ...], tuple[Post, ...]]
"""The stamps of what was read, what was wrong, and all posts."""


class _Seen(NamedTuple):
    """What the last tick saw and said, and until when that holds by itself."""

    settings: Settings
    files: dict[str, str]
    editions: tuple[tuple[int, EditionState], ...]
    until: datetime
    problems: tuple[Problem, ...]

    def holds(
        self,
        settings: Settings,
        files: dict[str, str],
        editions: tuple[tuple[int, EditionState], ...],
        now: datetime,
    ) -> bool:
        same = (self.settings, self.files, self.editions) == (settings, files, editions)
        return same and now < self.until


class Publishing:
    """The schedule of one publication. `published` is called when something came of a tick.

    `wall` is the clock of the file system, in seconds since 1970.
    """

    def __init__(
        self, ground: Ground, published: Callable[[], None], wall: Callable[[], float] = time.time
    ) -> None:
        self._ground = ground
        self._published = published
        self._wall = wall
        self._measures = Measures(ground.root, "schedule")
        self._seen: _Seen | None = None

    def __call__(self) -> Iterable[Problem]:
        with closing(self._ground.publication()) as publication:
            now, editions = self._ground.clock(), publication.store.editions.list_states()
            files = self._stamps()
            if self._seen and self._seen.holds(publication.settings, files, editions, now):
                return self._seen.problems
            self._seen = None
            read = self._read(publication, now)
            if read is None:
                return ()
            files, problems, posts = read
            until = _until(publication.settings, posts, now)
            self._seen = _Seen(publication.settings, files, editions, until, problems)
        return problems

    def _read(self, publication: Publication, now: datetime) -> _Read | None:
        """Publishes what stands still from before it is read until after; None where the daemon ends before that.

        Who writes without a pause is waited for ten minutes long.
        """
        began = self._wall()
        while True:
            files, waited = self._stamps(), self._wall() - began
            hurry = not 0 <= waited < _PATIENCE
            if (hurry or self._is_still(files)) and (
                found := self._publish(publication, now, files, hurry=hurry)
            ):
                return files, *found
            if self._ground.stop.wait(_STEP):
                return None

    def _is_still(self, files: Mapping[str, str]) -> bool:
        wall = self._wall()
        return stands_still(files.values(), wall) and not git_is_busy(self._ground.root, wall)

    def _stamps(self) -> dict[str, str]:
        root = str(self._ground.root)
        return {path: found for folder in _READ for path, found in tree_stamps(root, folder).items()}

    def _publish(
        self, publication: Publication, now: datetime, files: Mapping[str, str], *, hurry: bool
    ) -> tuple[tuple[Problem, ...], tuple[Post, ...]] | None:
        """What was wrong, and all posts; None where somebody wrote while they were read, and then nothing was done."""
        began, started = datetime.now(UTC), time.monotonic()
        with publication.exclusive_lock("publish"):
            library = publication.load_library(now, save_ids=False)
            if not hurry and self._stamps() != files:
                return None
            publication.save_ids(library)
            publication.save_posts(library, began)
            composed, built = EditionService(publication).publish(library, now, dry_run=False)
        self._measure(time.monotonic() - started)
        self._tell(composed, built)
        waiting = (waiting_problem(each) for each in EditionService(publication).list_to_review())
        return (*library.problems, *composed.problems, *built.problems, *waiting), library.posts

    def _tell(self, composed: ComposeReport, built: BuildReport) -> None:
        log = self._ground.log
        for each in composed.editions:
            name, state = each.edition.slot.edition, str(each.state)
            why = f": {each.reason}" if each.reason else ""
            log.info("composed", f"{name} is composed and {state}{why}.", edition=name, state=state)
        if built.written or built.removed:
            message = f"public/: {built.written} file{'' if built.written == 1 else 's'} written, {built.removed} removed."
            log.info("built", message, written=built.written, removed=built.removed)
        if composed.editions or built.written or built.removed:
            self._published()

    def _measure(self, seconds: float) -> None:
        self._measures.add("builds")
        self._measures.add("build_seconds", seconds)
        self._measures.set("last_build_seconds", seconds)
        self._measures.set("last_build_at", self._ground.clock().timestamp())
        self._measures.keep()


def _until(settings: Settings, posts: Iterable[Post], now: datetime) -> datetime:
    """When something is due by its date: a post appears or expires, or a slot comes."""
    slots = (
        find_next_slot(each.name, each.schedule.cron, settings.newsletter_zone(each), now)
        for each in settings.newsletters.values()
    )
    moments = [next_change(posts, now), *(slot.at for slot in slots if slot), now + LONGEST_REST]
    return min(moment for moment in moments if moment)
