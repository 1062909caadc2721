"""What an author withdraws from an edition that waits is not sent; what looks like an accident holds it."""

import json
import shutil
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from ketapress.store.editions import Editions
from ketapress.store.store import open_store
from ketapress.testing import ScriptedRelay
from support.cli_runner import ketapress

AT, LATER = "2023-06-12T09:00", "2023-06-12T10:00"
EDITION = "weekly/2023-06-12T0800"
NAME = "2023-06-08-second.md"


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as running:
        yield running


@pytest.fixture
def press(publication: Path, relay: ScriptedRelay) -> Path:
    """A publication with an edition of three posts that is ready, and one subscriber."""
    toml = publication / "ketapress.toml"
    toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\n')
    write(publication, "title: Second post")
    (publication / "posts" / "2023-06-09-third.md").write_text("---\ntitle: Third post\n---\nMore words.\n")
    ketapress(publication, "subscribers", "add", "reader@example.net")
    ketapress(publication, "publish", "--at", AT)
    return publication


def write(folder: Path, header: str, body: str = "Words.") -> None:
    (folder / "posts" / NAME).write_text(f"---\n{header}\n---\n{body}\n")


def sent_texts(relay: ScriptedRelay) -> list[str]:
    return [str(message_from_bytes(received.message, policy=policy.default)) for received in relay.messages]


def edition_state(folder: Path) -> tuple[str, str]:
    with open_store("sqlite:///ketapress.db", folder) as store:
        edition = store.editions.get(*EDITION.split("/"))
        assert edition
        return str(edition.state), edition.reason


def listed_paths(folder: Path) -> list[str]:
    manifest = json.loads((folder / "outbox" / EDITION / "edition.json").read_text())
    return sorted(post["path"] for post in manifest["posts"])


def delete(folder: Path) -> None:
    (folder / "posts" / NAME).unlink()


def draft(folder: Path) -> None:
    write(folder, "title: Second post\ndraft: true")


def hold(folder: Path) -> None:
    write(folder, "title: Second post\nhold: true")


def expire(folder: Path) -> None:
    write(folder, "title: Second post\nexpires: 2023-06-12T08:30")


def postpone(folder: Path) -> None:
    write(folder, "title: Second post\ndate: 2023-06-20")


WITHDRAWALS = [delete, draft, hold, expire, postpone]


@pytest.mark.parametrize("withdraw", WITHDRAWALS)
@pytest.mark.parametrize("command", ["send", "publish"])
def test_a_withdrawn_post_is_not_sent(
    press: Path, relay: ScriptedRelay, withdraw: Callable[[Path], None], command: str
) -> None:
    withdraw(press)
    ketapress(press, command, "--at", LATER)
    assert NAME not in listed_paths(press)
    ketapress(press, "send", "--at", LATER)
    (text,) = sent_texts(relay)
    assert "Second post" not in text
    assert "Third post" in text


@pytest.mark.parametrize("withdraw", WITHDRAWALS)
def test_a_post_that_returns_in_time_is_sent_once(
    press: Path, relay: ScriptedRelay, withdraw: Callable[[Path], None]
) -> None:
    withdraw(press)
    ketapress(press, "publish", "--at", "2023-06-12T09:30")
    write(press, "title: Second post")
    (press / "posts" / "2023-06-09-new.md").write_text("---\ntitle: A new one\n---\nIt joins no edition.\n")
    ketapress(press, "publish", "--at", LATER)
    ketapress(press, "send", "--at", LATER)
    ketapress(press, "publish", "--at", "2023-06-19T08:00")
    ketapress(press, "send", "--at", "2023-06-19T08:00")
    first, second = sent_texts(relay)
    assert "Second post" in first
    assert "A new one" not in first
    assert "A new one" in second
    assert "Second post" not in second


@pytest.mark.parametrize("withdraw", WITHDRAWALS[:-1])
def test_a_post_that_returns_after_sending_goes_into_the_next_edition(
    press: Path, relay: ScriptedRelay, withdraw: Callable[[Path], None]
) -> None:
    withdraw(press)
    ketapress(press, "send", "--at", LATER)
    write(press, "title: Second post")
    for at in ("2023-06-13T08:00", "2023-06-19T08:00", "2023-06-26T08:00"):
        ketapress(press, "publish", "--at", at)
        ketapress(press, "send", "--at", at)
    first, second = sent_texts(relay)
    assert "Second post" not in first
    assert "Second post" in second


def test_changed_words_subject_and_template_are_taken(press: Path, relay: ScriptedRelay) -> None:
    write(press, "title: Corrected", "Other words.")
    toml = press / "ketapress.toml"
    text = toml.read_text().replace(
        "[newsletters.weekly]", '[newsletters.weekly]\nsubject = "Our {{ slot.key }}"'
    )
    toml.write_text(text)
    ketapress(press, "send", "--at", LATER)
    (sent,) = sent_texts(relay)
    assert "Corrected" in sent
    assert "Subject: Our 2023-06-12T0800" in sent


def test_an_approval_holds_for_the_text_that_was_approved(press: Path, relay: ScriptedRelay) -> None:
    toml = press / "ketapress.toml"
    toml.write_text(toml.read_text().replace("starts =", 'approval = "one"\nstarts ='))
    ketapress(press, "publish", "--at", AT)
    assert edition_state(press)[0] == "ready"  # the same message keeps its state
    write(press, "title: Corrected")
    ketapress(press, "publish", "--at", AT)
    assert edition_state(press)[0] == "awaiting approval"
    ketapress(press, "outbox", "approve", EDITION, "--at", AT)
    write(press, "title: Corrected again")
    ketapress(press, "send", "--at", LATER)
    assert edition_state(press)[0] == "awaiting approval"
    assert relay.messages == []


def break_header(folder: Path) -> None:
    write(folder, "title: [Second post")


def break_encoding(folder: Path) -> None:
    (folder / "posts" / NAME).write_bytes(b"---\ntitle: Second post\n---\n\xff\xfe\x00\x00\x81\x8d\n")


def delete_most(folder: Path) -> None:
    delete(folder)
    (folder / "posts" / "2023-06-09-third.md").unlink()


def draft_all(folder: Path) -> None:
    for path in list((folder / "posts").glob("*.*")):
        path.unlink()
    draft(folder)


def lock_git(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "index.lock").touch()


def remove_posts(folder: Path) -> None:
    (folder / "posts").rename(folder / "away")


@pytest.mark.parametrize("damage", [break_header, delete_most, draft_all, lock_git, remove_posts])
def test_an_accident_holds_the_edition_names_itself_and_is_lifted_once_mended(
    press: Path, relay: ScriptedRelay, damage: Callable[[Path], None]
) -> None:
    shutil.copytree(press / "posts", press / "copy")
    listed = listed_paths(press)
    damage(press)
    ketapress(press, "send", "--at", LATER)
    state, reason = edition_state(press)
    assert state == "held"
    assert reason.startswith("its posts cannot be trusted now: ")
    assert listed_paths(press) == listed
    ketapress(press, "publish", "--at", LATER)
    assert relay.messages == []
    shutil.rmtree(press / ".git", ignore_errors=True)
    shutil.rmtree(press / "posts", ignore_errors=True)
    shutil.copytree(press / "copy", press / "posts")
    ketapress(press, "publish", "--at", LATER)
    assert edition_state(press) == ("ready", "")
    ketapress(press, "send", "--at", LATER)
    assert len(relay.messages) == 1


def test_publish_says_that_it_holds_an_edition(press: Path) -> None:
    break_header(press)
    outcome = ketapress(press, "publish", "--at", LATER, "--json")
    (problem,) = [problem for problem in outcome.document["problems"] if problem["code"] == "edition.fault"]
    assert NAME in problem["message"]
    assert EDITION in problem["message"]


def test_a_hold_by_a_person_stays_and_the_text_changes(press: Path) -> None:
    ketapress(press, "outbox", "hold", EDITION)
    delete(press)
    ketapress(press, "publish", "--at", LATER)
    assert edition_state(press) == ("held", "a person held it")
    assert NAME not in listed_paths(press)


def test_another_folder_on_the_same_store_changes_nothing(press: Path, relay: ScriptedRelay) -> None:
    (press / ".ketapress" / "folder.json").write_text('{"id": "another"}')
    delete(press)
    ketapress(press, "publish", "--at", LATER)
    ketapress(press, "send", "--at", LATER)
    assert "Second post" in sent_texts(relay)[0]


@pytest.mark.parametrize("is_saved", [False, True])
def test_a_refresh_that_was_killed_is_done_by_the_next_run(
    press: Path, relay: ScriptedRelay, monkeypatch: pytest.MonkeyPatch, is_saved: bool
) -> None:
    delete(press)
    save_message = Editions.save_message

    def die(editions: Editions, *arguments: object, **values: object) -> bool:
        if is_saved:
            save_message(editions, *arguments, **values)  # type: ignore[arg-type]
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Editions, "save_message", die)
        with pytest.raises(RuntimeError, match="killed"):
            ketapress(press, "publish", "--at", LATER)
    ketapress(press, "send", "--at", LATER)
    assert NAME not in listed_paths(press)
    assert "Second post" not in sent_texts(relay)[0]


def test_an_edition_of_an_older_version_keeps_its_state_and_loses_what_was_withdrawn(
    press: Path, relay: ScriptedRelay
) -> None:
    with open_store("sqlite:///ketapress.db", press) as store, store._transactions.write() as connection:
        connection.exec_driver_sql("UPDATE editions SET input_hash = NULL, folder = NULL, chosen_ids = NULL")
        connection.exec_driver_sql("UPDATE editions SET why = 'a person released it'")
    ketapress(press, "publish", "--at", LATER)
    assert edition_state(press) == ("ready", "a person released it")
    delete(press)
    ketapress(press, "send", "--at", LATER)
    assert "Second post" not in sent_texts(relay)[0]
