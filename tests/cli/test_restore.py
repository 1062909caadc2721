"""A restored database sends nothing until a person accepts it, and then no subscriber gets an edition twice."""

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
    with ScriptedRelay() as server:
        yield server


@pytest.fixture
def folder(publication: Path, relay: ScriptedRelay) -> Path:
    """A publication with a ready edition, five subscribers, and a second post for the week after."""
    toml = publication / "ketapress.toml"
    toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\nconnections = 1\n')
    (publication / "posts" / "2023-06-14-second.md").write_text("A second post.\n")
    ketapress(publication, "subscribers", "add", *READERS)
    ketapress(publication, "publish", "--at", FIRST)
    return publication


def message_counts(relay: ScriptedRelay) -> Counter[str]:
    return Counter(message.recipient for message in relay.messages)


def publish_and_send(folder: Path, at: str) -> Outcome:
    """Publish, then send."""
    ketapress(folder, "publish", "--at", at)
    return ketapress(folder, "send", "--at", at, "--json")


def restore(folder: Path, *words: str) -> Outcome:
    return ketapress(folder, "db", "restore", *words, "--json")


def test_a_backup_from_before_two_editions_sends_neither_again(folder: Path, relay: ScriptedRelay) -> None:
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    for at in (FIRST, SECOND):
        assert publish_and_send(folder, at).exit_code == 0
    assert set(message_counts(relay).values()) == {2}
    outcome = restore(folder, str(folder / "copy.db"))
    assert outcome.exit_code == 1
    assert Path(outcome.result["replaced"]).is_file()
    for command in ("publish", "send"):
        refused = ketapress(folder, command, "--at", SECOND, "--json")
        assert refused.exit_code == 1
        assert [problem["code"] for problem in refused.document["problems"]] == ["store.behind"]
    dry_run = restore(folder, "--accept", "--dry-run")
    assert [(edition["edition"], edition["state"]) for edition in dry_run.result["editions"]] == [
        ("weekly/2023-06-19T0800", "done"),
        ("weekly/2023-06-12T0800", "done"),
    ]
    assert ketapress(folder, "send", "--at", SECOND).exit_code == 1
    accepted = restore(folder, "--accept")
    assert accepted.exit_code == 0
    assert accepted.result["editions"] == dry_run.result["editions"]
    assert publish_and_send(folder, SECOND).exit_code == 0
    assert set(message_counts(relay).values()) == {2}


def test_what_was_posted_since_is_in_the_next_edition_and_what_went_out_is_not(
    folder: Path, relay: ScriptedRelay
) -> None:
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    for at in (FIRST, SECOND):
        publish_and_send(folder, at)
    pages = hashes(folder / "public" / "archive")
    restore(folder, str(folder / "copy.db"), "--accept")
    (folder / "posts" / "2023-06-21-third.md").write_text("A third post.\n")
    ketapress(folder, "publish", "--at", "2023-06-21T12:00")
    assert hashes(folder / "public" / "archive") == pages
    published = ketapress(folder, "publish", "--at", "2023-06-26T09:00", "--json")
    (edition,) = published.result["editions"]
    assert len(edition["posts"]) == 1


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_backup_from_the_middle_of_sending_leaves_those_after_it_in_doubt(
    folder: Path, relay: ScriptedRelay, is_killed: bool
) -> None:
    """The backup is made before the relay answers the third message; the rest of the run is not in it."""
    exit_codes = []

    def back_up() -> None:
        exit_codes.append(ketapress(folder, "db", "backup", str(folder / "copy.db")).exit_code)

    relay.script(Phase.END_OF_DATA, after(back_up, "250 2.0.0 taken"), on=3)
    publish_and_send(folder, FIRST)
    assert exit_codes == [0]
    if is_killed:  # the log of the outbox then lacks the end of the run
        lines = (folder / "outbox" / ".sent.jsonl").read_text().splitlines()
        (folder / "outbox" / ".sent.jsonl").write_text(f"{lines[0]}\n")
    accepted = restore(folder, str(folder / "copy.db"), "--accept")
    (edition,) = accepted.result["editions"]
    assert edition["state"] == ("sending" if is_killed else "done")
    assert accepted.exit_code == (1 if is_killed else 0)
    again = ketapress(folder, "send", "--at", FIRST, "--json")
    assert again.exit_code == (1 if is_killed else 0)
    assert set(message_counts(relay).values()) == {1}
    if is_killed:
        listing = ketapress(folder, "outbox", "resolve", "weekly/2023-06-12T0800", "--json")
        assert {delivery["address"] for delivery in listing.result["in_doubt"]} == set(READERS[2:])
        ketapress(folder, "outbox", "resolve", "weekly/2023-06-12T0800", "--sent", "--evidence", "the log")
        done = ketapress(folder, "send", "--at", FIRST, "--json")
        assert [edition["state"] for edition in done.result["editions"]] == ["done"]
        assert set(message_counts(relay).values()) == {1}


def test_a_copy_of_the_file_is_known_too(folder: Path, relay: ScriptedRelay) -> None:
    """An old file is put back by hand, without `db restore`."""
    shutil.copy(folder / "ketapress.db", folder / "old.db")
    publish_and_send(folder, FIRST)
    for path in folder.glob("ketapress.db*"):
        path.unlink()
    shutil.copy(folder / "old.db", folder / "ketapress.db")
    assert ketapress(folder, "send", "--at", FIRST).exit_code == 1
    restore(folder, "--accept")
    assert publish_and_send(folder, FIRST).exit_code == 0
    assert set(message_counts(relay).values()) == {1}


def test_an_empty_database_is_behind_too(folder: Path, relay: ScriptedRelay) -> None:
    publish_and_send(folder, FIRST)
    for path in folder.glob("ketapress.db*"):
        path.unlink()
    assert ketapress(folder, "publish", "--at", FIRST).exit_code == 1
    restore(folder, "--accept")
    ketapress(folder, "subscribers", "add", *READERS)
    publish_and_send(folder, FIRST)
    assert set(message_counts(relay).values()) == {1}


def test_without_a_record_what_was_ready_is_held_for_a_person(folder: Path, relay: ScriptedRelay) -> None:
    """On a new machine there is a backup, but no outbox."""
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    publish_and_send(folder, FIRST)
    shutil.rmtree(folder / "outbox")
    accepted = restore(folder, str(folder / "copy.db"), "--accept")
    assert accepted.exit_code == 1
    assert [edition["state"] for edition in accepted.result["editions"]] == ["held"]
    ketapress(folder, "send", "--at", FIRST)
    assert set(message_counts(relay).values()) == {1}
    ketapress(folder, "outbox", "release", "weekly/2023-06-12T0800", "--at", FIRST)
    ketapress(folder, "send", "--at", FIRST)
    assert set(message_counts(relay).values()) == {2}


def test_new_people_get_no_number_that_is_in_somebody_elses_mail(folder: Path) -> None:
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    ketapress(folder, "subscribers", "add", "lost@example.net")
    lost_id = subscription_id(folder, "lost@example.net")
    restore(folder, str(folder / "copy.db"), "--accept")
    ketapress(folder, "subscribers", "add", "new@example.net")
    assert subscription_id(folder, "new@example.net") > lost_id


def subscription_id(folder: Path, address: str) -> int:
    with closing(Publication(folder, {})) as publication:
        subscriber = publication.store.subscribers.find(address)
        assert subscriber
        return subscriber.subscriptions[0].id


def test_an_older_copy_is_told_by_status_and_doctor_until_it_is_accepted(folder: Path) -> None:
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    publish_and_send(folder, FIRST)
    restore(folder, str(folder / "copy.db"))
    outcome = ketapress(folder, "status", "--at", FIRST)
    assert outcome.exit_code == 1
    assert "the database is an older copy, or another one" in outcome.stdout
    assert "ketapress db restore --accept --dry-run" in outcome.stdout
    assert (
        "the database is an older copy, or another one"
        in ketapress(folder, "doctor", "--dns", "127.0.0.1:1").stdout
    )
    restore(folder, "--accept")
    assert ketapress(folder, "status", "--at", FIRST).exit_code == 0


def test_accepting_twice_changes_nothing_more(folder: Path) -> None:
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    publish_and_send(folder, FIRST)
    restore(folder, str(folder / "copy.db"), "--accept")
    assert restore(folder, "--accept").result["editions"] == []


@pytest.mark.parametrize("work", ["publish", "send", *map(part_work, PARTS)])
def test_nothing_is_restored_while_somebody_is_at_work(folder: Path, work: str) -> None:
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    before = (folder / "ketapress.db").read_bytes()
    with publication_lock(folder, work):
        outcome = restore(folder, str(folder / "copy.db"))
    assert [problem["code"] for problem in outcome.document["problems"]] == ["lock.taken"]
    assert (folder / "ketapress.db").read_bytes() == before


def test_nothing_is_restored_while_somebody_has_the_database_open(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ketapress.store.maintenance.restore._LOCK_TIMEOUT", 0)
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    with closing(sqlite3.connect(folder / "ketapress.db")) as other:
        other.execute("SELECT count(*) FROM editions").fetchone()
        outcome = restore(folder, str(folder / "copy.db"))
    assert [problem["code"] for problem in outcome.document["problems"]] == ["restore.busy"]
    assert sorted(path.name for path in folder.glob("ketapress.db*")) == ["ketapress.db"]
    assert restore(folder, str(folder / "copy.db")).result["replaced"]


def test_a_damaged_database_is_put_aside_as_it_is(folder: Path) -> None:
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    (folder / "ketapress.db").write_bytes(b"no database any more")
    replaced_file = restore(folder, str(folder / "copy.db")).result["replaced"]
    assert Path(replaced_file).read_bytes() == b"no database any more"
    assert restore(folder, "--accept").exit_code == 1  # the edition that was ready is held


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
def test_what_is_no_backup_is_refused(folder: Path, content: bytes | str | None, code: str) -> None:
    file = folder / "copy.db"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(content)
    before = hashes(folder)
    outcome = restore(folder, str(file))
    assert outcome.exit_code == 1
    assert [problem["code"] for problem in outcome.document["problems"]] == [code]
    assert {name: was for name, was in hashes(folder).items() if "lock" not in name} == {
        name: was for name, was in before.items() if "lock" not in name
    }


def test_a_backup_that_was_cut_off_is_refused(folder: Path) -> None:
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    content = (folder / "copy.db").read_bytes()
    (folder / "copy.db").write_bytes(content[: len(content) // 2 // 4096 * 4096])
    outcome = restore(folder, str(folder / "copy.db"))
    assert [problem["code"] for problem in outcome.document["problems"]] == ["restore.damaged"]


def test_a_backup_of_an_older_ketapress_is_brought_up_to_date(folder: Path) -> None:
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    with closing(sqlite3.connect(folder / "copy.db")) as connection:
        for column in ("left_out", "is_extra", "input_hash", "folder", "chosen_ids", "first_slot_at"):
            connection.execute(f"ALTER TABLE editions DROP COLUMN {column}")
        for table in ("post_visibility", "returned_posts", "newsletter_schedules"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    copy = (folder / "copy.db").read_bytes()
    assert restore(folder, str(folder / "copy.db"), "--accept").result["replaced"]
    assert ketapress(folder, "subscribers", "list", "--json").exit_code == 0
    assert (folder / "copy.db").read_bytes() == copy


def test_a_record_that_cannot_be_read_stops_sending(folder: Path, relay: ScriptedRelay) -> None:
    (folder / "outbox" / ".generation.json").write_text("{")
    outcome = ketapress(folder, "send", "--at", FIRST, "--json")
    assert [problem["code"] for problem in outcome.document["problems"]] == ["outbox.generation"]
    assert relay.messages == []


def test_a_line_of_the_record_that_was_cut_off_hides_no_other(folder: Path) -> None:
    ketapress(folder, "db", "backup", str(folder / "copy.db"))
    log = folder / "outbox" / ".sent.jsonl"
    log.write_text('{"newsletter": "weekly", "slo')
    publish_and_send(folder, FIRST)
    assert [json.loads(line)["over"] for line in log.read_text().splitlines()[1:]] == [False, True]
    accepted = restore(folder, str(folder / "copy.db"), "--accept")
    assert [edition["state"] for edition in accepted.result["editions"]] == ["done"]


def test_neither_a_file_nor_a_word_is_wrong_usage(folder: Path) -> None:
    assert restore(folder).exit_code == 2
    assert restore(folder, "copy.db", "--dry-run").exit_code == 2
