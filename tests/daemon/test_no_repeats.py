"""No post is sent twice: the ways in which other tools mailed a post twice, each as a test.

MailPoet's (pull requests 4397, 4456, 5367), P2 By Email's (issue 7), noptin's (issue 60), listmonk's (issue 1801).
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ketapress.testing import ScriptedRelay
from support.cli_runner import ketapress
from support.mailbox_clients import DAY, HOUR, START, Mailbox


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """A mailbox that has received the first message: P0000."""
    with ScriptedRelay() as relay:
        mailbox = Mailbox(tmp_path, relay)
        mailbox.write_post(START.date())
        mailbox.tick(START + HOUR)
        assert mailbox.inbox == [["P0000"]]
        yield mailbox


def get_first_post(mailbox: Mailbox) -> Path:
    return mailbox.root / "posts" / "p0000.md"


def edit(file: Path) -> None:
    file.write_text(file.read_text() + "One more paragraph.\n")


def retitle(file: Path) -> None:
    file.write_text(file.read_text().replace("title: P0000", "title: P0000, corrected"))


def rename(file: Path) -> None:
    file.rename(file.with_name("another-name.md"))


def move(file: Path) -> None:
    (file.parent / "2023").mkdir()
    file.rename(file.parent / "2023" / file.name)


def date_back(file: Path) -> None:
    file.write_text(file.read_text().replace("2023-03-01", "2023-02-20"))


def date_forward(file: Path) -> None:
    file.write_text(file.read_text().replace("2023-03-01", "2023-03-03"))


def add_tag(file: Path) -> None:
    file.write_text(file.read_text().replace("---\nThe", "tags: [care]\n---\nThe"))


def rewrite(file: Path) -> None:
    file.write_bytes(file.read_bytes())


CHANGES = [edit, retitle, rename, move, date_back, date_forward, add_tag, rewrite]


@pytest.mark.parametrize("change", CHANGES, ids=[change.__name__ for change in CHANGES])
def test_a_post_that_went_out_and_is_changed(mailbox: Mailbox, change: Callable[[Path], None]) -> None:
    change(get_first_post(mailbox))
    mailbox.tick_until(START + 6 * DAY, 6 * HOUR)
    assert mailbox.inbox == [["P0000"]]


@pytest.mark.parametrize("header", ["draft: true", "hold: true", "published: false"])
def test_a_post_that_is_taken_back_and_published_again(mailbox: Mailbox, header: str) -> None:
    file, text = get_first_post(mailbox), get_first_post(mailbox).read_text()
    file.write_text(text.replace("title:", f"{header}\ntitle:"))
    mailbox.tick_until(START + 2 * DAY, 6 * HOUR)
    assert "P0000" not in (mailbox.root / "public" / "feed.xml").read_text()
    file.write_text(text)
    mailbox.tick_until(START + 5 * DAY, 6 * HOUR)
    assert "P0000" in (mailbox.root / "public" / "feed.xml").read_text()
    assert mailbox.inbox == [["P0000"]]


def test_a_post_that_is_deleted_and_comes_back_from_version_control(mailbox: Mailbox) -> None:
    file, text = get_first_post(mailbox), get_first_post(mailbox).read_text()
    file.unlink()
    mailbox.tick_until(START + 2 * DAY, 6 * HOUR)
    file.write_text(text)
    mailbox.tick_until(START + 5 * DAY, 6 * HOUR)
    assert mailbox.inbox == [["P0000"]]


def test_each_mail_brings_what_is_new_since_the_last_and_not_the_last_many_days(mailbox: Mailbox) -> None:
    for day in range(1, 5):
        mailbox.write_post((START + day * DAY).date())
    mailbox.tick_until(START + 5 * DAY)
    assert mailbox.inbox == [["P0000"], ["P0001"], ["P0002"], ["P0003"], ["P0004"]]


def test_a_copy_with_other_words_is_a_post_of_its_own(mailbox: Mailbox) -> None:
    file = get_first_post(mailbox)
    text = (
        file.read_text()
        .replace("P0000", "P0007")
        .replace("2023-03-01", "2023-03-02")
        .replace("body", "new body")
    )
    file.with_name("p0007.md").write_text(text)
    mailbox.tick_until(START + 4 * DAY, 6 * HOUR)
    assert mailbox.inbox == [["P0000"], ["P0007"]]


def test_a_post_in_two_newsletters_comes_once_in_each(mailbox: Mailbox) -> None:
    toml = mailbox.root / "ketapress.toml"
    extra_settings = '[newsletters.care]\ntitle = "Care"\nschedule = "0 9 * * *"\nstarts = 2023-03-02\nfrom = "c@example.org"\ntags = ["care"]\n'
    toml.write_text(toml.read_text().replace("[relay]", f"{extra_settings}[relay]"))
    ketapress(mailbox.root, "subscribers", "add", "ann@example.net", "--newsletter", "care")
    mailbox.inline_daemon.daemon.reload()
    mailbox.write_post((START + DAY).date(), header="tags: [care, other]\n")
    mailbox.tick_until(START + 2 * DAY)
    file = mailbox.root / "posts" / "p0001.md"
    file.write_text(file.read_text().replace("[care, other]", "[care]"))
    mailbox.tick_until(START + 5 * DAY)
    assert mailbox.inbox == [["P0000"], ["P0001"], ["P0001"]]


def test_an_old_post_that_appears_late_is_on_the_web_alone(mailbox: Mailbox) -> None:
    mailbox.write_post((START - 30 * DAY).date())
    mailbox.tick_until(START + 3 * DAY, 6 * HOUR)
    assert "P0001" in (mailbox.root / "public" / "feed.xml").read_text()
    assert mailbox.inbox == [["P0000"]]


def test_many_ticks_in_one_minute_make_one_edition(mailbox: Mailbox) -> None:
    mailbox.write_post((START + DAY).date())
    for _ in range(20):
        mailbox.tick(START + DAY + HOUR)
        mailbox.start_daemon(START + DAY + HOUR)
    assert mailbox.inbox == [["P0000"], ["P0001"]]


def test_a_clock_that_is_set_back_repeats_nothing(mailbox: Mailbox) -> None:
    mailbox.write_post((START + DAY).date())
    mailbox.tick_until(START + 2 * DAY)
    mailbox.tick_until(START + 2 * DAY)
    mailbox.inline_daemon.clock.now = START
    mailbox.tick_until(START + 3 * DAY)
    assert mailbox.inbox == [["P0000"], ["P0001"]]


def test_a_folder_that_was_copied_elsewhere_with_its_database_mails_nothing_again(
    mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = shutil.copytree(mailbox.root, tmp_path_factory.mktemp("moved") / "publication")
    ketapress(root, "publish", "--at", "2023-03-02T09:00")
    ketapress(root, "send", "--at", "2023-03-02T09:00")
    assert mailbox.inbox == [["P0000"]]


def test_without_its_ids_the_folder_stops_before_anything_is_mailed(mailbox: Mailbox) -> None:
    """MailPoet sent old posts again where the record of sent posts was lost."""
    (mailbox.root / "posts" / ".published.jsonl").unlink()
    rename(get_first_post(mailbox))
    mailbox.tick_until(START + 3 * DAY, 6 * HOUR)
    assert mailbox.inbox == [["P0000"]]
    assert mailbox.inline_daemon.list_messages("posts.ids-lost")
