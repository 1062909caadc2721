"""What went out never goes out again: the ways in which other tools mailed a post twice, each as a test.

MailPoet's (pull requests 4397, 4456, 5367), P2 By Email's (issue 7), noptin's (issue 60), listmonk's (issue 1801).
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ketapress.testing import ScriptedRelay
from support.cli_runner import ketapress
from support.mailbox_clients import DAY, HOUR, START, Reader


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Her first mail has come: P0000."""
    with ScriptedRelay() as relay:
        found = Reader(tmp_path, relay)
        found.write(START.date())
        found.tick(START + HOUR)
        assert found.inbox == [["P0000"]]
        yield found


def first(reader: Reader) -> Path:
    return reader.root / "posts" / "p0000.md"


def edited(file: Path) -> None:
    file.write_text(file.read_text() + "One more paragraph.\n")


def retitled(file: Path) -> None:
    file.write_text(file.read_text().replace("title: P0000", "title: P0000, corrected"))


def renamed(file: Path) -> None:
    file.rename(file.with_name("another-name.md"))


def moved(file: Path) -> None:
    (file.parent / "2023").mkdir()
    file.rename(file.parent / "2023" / file.name)


def dated_back(file: Path) -> None:
    file.write_text(file.read_text().replace("2023-03-01", "2023-02-20"))


def dated_on(file: Path) -> None:
    file.write_text(file.read_text().replace("2023-03-01", "2023-03-03"))


def tagged(file: Path) -> None:
    file.write_text(file.read_text().replace("---\nThe", "tags: [care]\n---\nThe"))


def touched(file: Path) -> None:
    file.write_bytes(file.read_bytes())


CHANGES = [edited, retitled, renamed, moved, dated_back, dated_on, tagged, touched]


@pytest.mark.parametrize("change", CHANGES, ids=[change.__name__ for change in CHANGES])
def test_a_post_that_went_out_and_is_changed(reader: Reader, change: Callable[[Path], None]) -> None:
    change(first(reader))
    reader.go_on(START + 6 * DAY, 6 * HOUR)
    assert reader.inbox == [["P0000"]]


@pytest.mark.parametrize("head", ["draft: true", "hold: true", "published: false"])
def test_a_post_that_is_taken_back_and_published_again(reader: Reader, head: str) -> None:
    file, text = first(reader), first(reader).read_text()
    file.write_text(text.replace("title:", f"{head}\ntitle:"))
    reader.go_on(START + 2 * DAY, 6 * HOUR)
    assert "P0000" not in (reader.root / "public" / "feed.xml").read_text()
    file.write_text(text)
    reader.go_on(START + 5 * DAY, 6 * HOUR)
    assert "P0000" in (reader.root / "public" / "feed.xml").read_text()
    assert reader.inbox == [["P0000"]]


def test_a_post_that_is_deleted_and_comes_back_from_version_control(reader: Reader) -> None:
    file, text = first(reader), first(reader).read_text()
    file.unlink()
    reader.go_on(START + 2 * DAY, 6 * HOUR)
    file.write_text(text)
    reader.go_on(START + 5 * DAY, 6 * HOUR)
    assert reader.inbox == [["P0000"]]


def test_each_mail_brings_what_is_new_since_the_last_and_not_the_last_many_days(reader: Reader) -> None:
    for day in range(1, 5):
        reader.write((START + day * DAY).date())
    reader.go_on(START + 5 * DAY)
    assert reader.inbox == [["P0000"], ["P0001"], ["P0002"], ["P0003"], ["P0004"]]


def test_a_copy_with_other_words_is_a_post_of_its_own(reader: Reader) -> None:
    file = first(reader)
    text = (
        file.read_text()
        .replace("P0000", "P0007")
        .replace("2023-03-01", "2023-03-02")
        .replace("body", "new body")
    )
    file.with_name("p0007.md").write_text(text)
    reader.go_on(START + 4 * DAY, 6 * HOUR)
    assert reader.inbox == [["P0000"], ["P0007"]]


def test_a_post_in_two_newsletters_comes_once_in_each(reader: Reader) -> None:
    toml = reader.root / "ketapress.toml"
    more = '[newsletters.care]\ntitle = "Care"\nschedule = "0 9 * * *"\nstarts = 2023-03-02\nfrom = "c@example.org"\ntags = ["care"]\n'
    toml.write_text(toml.read_text().replace("[relay]", f"{more}[relay]"))
    ketapress(reader.root, "subscribers", "add", "ann@example.net", "--newsletter", "care")
    reader.press.daemon.reload()
    reader.write((START + DAY).date(), head="tags: [care, other]\n")
    reader.go_on(START + 2 * DAY)
    file = reader.root / "posts" / "p0001.md"
    file.write_text(file.read_text().replace("[care, other]", "[care]"))
    reader.go_on(START + 5 * DAY)
    assert reader.inbox == [["P0000"], ["P0001"], ["P0001"]]


def test_an_old_post_that_appears_late_is_on_the_web_alone(reader: Reader) -> None:
    reader.write((START - 30 * DAY).date())
    reader.go_on(START + 3 * DAY, 6 * HOUR)
    assert "P0001" in (reader.root / "public" / "feed.xml").read_text()
    assert reader.inbox == [["P0000"]]


def test_many_ticks_in_one_minute_make_one_edition(reader: Reader) -> None:
    reader.write((START + DAY).date())
    for _ in range(20):
        reader.tick(START + DAY + HOUR)
        reader.start(START + DAY + HOUR)
    assert reader.inbox == [["P0000"], ["P0001"]]


def test_a_clock_that_is_set_back_repeats_nothing(reader: Reader) -> None:
    reader.write((START + DAY).date())
    reader.go_on(START + 2 * DAY)
    reader.go_on(START + 2 * DAY)
    reader.press.clock.now = START
    reader.go_on(START + 3 * DAY)
    assert reader.inbox == [["P0000"], ["P0001"]]


def test_a_folder_that_was_copied_elsewhere_with_its_database_mails_nothing_again(
    reader: Reader, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = shutil.copytree(reader.root, tmp_path_factory.mktemp("moved") / "press")
    ketapress(root, "publish", "--at", "2023-03-02T09:00")
    ketapress(root, "send", "--at", "2023-03-02T09:00")
    assert reader.inbox == [["P0000"]]


def test_without_its_ids_the_folder_stops_before_anything_is_mailed(reader: Reader) -> None:
    """MailPoet's readers got old posts again where the record of what went out was gone."""
    (reader.root / "posts" / ".published.jsonl").unlink()
    renamed(first(reader))
    reader.go_on(START + 3 * DAY, 6 * HOUR)
    assert reader.inbox == [["P0000"]]
    assert reader.press.heard("posts.ids-lost")
