"""What is made anew, and when: as often as something changed, and no more."""

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
from ketapress.web.preview.watch import Made, Watch, shown_after
from support.factories import NOW, WEEKLY

PREVIEW = Preview(newsletter=WEEKLY, zone="UTC", upcoming=None, unsent_editions=())
BROKEN = Problem(code="template.syntax", message="It is broken.", cure="Mend it.")


@dataclass
class Desk:
    """A watch over stamps that a test sets, and how often it made everything."""

    stamps: dict[str, str] = field(default_factory=dict)
    clock: StillClock = field(default_factory=lambda: StillClock(NOW))
    made: int = 0

    def make(self) -> Made:
        self.made += 1
        return Made(at=self.clock(), names=("weekly",), previews={"weekly": PREVIEW})

    def followed(self, looks: Mapping[int, Callable[[], object]], most: int) -> int:
        """How often all was made in that many looks, before some of which something happens."""
        seen = 0

        async def pause(_seconds: float) -> None:
            nonlocal seen
            seen += 1
            looks.get(seen, lambda: None)()
            if seen == most:
                raise asyncio.CancelledError

        watch = Watch(self.make, lambda: dict(self.stamps), self.clock, pause)
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(watch.follow())
        return self.made


def test_it_is_made_once_for_each_change() -> None:
    desk = Desk({"posts/a.md": "1"})
    change = {2: lambda: desk.stamps.update({"posts/a.md": "2"}), 4: lambda: desk.stamps.pop("posts/a.md")}
    assert desk.followed(change, most=8) == 3


def test_nothing_that_a_preview_itself_writes_makes_it_anew(publication: Path) -> None:
    with closing(Publication(publication, {})) as parts:
        editions = EditionService(parts)
        stamps = editions.preview_stamps()
        report = editions.compose(parts.load_library(NOW, save_ids=False), NOW, None, dry_run=True)
        editions.write_preview(report.editions[0])
    assert (publication / "ketapress.db").exists()
    assert editions.preview_stamps() == stamps


def test_what_composing_leaves_makes_it_anew(publication: Path) -> None:
    with closing(Publication(publication, {})) as parts:
        editions = EditionService(parts)
        stamps = editions.preview_stamps()
        editions.compose(parts.load_library(NOW, save_ids=True), NOW, None, dry_run=False)
    changed = {
        Path(path).name for path, stamp in editions.preview_stamps().items() if stamps.get(path) != stamp
    }
    assert {".published.jsonl", "2023-06-12T0800"} <= changed


def test_a_page_that_is_asked_for_a_minute_later_is_made_anew_and_not_before() -> None:
    desk = Desk()

    async def asked() -> list[int]:
        watch = Watch(desk.make, dict, desk.clock)
        numbers = [(await watch.now()).number, (await watch.now()).number]
        desk.clock.advance(timedelta(minutes=1))
        return [*numbers, (await watch.now()).number]

    assert asyncio.run(asked()) == [1, 1, 2]


def test_a_page_that_waits_hears_of_the_end() -> None:
    async def waited() -> object:
        watch = Watch(Desk().make, dict, StillClock(NOW))
        shown = await watch.now()
        waiting = asyncio.create_task(watch.another(str(shown.number)))
        await asyncio.sleep(0)
        await watch.close()
        return await waiting

    assert asyncio.run(waited()) is None


def test_the_last_good_preview_stays_until_the_newsletter_goes() -> None:
    good = shown_after(None, Made(at=NOW, names=("weekly",), previews={"weekly": PREVIEW}))
    broken = shown_after(good, Made(at=NOW, names=("weekly",), problems=(BROKEN,)))
    settings_broken = shown_after(broken, Made(at=NOW, problems=(BROKEN,)))
    assert good.stale == frozenset()
    for shown in (broken, settings_broken):
        assert (dict(shown.previews), shown.stale) == ({"weekly": PREVIEW}, frozenset({"weekly"}))
    assert not shown_after(settings_broken, Made(at=NOW, names=("monthly",))).previews
