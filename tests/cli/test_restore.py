"""An older copy of the database sends nothing until a person has looked; and then nobody gets an edition twice."""

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ketapress.model.delivery import Phase
from ketapress.publication import Publication
from ketapress.system.lock import PARTS, part_work, publication_lock
from ketapress.testing import ScriptedRelay, after
from support.cli_runner import Outcome, hashes, ketapress

FIRST, SECOND = "2023-06-12T09:00", "2023-06-19T09:00"
READERS = [f"reader{number}@example.net" for number in range(5)]


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as running:
        yield running


@pytest.fixture
def press(publication: Path, relay: ScriptedRelay) -> Path:
    """A publication whose first edition is ready for five readers, with a second post for the week after."""
    toml = publication / "ketapress.toml"
    toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\nconnections = 1\n')
    (publication / "posts" / "2023-06-14-second.md").write_text("A second post.\n")
    ketapress(publication, "subscribers", "add", *READERS)
    ketapress(publication, "publish", "--at", FIRST)
    return publication


def sent(relay: ScriptedRelay) -> Counter[str]:
    return Counter(each.recipient for each in relay.messages)


def go_out(press: Path, at: str) -> Outcome:
    """What a timer does."""
    ketapress(press, "publish", "--at", at)
    return ketapress(press, "send", "--at", at, "--json")


def restored(press: Path, *words: str) -> Outcome:
    return ketapress(press, "db", "restore", *words, "--json")


def test_a_backup_from_before_two_editions_sends_neither_again(press: Path, relay: ScriptedRelay) -> None:
    ketapress(press, "db", "backup", str(press / "copy.db"))
    for at in (FIRST, SECOND):
        assert go_out(press, at).exit_code == 0
    assert set(sent(relay).values()) == {2}
    put_back = restored(press, str(press / "copy.db"))
    assert put_back.exit_code == 1
    assert Path(put_back.result["replaced"]).is_file()
    for command in ("publish", "send"):
        refused = ketapress(press, command, "--at", SECOND, "--json")
        assert refused.exit_code == 1
        assert [each["code"] for each in refused.document["problems"]] == ["store.behind"]
    foretold = restored(press, "--accept", "--dry-run")
    assert [(each["edition"], each["state"]) for each in foretold.result["editions"]] == [
        ("weekly/2023-06-19T0800", "done"),
        ("weekly/2023-06-12T0800", "done"),
    ]
    assert ketapress(press, "send", "--at", SECOND).exit_code == 1
    accepted = restored(press, "--accept")
    assert accepted.exit_code == 0
    assert accepted.result["editions"] == foretold.result["editions"]
    assert go_out(press, SECOND).exit_code == 0
    assert set(sent(relay).values()) == {2}


def test_what_was_posted_since_is_in_the_next_edition_and_what_went_out_is_not(
    press: Path, relay: ScriptedRelay
) -> None:
    ketapress(press, "db", "backup", str(press / "copy.db"))
    for at in (FIRST, SECOND):
        go_out(press, at)
    pages = hashes(press / "public" / "archive")
    restored(press, str(press / "copy.db"), "--accept")
    (press / "posts" / "2023-06-21-third.md").write_text("A third post.\n")
    ketapress(press, "publish", "--at", "2023-06-21T12:00")
    assert hashes(press / "public" / "archive") == pages
    published = ketapress(press, "publish", "--at", "2023-06-26T09:00", "--json")
    (edition,) = published.result["editions"]
    assert len(edition["posts"]) == 1


@pytest.mark.parametrize("killed", [False, True])
def test_a_backup_from_the_middle_of_sending_leaves_those_after_it_in_doubt(
    press: Path, relay: ScriptedRelay, killed: bool
) -> None:
    """The copy is made while the third message is at its dot; the rest of the run is not in it."""
    copied = []

    def copy() -> None:
        copied.append(ketapress(press, "db", "backup", str(press / "copy.db")).exit_code)

    relay.script(Phase.END_OF_DATA, after(copy, "250 2.0.0 taken"), on=3)
    go_out(press, FIRST)
    assert copied == [0]
    if killed:  # then the outbox never heard how the run ended
        lines = (press / "outbox" / ".sent.jsonl").read_text().splitlines()
        (press / "outbox" / ".sent.jsonl").write_text(f"{lines[0]}\n")
    accepted = restored(press, str(press / "copy.db"), "--accept")
    (edition,) = accepted.result["editions"]
    assert edition["state"] == ("sending" if killed else "done")
    assert accepted.exit_code == (1 if killed else 0)
    again = ketapress(press, "send", "--at", FIRST, "--json")
    assert again.exit_code == (1 if killed else 0)
    assert set(sent(relay).values()) == {1}
    if killed:
        doubtful = ketapress(press, "outbox", "resolve", "weekly/2023-06-12T0800", "--json")
        assert {each["address"] for each in doubtful.result["in_doubt"]} == set(READERS[2:])
        ketapress(press, "outbox", "resolve", "weekly/2023-06-12T0800", "--sent", "--evidence", "the log")
        done = ketapress(press, "send", "--at", FIRST, "--json")
        assert [each["state"] for each in done.result["editions"]] == ["done"]
        assert set(sent(relay).values()) == {1}


def test_a_copy_of_the_file_is_known_too(press: Path, relay: ScriptedRelay) -> None:
    """Without `db restore`: somebody put an old file back by hand."""
    shutil.copy(press / "ketapress.db", press / "old.db")
    go_out(press, FIRST)
    for each in press.glob("ketapress.db*"):
        each.unlink()
    shutil.copy(press / "old.db", press / "ketapress.db")
    assert ketapress(press, "send", "--at", FIRST).exit_code == 1
    restored(press, "--accept")
    assert go_out(press, FIRST).exit_code == 0
    assert set(sent(relay).values()) == {1}


def test_an_empty_database_is_behind_too(press: Path, relay: ScriptedRelay) -> None:
    go_out(press, FIRST)
    for each in press.glob("ketapress.db*"):
        each.unlink()
    assert ketapress(press, "publish", "--at", FIRST).exit_code == 1
    restored(press, "--accept")
    ketapress(press, "subscribers", "add", *READERS)
    go_out(press, FIRST)
    assert set(sent(relay).values()) == {1}


def test_without_a_record_what_was_ready_is_held_for_a_person(press: Path, relay: ScriptedRelay) -> None:
    """On a new machine: the backup is there, and the outbox is not."""
    ketapress(press, "db", "backup", str(press / "copy.db"))
    go_out(press, FIRST)
    shutil.rmtree(press / "outbox")
    accepted = restored(press, str(press / "copy.db"), "--accept")
    assert accepted.exit_code == 1
    assert [each["state"] for each in accepted.result["editions"]] == ["held"]
    ketapress(press, "send", "--at", FIRST)
    assert set(sent(relay).values()) == {1}
    ketapress(press, "outbox", "release", "weekly/2023-06-12T0800", "--at", FIRST)
    ketapress(press, "send", "--at", FIRST)
    assert set(sent(relay).values()) == {2}


def test_new_people_get_no_number_that_is_in_somebody_elses_mail(press: Path) -> None:
    ketapress(press, "db", "backup", str(press / "copy.db"))
    ketapress(press, "subscribers", "add", "lost@example.net")
    lost = number_of(press, "lost@example.net")
    restored(press, str(press / "copy.db"), "--accept")
    ketapress(press, "subscribers", "add", "new@example.net")
    assert number_of(press, "new@example.net") > lost


def number_of(press: Path, address: str) -> int:
    with closing(Publication(press, {})) as publication:
        person = publication.store.subscribers.find(address)
        assert person
        return person.subscriptions[0].id


def test_an_older_copy_is_told_by_status_and_doctor_until_it_is_accepted(press: Path) -> None:
    ketapress(press, "db", "backup", str(press / "copy.db"))
    go_out(press, FIRST)
    restored(press, str(press / "copy.db"))
    screen = ketapress(press, "status", "--at", FIRST)
    assert screen.exit_code == 1
    assert "the database is an older copy, or another one" in screen.stdout
    assert "ketapress db restore --accept --dry-run" in screen.stdout
    assert (
        "the database is an older copy, or another one"
        in ketapress(press, "doctor", "--dns", "127.0.0.1:1").stdout
    )
    restored(press, "--accept")
    assert ketapress(press, "status", "--at", FIRST).exit_code == 0


def test_accepting_twice_changes_nothing_more(press: Path) -> None:
    ketapress(press, "db", "backup", str(press / "copy.db"))
    go_out(press, FIRST)
    restored(press, str(press / "copy.db"), "--accept")
    assert restored(press, "--accept").result["editions"] == []


@pytest.mark.parametrize("work", ["publish", "send", *map(part_work, PARTS)])
def test_nothing_is_restored_while_somebody_is_at_work(press: Path, work: str) -> None:
    ketapress(press, "db", "backup", str(press / "copy.db"))
    before = (press / "ketapress.db").read_bytes()
    with publication_lock(press, work):
        outcome = restored(press, str(press / "copy.db"))
    assert [each["code"] for each in outcome.document["problems"]] == ["lock.taken"]
    assert (press / "ketapress.db").read_bytes() == before


def test_nothing_is_restored_while_somebody_has_the_database_open(
    press: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ketapress.store.maintenance.restore._LOCK_TIMEOUT", 0)
    ketapress(press, "db", "backup", str(press / "copy.db"))
    with closing(sqlite3.connect(press / "ketapress.db")) as other:
        other.execute("SELECT count(*) FROM editions").fetchone()
        outcome = restored(press, str(press / "copy.db"))
    assert [each["code"] for each in outcome.document["problems"]] == ["restore.busy"]
    assert sorted(each.name for each in press.glob("ketapress.db*")) == ["ketapress.db"]
    assert restored(press, str(press / "copy.db")).result["replaced"]


def test_a_damaged_database_is_put_aside_as_it_is(press: Path) -> None:
    ketapress(press, "db", "backup", str(press / "copy.db"))
    (press / "ketapress.db").write_bytes(b"no database any more")
    aside = restored(press, str(press / "copy.db")).result["replaced"]
    assert Path(aside).read_bytes() == b"no database any more"
    assert restored(press, "--accept").exit_code == 1  # the edition that was ready is held


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "restore.missing"),
        (b"", "restore.foreign"),
        (b"my diary " * 1000, "restore.damaged"),
        ("CREATE TABLE subscribers (id)", "restore.foreign"),
    ],
    ids=["not there", "empty", "a text", "another program's"],
)
def test_what_is_no_backup_is_refused(press: Path, content: bytes | str | None, code: str) -> None:
    file = press / "copy.db"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(content)
    before = hashes(press)
    outcome = restored(press, str(file))
    assert outcome.exit_code == 1
    assert [each["code"] for each in outcome.document["problems"]] == [code]
    assert {name: was for name, was in hashes(press).items() if "lock" not in name} == {
        name: was for name, was in before.items() if "lock" not in name
    }


def test_a_backup_that_was_cut_off_is_refused(press: Path) -> None:
    ketapress(press, "db", "backup", str(press / "copy.db"))
    whole = (press / "copy.db").read_bytes()
    (press / "copy.db").write_bytes(whole[: len(whole) // 2 // 4096 * 4096])
    outcome = restored(press, str(press / "copy.db"))
    assert [each["code"] for each in outcome.document["problems"]] == ["restore.damaged"]


def test_a_backup_of_an_older_ketapress_is_brought_up_to_date(press: Path) -> None:
    ketapress(press, "db", "backup", str(press / "copy.db"))
    with closing(sqlite3.connect(press / "copy.db")) as connection:
        for column in ("left_out", "is_extra", "input_hash", "folder", "chosen_ids", "first_slot_at"):
            connection.execute(f"ALTER TABLE editions DROP COLUMN {column}")
        for table in ("post_visibility", "returned_posts", "newsletter_schedules"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    copy = (press / "copy.db").read_bytes()
    assert restored(press, str(press / "copy.db"), "--accept").result["replaced"]
    assert ketapress(press, "subscribers", "list", "--json").exit_code == 0
    assert (press / "copy.db").read_bytes() == copy


def test_a_record_that_cannot_be_read_stops_sending(press: Path, relay: ScriptedRelay) -> None:
    (press / "outbox" / ".generation.json").write_text("{")
    outcome = ketapress(press, "send", "--at", FIRST, "--json")
    assert [each["code"] for each in outcome.document["problems"]] == ["outbox.generation"]
    assert relay.messages == []


def test_a_line_of_the_record_that_was_cut_off_hides_no_other(press: Path) -> None:
    ketapress(press, "db", "backup", str(press / "copy.db"))
    record = press / "outbox" / ".sent.jsonl"
    record.write_text('{"newsletter": "weekly", "slo')
    go_out(press, FIRST)
    assert [json.loads(line)["over"] for line in record.read_text().splitlines()[1:]] == [False, True]
    accepted = restored(press, str(press / "copy.db"), "--accept")
    assert [each["state"] for each in accepted.result["editions"]] == ["done"]


def test_neither_a_file_nor_a_word_is_wrong_usage(press: Path) -> None:
    assert restored(press).exit_code == 2
    assert restored(press, "copy.db", "--dry-run").exit_code == 2
