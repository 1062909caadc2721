"""What a person does with an edition: refreshes it, resolves messages in doubt, and exports it."""

from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from ketapress.model.delivery import Phase
from ketapress.store.store import open_store
from ketapress.testing import ScriptedRelay, hang_up
from support.cli_runner import ketapress
from support.factories import NOW
from support.store_fixture import start_sending

AT = "2023-06-12T09:00"
EDITION = "weekly/2023-06-12T0800"


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as server:
        yield server


@pytest.fixture
def folder(publication: Path, relay: ScriptedRelay) -> Path:
    """A publication with a ready edition of two posts, and three subscribers."""
    toml = publication / "ketapress.toml"
    extra = 'connections = 1\nin_doubt = "hold"\n'
    toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\n{extra}')
    (publication / "posts" / "2023-06-08-second.md").write_text("---\ntitle: Teh second\n---\nWords.\n")
    ketapress(publication, "subscribers", "add", *(f"reader{number}@example.net" for number in range(3)))
    ketapress(publication, "publish", "--at", AT)
    return publication


def edit_post(folder: Path, header: str) -> None:
    (folder / "posts" / "2023-06-08-second.md").write_text(f"---\n{header}\n---\nWords.\n")


def sent_text(relay: ScriptedRelay) -> str:
    return str(message_from_bytes(relay.messages[0].message, policy=policy.default))


def test_a_mended_post_goes_out_as_it_was_mended(folder: Path, relay: ScriptedRelay) -> None:
    edit_post(folder, "title: The second")
    outcome = ketapress(folder, "outbox", "refresh", EDITION, "--at", AT, "--json")
    assert (outcome.exit_code, outcome.result["state"]) == (0, "ready")
    assert "The second" in (folder / "outbox" / EDITION / "digest.txt").read_text()
    ketapress(folder, "send", "--at", AT)
    assert "Teh second" not in sent_text(relay)
    assert len(relay.messages) == 3


def test_a_dry_run_shows_and_changes_nothing(folder: Path, relay: ScriptedRelay) -> None:
    edit_post(folder, "title: The second")
    outcome = ketapress(folder, "outbox", "refresh", EDITION, "--at", AT, "--dry-run")
    assert "It would be ready." in outcome.stdout
    assert "Teh second" in (folder / "outbox" / EDITION / "digest.txt").read_text()
    with open_store("sqlite:///ketapress.db", folder) as store:
        edition = store.editions.get("weekly", "2023-06-12T0800")
        assert edition
        assert any(b"Teh second" in part for part in store.editions.get_message_template(edition.id).segments)


def test_a_post_that_became_a_draft_leaves_the_edition_and_is_free_again(folder: Path) -> None:
    edit_post(folder, "title: Teh second\ndraft: true")
    outcome = ketapress(folder, "outbox", "refresh", EDITION, "--at", AT, "--json")
    assert len(outcome.result["posts"]) == 1
    assert "second" not in (folder / "outbox" / EDITION / "digest.txt").read_text()
    assert len(ketapress(folder, "outbox", "show", EDITION, "--json").result["posts"]) == 1


def test_an_edition_with_no_post_left_is_not_emptied(folder: Path) -> None:
    for post in (folder / "posts").glob("2023*"):
        post.rename(folder / post.name)
    outcome = ketapress(folder, "outbox", "refresh", EDITION, "--at", AT, "--json")
    assert [problem["code"] for problem in outcome.document["problems"]] == ["edition.empty"]
    assert ketapress(folder, "outbox", "show", EDITION, "--json").result["state"] == "ready"


def test_what_a_person_held_stays_held(folder: Path) -> None:
    ketapress(folder, "outbox", "hold", EDITION, "--at", AT)
    outcome = ketapress(folder, "outbox", "refresh", EDITION, "--at", AT, "--json")
    assert (outcome.exit_code, outcome.result["state"]) == (1, "held")
    assert ketapress(folder, "outbox", "show", EDITION, "--json").result["why"] == "a person held it"


def test_a_file_changed_by_hand_no_longer_holds_an_edition_that_was_refreshed(folder: Path) -> None:
    (folder / "outbox" / EDITION / "digest.html").write_text("<p>edited</p>")
    assert ketapress(folder, "send", "--at", AT).exit_code == 1
    assert ketapress(folder, "outbox", "refresh", EDITION, "--at", AT).exit_code == 0
    assert ketapress(folder, "send", "--at", AT).exit_code == 0


def test_what_went_out_is_not_refreshed(folder: Path) -> None:
    ketapress(folder, "send", "--at", AT)
    outcome = ketapress(folder, "outbox", "refresh", EDITION, "--at", AT, "--json")
    assert [problem["code"] for problem in outcome.document["problems"]] == ["edition.refresh"]


@pytest.fixture
def folder_in_doubt(folder: Path, relay: ScriptedRelay) -> Path:
    """A publication with one message in doubt: the relay accepted it, and its answer was lost."""
    relay.script(Phase.END_OF_DATA, hang_up, recipient="reader1@example.net")
    ketapress(folder, "send", "--at", AT)
    return folder


def test_what_is_in_doubt_is_listed_with_what_to_look_for(folder_in_doubt: Path) -> None:
    outcome = ketapress(folder_in_doubt, "outbox", "resolve", EDITION, "--json")
    assert outcome.exit_code == 1
    (row,) = outcome.result["in_doubt"]
    assert row["address"] == "reader1@example.net"
    assert row["message_id"].endswith("@example.org>")
    assert row["dated"] == "2023-06-12T09:00:00+00:00"
    assert "relay's log" in ketapress(folder_in_doubt, "outbox", "resolve", EDITION).stdout


def test_status_names_what_is_in_doubt_until_a_person_says_what_became_of_it(folder_in_doubt: Path) -> None:
    outcome = ketapress(folder_in_doubt, "status", "--at", AT)
    assert outcome.exit_code == 1
    assert f"{EDITION}: 1 message may or may not have arrived" in outcome.stdout
    assert f"ketapress outbox resolve {EDITION}" in outcome.stdout
    document = ketapress(folder_in_doubt, "status", "--at", AT, "--json")
    assert document.result["doubtful"] == [{"edition": EDITION, "messages": 1}]
    assert [problem["code"] for problem in document.document["problems"]] == ["send.in-doubt"]
    ketapress(folder_in_doubt, "outbox", "resolve", EDITION, "--sent")
    assert ketapress(folder_in_doubt, "status", "--at", AT).exit_code == 0


def test_a_person_says_that_it_arrived(folder_in_doubt: Path, relay: ScriptedRelay) -> None:
    options = ("reader1@example.net", "--sent", "--evidence", "queued as 4F2")
    assert (
        ketapress(folder_in_doubt, "outbox", "resolve", EDITION, *options, "--json").result["resolved"] == 1
    )
    result = ketapress(folder_in_doubt, "outbox", "show", EDITION, "--deliveries", "--json").result
    assert [delivery["reply"] for delivery in result["deliveries"] if "operator" in delivery["reply"]] == [
        result["deliveries"][1]["reply"]
    ]
    assert result["deliveries"][1]["reply"].endswith("says that it arrived: queued as 4F2")
    assert ketapress(folder_in_doubt, "send", "--at", AT, "--json").result["editions"][0]["state"] == "done"
    assert len(relay.messages) == 2 + sum(
        message.recipient == "reader1@example.net" for message in relay.messages
    )


def test_a_person_says_that_it_is_to_be_sent_again(folder_in_doubt: Path, relay: ScriptedRelay) -> None:
    relay._script.clear()
    resolve_outcome = ketapress(folder_in_doubt, "outbox", "resolve", EDITION, "--resend", "--at", AT)
    assert (
        resolve_outcome.stdout == "Queued 1 message: the next `ketapress send` sends the same bytes again.\n"
    )
    outcome = ketapress(folder_in_doubt, "send", "--at", AT, "--json")
    assert outcome.result["editions"][0]["sent"] == 3


def test_nothing_is_said_about_somebody_who_is_not_in_doubt(folder_in_doubt: Path) -> None:
    outcome = ketapress(
        folder_in_doubt, "outbox", "resolve", EDITION, "reader0@example.net", "--sent", "--json"
    )
    assert outcome.exit_code == 2
    assert [problem["code"] for problem in outcome.document["problems"]] == ["delivery.certain"]


def test_nothing_of_a_cancelled_edition_is_sent_again(folder_in_doubt: Path) -> None:
    ketapress(folder_in_doubt, "outbox", "cancel", EDITION, "--at", AT)
    assert ketapress(folder_in_doubt, "outbox", "resolve", EDITION, "--resend").exit_code == 1
    assert ketapress(folder_in_doubt, "outbox", "resolve", EDITION, "--sent").exit_code == 0


def test_show_tells_who_got_it_who_did_not_and_why(folder_in_doubt: Path) -> None:
    text = ketapress(folder_in_doubt, "outbox", "show", EDITION, "--deliveries").stdout
    assert "reader0@example.net  sent  250" in text
    assert "reader1@example.net  in doubt" in text
    result = ketapress(folder_in_doubt, "outbox", "show", EDITION, "--state", "sent", "--json").result
    deliveries = result["deliveries"]
    assert [delivery["address"] for delivery in deliveries] == ["reader0@example.net", "reader2@example.net"]


@pytest.mark.parametrize(("policy", "text"), [("resend", "they are sent again"), ("hold", "they are held")])
def test_messages_of_a_dead_process_are_reported_by_its_successor(
    folder: Path, policy: str, text: str
) -> None:
    toml = folder / "ketapress.toml"
    toml.write_text(toml.read_text().replace('"hold"', f'"{policy}"'))
    with closing(open_store("sqlite:///ketapress.db", folder)) as store:
        edition = store.editions.list_all()[0].id
        store.deliveries.freeze(edition, "weekly", NOW)
        start_sending(store, edition, 2)
    outcome = ketapress(folder, "send", "--at", AT)
    assert "a process died while it was sending 2 messages" in outcome.stderr
    assert text in outcome.stderr
    assert "process died" not in ketapress(folder, "send", "--at", AT).stderr


def test_show_tells_when_it_is_tried_again_and_how_often_it_was(folder: Path, relay: ScriptedRelay) -> None:
    relay.script(Phase.RECIPIENT, "451 4.3.0 later", recipient="reader1@example.net")
    ketapress(folder, "send", "--at", AT)
    ketapress(folder, "send", "--at", "2023-06-12T11:00")
    text = ketapress(folder, "outbox", "show", EDITION, "--deliveries").stdout
    assert (
        "reader1@example.net  deferred  451 4.3.0 later  2 attempts  next attempt Mon 12 Jun 2023, " in text
    )


def test_show_tells_who_was_left_out(folder: Path) -> None:
    ketapress(folder, "subscribers", "remove", "reader2@example.net")
    report = ketapress(folder, "send", "--at", AT, "--json").result["editions"][0]
    assert (report["frozen"], report["left_out"]) == (2, {"left": 1})
    result = ketapress(folder, "outbox", "show", EDITION, "--json").result
    assert (result["frozen"], result["left_out"]) == (2, {"left": 1})
    assert "deliveries  2 sent; skipped: 1 left" in ketapress(folder, "outbox", "show", EDITION).stdout


def test_an_export_holds_what_people_read_and_who_got_it(folder_in_doubt: Path, tmp_path: Path) -> None:
    target = tmp_path / "taken along"
    outcome = ketapress(folder_in_doubt, "outbox", "export", EDITION, "--to", str(target), "--json")
    assert outcome.result["files"] == sorted(path.name for path in target.iterdir())
    assert (target / "message.eml").read_bytes() == (
        folder_in_doubt / "outbox" / EDITION / "message.eml"
    ).read_bytes()
    rows = (target / "deliveries.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows] == [
        ['"address"', '"state"'],
        ['"reader0@example.net"', '"sent"'],
        ['"reader1@example.net"', '"in doubt"'],
        ['"reader2@example.net"', '"sent"'],
    ]
    again = ketapress(folder_in_doubt, "outbox", "export", EDITION, "--to", str(target), "--json")
    assert [problem["code"] for problem in again.document["problems"]] == ["export.exists"]


def test_an_edition_of_another_machine_is_exported_from_the_store(folder: Path, tmp_path: Path) -> None:
    message = (folder / "outbox" / EDITION / "message.eml").read_bytes()
    (folder / "outbox").rename(folder / "elsewhere")
    ketapress(folder, "outbox", "export", EDITION, "--to", str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "message.eml").read_bytes() == message
