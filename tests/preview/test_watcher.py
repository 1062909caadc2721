"""When previews are built again: after each change, and no more often."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from ketapress.check.preview import Preview
from ketapress.edition_service import EditionService
from ketapress.model.errors import Problem
from ketapress.publication import Publication
from ketapress.testing import StillClock
from ketapress.web.preview.watch import PreviewAttempt, PreviewWatcher, merge_attempt
from support.factories import NOW, WEEKLY

PREVIEW = Preview(newsletter=WEEKLY, zone="UTC", upcoming=None, unsent_editions=())
BROKEN = Problem(code="template.syntax", message="It is broken.", cure="Fix it.")


@dataclass
class Source:
    """File stamps that a test sets, and a count of builds."""

    stamps: dict[str, str] = field(default_factory=dict)
    clock: StillClock = field(default_factory=lambda: StillClock(NOW))
    build_count: int = 0

    def build(self) -> PreviewAttempt:
        self.build_count += 1
        return PreviewAttempt(
            created_at=self.clock(), newsletter_names=("weekly",), previews={"weekly": PREVIEW}
        )

    def count_builds(self, changes: Mapping[int, Callable[[], object]], poll_count: int) -> int:
        """Return the number of builds in `poll_count` polls, with a change after some of them."""
        polls = 0

        async def pause(_seconds: float) -> None:
            nonlocal polls
            polls += 1
            changes.get(polls, lambda: None)()
            if polls == poll_count:
                raise asyncio.CancelledError

        watcher = PreviewWatcher(self.build, lambda: dict(self.stamps), self.clock, pause)
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(watcher.watch_files())
        return self.build_count


def test_it_is_made_once_for_each_change() -> None:
    source = Source({"posts/a.md": "1"})
    changes = {
        2: lambda: source.stamps.update({"posts/a.md": "2"}),
        4: lambda: source.stamps.pop("posts/a.md"),
    }
    assert source.count_builds(changes, poll_count=8) == 3


def test_nothing_that_a_preview_itself_writes_makes_it_anew(publication: Path) -> None:
    with closing(Publication(publication, {})) as publication_parts:
        service = EditionService(publication_parts)
        stamps = service.preview_stamps()
        report = service.compose(publication_parts.load_library(NOW, save_ids=False), NOW, None, dry_run=True)
        service.write_preview(report.editions[0])
    assert (publication / "ketapress.db").exists()
    assert service.preview_stamps() == stamps


def test_what_composing_leaves_makes_it_anew(publication: Path) -> None:
    with closing(Publication(publication, {})) as publication_parts:
        service = EditionService(publication_parts)
        stamps = service.preview_stamps()
        service.compose(publication_parts.load_library(NOW, save_ids=True), NOW, None, dry_run=False)
    new_stamps = service.preview_stamps()
    changed_names = {Path(path).name for path, stamp in new_stamps.items() if stamps.get(path) != stamp}
    assert {".published.jsonl", "2023-06-12T0800"} <= changed_names


def test_a_page_that_is_asked_for_a_minute_later_is_made_anew_and_not_before() -> None:
    source = Source()

    async def collect_numbers() -> list[int]:
        watcher = PreviewWatcher(source.build, dict, source.clock)
        numbers = [(await watcher.update()).number, (await watcher.update()).number]
        source.clock.advance(timedelta(minutes=1))
        return [*numbers, (await watcher.update()).number]

    assert asyncio.run(collect_numbers()) == [1, 1, 2]


def test_a_page_that_waits_hears_of_the_end() -> None:
    async def wait() -> object:
        watcher = PreviewWatcher(Source().build, dict, StillClock(NOW))
        state = await watcher.update()
        task = asyncio.create_task(watcher.wait_for_change(str(state.number)))
        await asyncio.sleep(0)
        await watcher.close()
        return await task

    assert asyncio.run(wait()) is None


def test_the_last_good_preview_stays_until_the_newsletter_goes() -> None:
    good_state = merge_attempt(
        None, PreviewAttempt(created_at=NOW, newsletter_names=("weekly",), previews={"weekly": PREVIEW})
    )
    broken_state = merge_attempt(
        good_state, PreviewAttempt(created_at=NOW, newsletter_names=("weekly",), problems=(BROKEN,))
    )
    last_state = merge_attempt(broken_state, PreviewAttempt(created_at=NOW, problems=(BROKEN,)))
    assert good_state.stale_names == frozenset()
    for state in (broken_state, last_state):
        assert (dict(state.previews), state.stale_names) == ({"weekly": PREVIEW}, frozenset({"weekly"}))
    assert not merge_attempt(
        last_state, PreviewAttempt(created_at=NOW, newsletter_names=("monthly",))
    ).previews
