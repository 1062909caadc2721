"""A post goes into the next edition after it became visible, whatever hid it before, and into no second one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ketapress.model.edition import EditionState
from ketapress.store.store import open_store
from support.cli_runner import ketapress
from support.factories import NOW

FIRST, SECOND, THIRD = "2023-06-12T0800", "2023-06-19T0800", "2023-06-26T0800"
NAME = "2023-06-08-news.md"
HEADER = "title: News\ndate: 2023-06-08\n"


def write(folder: Path, header: str = HEADER, name: str = NAME) -> None:
    (folder / "posts" / name).write_text(f"---\n{header}---\nWords about {name}.\n")


def publish(folder: Path, at: str) -> dict[str, Any]:
    return ketapress(folder, "publish", "--at", at, "--json").result


def edition_paths(folder: Path, newsletter: str = "weekly") -> dict[str, list[str]]:
    """Return the file names of the posts in each edition, by its slot."""
    return {
        manifest.parent.name: sorted(post["path"] for post in json.loads(manifest.read_text())["posts"])
        for manifest in sorted((folder / "outbox" / newsletter).glob("*/edition.json"))
    }


def hold(folder: Path) -> None:
    write(folder, HEADER + "hold: true\n")


def draft(folder: Path) -> None:
    write(folder, HEADER + "draft: true\n")


def delete(folder: Path) -> None:
    (folder / "posts" / NAME).rename(folder / "away.md")


def break_header(folder: Path) -> None:
    write(folder, "title: [News\ndate: 2023-06-08\n")


def expire(folder: Path) -> None:
    write(folder, HEADER + "expires: 2023-06-10\n")


def postpone(folder: Path) -> None:
    write(folder, "title: News\ndate: 2023-06-14\n")


@pytest.mark.parametrize("hide", [hold, draft, delete, break_header, expire, postpone])
def test_a_post_that_was_hidden_over_a_slot_goes_into_the_next_edition(
    publication: Path, hide: Callable[[Path], None]
) -> None:
    write(publication)
    publish(publication, "2023-06-09T09:00")
    hide(publication)
    publish(publication, "2023-06-12T08:00")
    assert NAME not in edition_paths(publication)[FIRST]
    write(publication)
    publish(publication, "2023-06-15T08:06")
    coming = ketapress(publication, "preview", "weekly", "--at", "2023-06-15T09:00", "--json").result
    publish(publication, "2023-06-19T08:00")
    publish(publication, "2023-06-26T08:00")
    assert [edition["edition"] for edition in coming["editions"]] == [f"weekly/{SECOND}"]
    assert edition_paths(publication)[SECOND] == [NAME]
    assert THIRD not in edition_paths(publication)


@pytest.mark.parametrize("hide", [hold, draft, delete, break_header, expire, postpone])
def test_a_post_that_was_sent_and_hidden_is_not_sent_again(
    publication: Path, hide: Callable[[Path], None]
) -> None:
    write(publication)
    publish(publication, "2023-06-12T08:00")
    with open_store("sqlite:///ketapress.db", publication) as store:
        edition = store.editions.get("weekly", "2023-06-12T0800")
        assert edition
        assert store.editions.transition(edition.id, [EditionState.READY], EditionState.DONE, now=NOW)
    hide(publication)
    publish(publication, "2023-06-19T08:00")
    write(publication)
    publish(publication, "2023-06-26T08:00")
    assert list(edition_paths(publication)) == [FIRST]


def test_a_post_that_was_never_visible_before_its_release_goes_into_the_next_edition(
    publication: Path,
) -> None:
    hold(publication)
    publish(publication, "2023-06-12T08:00")
    write(publication)
    publish(publication, "2023-06-19T08:06")
    assert NAME not in edition_paths(publication).get(SECOND, [])  # released after the slot had come
    publish(publication, "2023-06-26T08:00")
    assert edition_paths(publication)[THIRD] == [NAME]


def test_a_post_that_is_hidden_for_a_moment_keeps_its_place(publication: Path) -> None:
    write(publication)
    publish(publication, "2023-06-09T09:00")
    break_header(publication)
    publish(publication, "2023-06-10T09:00")
    write(publication)
    publish(publication, "2023-06-12T08:00")
    assert NAME in edition_paths(publication)[FIRST]


def test_another_tag_mails_no_backlog(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + 'tags = ["news"]\n')
    write(publication, HEADER + "tags: [other]\n")
    write(publication, "title: Second\ndate: 2023-06-09\ntags: [news]\n", "second.md")
    publish(publication, "2023-06-12T08:00")
    write(publication, HEADER + "tags: [news]\n")
    publish(publication, "2023-06-19T08:00")
    assert edition_paths(publication) == {FIRST: ["second.md"]}


def test_a_folder_that_was_away_for_one_run_mails_no_backlog(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + 'tags = ["news"]\n')
    write(publication, HEADER + "tags: [other]\n")
    write(publication, "title: Second\ndate: 2023-06-09\ntags: [news]\n", "second.md")
    publish(publication, "2023-06-12T08:00")
    write(publication, HEADER + "tags: [news]\n")
    (publication / "posts").rename(publication / "away")
    (publication / "posts").mkdir()
    ids = (publication / "away" / ".published.jsonl").read_bytes()
    (publication / "posts" / ".published.jsonl").write_bytes(ids)
    publish(publication, "2023-06-13T08:00")
    (publication / "posts" / ".published.jsonl").unlink()
    (publication / "posts").rmdir()
    (publication / "away").rename(publication / "posts")
    publish(publication, "2023-06-19T08:00")
    assert edition_paths(publication) == {FIRST: ["second.md"]}


NOTES = """
[newsletters.notes]
title = "Notes"
schedule = "0 8 * * mon"
starts = 2023-06-01
from = "Notes <notes@example.org>"
"""


def test_a_new_newsletter_mails_no_backlog(publication: Path) -> None:
    write(publication)
    publish(publication, "2023-06-12T08:00")
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + NOTES)
    assert publish(publication, "2023-06-13T08:00")["slots"] == []
    write(publication, "title: Second\ndate: 2023-06-14\n", "second.md")
    publish(publication, "2023-06-14T08:00")
    slots = publish(publication, "2023-06-19T08:00")["slots"]
    assert {"newsletter": "notes", "slot": SECOND, "decided": "composed"} in slots
    assert edition_paths(publication, "notes") == {SECOND: ["second.md"]}


def test_what_an_edition_returned_goes_out_however_many_editions_came_since(publication: Path) -> None:
    write(publication)
    publish(publication, "2023-06-12T08:00")
    ketapress(publication, "outbox", "hold", f"weekly/{FIRST}")
    write(publication, "title: Second\ndate: 2023-06-14\n", "second.md")
    publish(publication, "2023-06-14T08:00")
    publish(publication, "2023-06-19T08:00")
    ketapress(publication, "outbox", "cancel", f"weekly/{FIRST}")
    publish(publication, "2023-06-26T08:00")
    editions = edition_paths(publication)
    assert editions[SECOND] == ["second.md"]
    assert NAME in editions[THIRD]


def test_an_extra_edition_moves_no_window(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + 'tags = ["news"]\n')
    write(publication, HEADER + "tags: [other]\n")
    write(publication, "title: Second\ndate: 2023-06-08\ntags: [news]\n", "second.md")
    publish(publication, "2023-06-08T12:00")
    ketapress(publication, "compose", "weekly", "--now", "--at", "2023-06-09T12:00")
    write(publication, HEADER + "tags: [news]\n")
    publish(publication, "2023-06-12T08:00")
    assert edition_paths(publication) == {"2023-06-09T1200": ["second.md"], FIRST: [NAME]}


def test_many_posts_that_come_back_long_after_their_dates_wait_for_a_person(publication: Path) -> None:
    header = "title: Note {0}\ndate: 2023-06-07\nhold: true\n"
    for number in range(11):
        write(publication, header.format(number), f"note-{number}.md")
    publish(publication, "2023-06-12T08:00")
    publish(publication, "2023-07-10T08:00")
    for number in range(11):
        write(publication, header.format(number).replace("hold: true\n", ""), f"note-{number}.md")
    publish(publication, "2023-07-30T08:00")
    (edition,) = publish(publication, "2023-07-31T08:00")["editions"]
    assert edition["state"] == "held"
    shown = ketapress(publication, "outbox", "show", "weekly/2023-07-31T0800").stdout
    assert "long after their dates" in shown


def test_a_post_that_expired_before_a_late_composition_is_left_out(publication: Path) -> None:
    write(publication, HEADER + "expires: 2023-06-12T10:00\n")
    publish(publication, "2023-06-12T11:00")  # the machine slept over the slot at eight
    assert NAME not in edition_paths(publication)[FIRST]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_changed_schedule_counts_from_the_first_run_that_acts_on_it(publication: Path, zone: str) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace('"0 8 * * mon"', '"0 8 1 1,4,7,10 *"'))
    publish(publication, "2023-07-01T09:00")
    write(publication, "title: Later\ndate: 2023-07-03\n", "later.md")
    publish(publication, "2023-07-03T09:00")
    text = toml.read_text().replace('"0 8 1 1,4,7,10 *"', '"0 8 * * *"')
    toml.write_text(text + f'timezone = "{zone}"\n')
    first = ketapress(publication, "publish", "--at", "2023-09-20T15:00", "--json")
    assert first.result["slots"] == []
    assert not [problem for problem in first.document["problems"] if problem["code"] == "clock.ahead"]
    slots = publish(publication, "2023-09-21T15:00")["slots"]
    assert slots == [{"newsletter": "weekly", "slot": "2023-09-21T0800", "decided": "composed"}]


def test_a_second_extra_edition_in_one_minute_says_why_there_is_none(publication: Path) -> None:
    words = ("compose", "weekly", "--now", "--json")
    ketapress(publication, *words, "--at", "2023-06-08T10:30:01")
    second = ketapress(publication, *words, "--at", "2023-06-08T10:30:50")
    assert [problem["code"] for problem in second.document["problems"]] == ["edition.same-minute"]
    assert second.result["editions"] == []


def test_explain_names_the_later_edition_and_gives_an_empty_slot_its_own_window(publication: Path) -> None:
    publish(publication, "2023-06-12T08:00")
    publish(publication, "2023-06-19T08:00")
    write(publication, "title: Later\ndate: 2023-06-21\n", "later.md")
    publish(publication, "2023-06-26T07:00")
    publish(publication, "2023-06-26T08:00")
    explained = ketapress(publication, "explain", f"weekly/{SECOND}", "--at", "2023-06-26T09:00", "--json")
    assert explained.result["window"] == ["2023-06-12T08:00:00+00:00", "2023-06-19T08:00:00+00:00"]
    reasons = {post["path"]: post["why"] for post in explained.result["posts"]}
    assert reasons["later.md"] == f"was selected for a later edition, weekly/{THIRD}"
    earlier = "was selected for an earlier edition, weekly/2023-06-12T0800"
    assert reasons["2023-06-07-ketamine-therapy.txt"] == earlier
