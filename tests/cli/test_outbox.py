"""What a person does with an edition that waits: mends it, and says what became of messages in doubt."""

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
    with ScriptedRelay() as running:
        yield running


@pytest.fixture
def press(publication: Path, relay: ScriptedRelay) -> Path:
    """A publication with an edition of two posts that is ready, and three readers."""
    toml = publication / "ketapress.toml"
    extra = 'connections = 1\nin_doubt = "hold"\n'
    toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\n{extra}')
    (publication / "posts" / "2023-06-08-second.md").write_text("---\ntitle: Teh second\n---\nWords.\n")
    ketapress(publication, "subscribers", "add", *(f"reader{number}@example.net" for number in range(3)))
    ketapress(publication, "publish", "--at", AT)
    return publication


def mend(press: Path, header: str) -> None:
    (press / "posts" / "2023-06-08-second.md").write_text(f"---\n{header}\n---\nWords.\n")


def sent_text(relay: ScriptedRelay) -> str:
    return str(message_from_bytes(relay.messages[0].message, policy=policy.default))


def test_a_mended_post_goes_out_as_it_was_mended(press: Path, relay: ScriptedRelay) -> None:
    mend(press, "title: The second")
    outcome = ketapress(press, "outbox", "refresh", EDITION, "--at", AT, "--json")
    assert (outcome.exit_code, outcome.result["state"]) == (0, "ready")
    assert "The second" in (press / "outbox" / EDITION / "digest.txt").read_text()
    ketapress(press, "send", "--at", AT)
    assert "Teh second" not in sent_text(relay)
    assert len(relay.messages) == 3


def test_a_dry_run_shows_and_changes_nothing(press: Path) -> None:
    mend(press, "title: The second")
    outcome = ketapress(press, "outbox", "refresh", EDITION, "--at", AT, "--dry-run")
    assert "it would be ready" in outcome.stdout
    assert "Teh second" in (press / "outbox" / EDITION / "digest.txt").read_text()
    with open_store("sqlite:///ketapress.db", press) as store:
        edition = store.editions.get("weekly", "2023-06-12T0800")
        assert edition
        assert any(b"Teh second" in part for part in store.editions.get_message_template(edition.id).segments)


def test_a_post_that_became_a_draft_leaves_the_edition_and_is_free_again(press: Path) -> None:
    mend(press, "title: Teh second\ndraft: true")
    outcome = ketapress(press, "outbox", "refresh", EDITION, "--at", AT, "--json")
    assert len(outcome.result["posts"]) == 1
    assert "second" not in (press / "outbox" / EDITION / "digest.txt").read_text()
    assert len(ketapress(press, "outbox", "show", EDITION, "--json").result["posts"]) == 1


def test_an_edition_with_no_post_left_is_not_emptied(press: Path) -> None:
    for post in (press / "posts").glob("2023*"):
        post.rename(press / post.name)
    outcome = ketapress(press, "outbox", "refresh", EDITION, "--at", AT, "--json")
    assert [each["code"] for each in outcome.document["problems"]] == ["edition.empty"]
    assert ketapress(press, "outbox", "show", EDITION, "--json").result["state"] == "ready"


def test_what_a_person_held_stays_held(press: Path) -> None:
    ketapress(press, "outbox", "hold", EDITION, "--at", AT)
    outcome = ketapress(press, "outbox", "refresh", EDITION, "--at", AT, "--json")
    assert (outcome.exit_code, outcome.result["state"]) == (1, "held")
    assert ketapress(press, "outbox", "show", EDITION, "--json").result["why"] == "a person held it"


def test_a_file_changed_by_hand_no_longer_holds_an_edition_that_was_refreshed(press: Path) -> None:
    (press / "outbox" / EDITION / "digest.html").write_text("<p>edited</p>")
    assert ketapress(press, "send", "--at", AT).exit_code == 1
    assert ketapress(press, "outbox", "refresh", EDITION, "--at", AT).exit_code == 0
    assert ketapress(press, "send", "--at", AT).exit_code == 0


def test_what_went_out_is_not_refreshed(press: Path) -> None:
    ketapress(press, "send", "--at", AT)
    outcome = ketapress(press, "outbox", "refresh", EDITION, "--at", AT, "--json")
    assert [each["code"] for each in outcome.document["problems"]] == ["edition.refresh"]


@pytest.fixture
def doubtful(press: Path, relay: ScriptedRelay) -> Path:
    """The relay took one message, and its answer was lost."""
    relay.script(Phase.END_OF_DATA, hang_up, recipient="reader1@example.net")
    ketapress(press, "send", "--at", AT)
    return press


def test_what_is_in_doubt_is_listed_with_what_to_look_for(doubtful: Path) -> None:
    outcome = ketapress(doubtful, "outbox", "resolve", EDITION, "--json")
    assert outcome.exit_code == 1
    (row,) = outcome.result["in_doubt"]
    assert row["address"] == "reader1@example.net"
    assert row["message_id"].endswith("@example.org>")
    assert row["dated"] == "2023-06-12T09:00:00+00:00"
    assert "relay's log" in ketapress(doubtful, "outbox", "resolve", EDITION).stdout


def test_status_names_what_is_in_doubt_until_a_person_says_what_became_of_it(doubtful: Path) -> None:
    screen = ketapress(doubtful, "status", "--at", AT)
    assert screen.exit_code == 1
    assert f"{EDITION}: 1 message may or may not have arrived" in screen.stdout
    assert f"ketapress outbox resolve {EDITION}" in screen.stdout
    found = ketapress(doubtful, "status", "--at", AT, "--json")
    assert found.result["doubtful"] == [{"edition": EDITION, "messages": 1}]
    assert [each["code"] for each in found.document["problems"]] == ["send.in-doubt"]
    ketapress(doubtful, "outbox", "resolve", EDITION, "--sent")
    assert ketapress(doubtful, "status", "--at", AT).exit_code == 0


def test_a_person_says_that_it_arrived(doubtful: Path, relay: ScriptedRelay) -> None:
    words = ("reader1@example.net", "--sent", "--evidence", "queued as 4F2")
    assert ketapress(doubtful, "outbox", "resolve", EDITION, *words, "--json").result["resolved"] == 1
    shown = ketapress(doubtful, "outbox", "show", EDITION, "--deliveries", "--json").result
    assert [each["reply"] for each in shown["deliveries"] if "operator" in each["reply"]] == [
        shown["deliveries"][1]["reply"]
    ]
    assert shown["deliveries"][1]["reply"].endswith("says that it arrived: queued as 4F2")
    assert ketapress(doubtful, "send", "--at", AT, "--json").result["editions"][0]["state"] == "done"
    assert len(relay.messages) == 2 + sum(each.recipient == "reader1@example.net" for each in relay.messages)


def test_a_person_says_that_it_is_to_be_sent_again(doubtful: Path, relay: ScriptedRelay) -> None:
    relay._script.clear()
    said = ketapress(doubtful, "outbox", "resolve", EDITION, "--resend", "--at", AT)
    assert said.stdout == "1 delivery is to go out again with the next `ketapress send`.\n"
    outcome = ketapress(doubtful, "send", "--at", AT, "--json")
    assert outcome.result["editions"][0]["sent"] == 3


def test_nothing_is_said_about_somebody_who_is_not_in_doubt(doubtful: Path) -> None:
    outcome = ketapress(doubtful, "outbox", "resolve", EDITION, "reader0@example.net", "--sent", "--json")
    assert outcome.exit_code == 2
    assert [each["code"] for each in outcome.document["problems"]] == ["delivery.certain"]


def test_nothing_of_a_cancelled_edition_is_sent_again(doubtful: Path) -> None:
    ketapress(doubtful, "outbox", "cancel", EDITION, "--at", AT)
    assert ketapress(doubtful, "outbox", "resolve", EDITION, "--resend").exit_code == 1
    assert ketapress(doubtful, "outbox", "resolve", EDITION, "--sent").exit_code == 0


def test_show_tells_who_got_it_who_did_not_and_why(doubtful: Path) -> None:
    text = ketapress(doubtful, "outbox", "show", EDITION, "--deliveries").stdout
    assert "reader0@example.net  sent  250" in text
    assert "reader1@example.net  in doubt" in text
    only = ketapress(doubtful, "outbox", "show", EDITION, "--state", "sent", "--json").result["deliveries"]
    assert [each["address"] for each in only] == ["reader0@example.net", "reader2@example.net"]


@pytest.mark.parametrize(("policy", "words"), [("resend", "goes out again"), ("hold", "waits for your word")])
def test_what_a_dead_process_was_sending_is_told_by_who_takes_over(
    press: Path, policy: str, words: str
) -> None:
    toml = press / "ketapress.toml"
    toml.write_text(toml.read_text().replace('"hold"', f'"{policy}"'))
    with closing(open_store("sqlite:///ketapress.db", press)) as store:
        edition = store.editions.list_all()[0].id
        store.deliveries.freeze(edition, "weekly", NOW)
        start_sending(store, edition, 2)
    outcome = ketapress(press, "send", "--at", AT)
    assert "a process died while it was sending 2 messages" in outcome.stderr
    assert words in outcome.stderr
    assert "process died" not in ketapress(press, "send", "--at", AT).stderr


def test_show_tells_when_it_is_tried_again_and_how_often_it_was(press: Path, relay: ScriptedRelay) -> None:
    relay.script(Phase.RECIPIENT, "451 4.3.0 later", recipient="reader1@example.net")
    ketapress(press, "send", "--at", AT)
    ketapress(press, "send", "--at", "2023-06-12T11:00")
    text = ketapress(press, "outbox", "show", EDITION, "--deliveries").stdout
    assert "reader1@example.net  deferred  451 4.3.0 later  2 tries  again at Mon 12 Jun 2023, " in text


def test_show_tells_who_was_left_out(press: Path) -> None:
    ketapress(press, "subscribers", "remove", "reader2@example.net")
    sent = ketapress(press, "send", "--at", AT, "--json").result["editions"][0]
    assert (sent["frozen"], sent["left_out"]) == (2, {"left": 1})
    shown = ketapress(press, "outbox", "show", EDITION, "--json").result
    assert (shown["frozen"], shown["left_out"]) == (2, {"left": 1})
    assert "deliveries  2 sent; not for 1 left" in ketapress(press, "outbox", "show", EDITION).stdout


def test_an_export_holds_what_people_read_and_who_got_it(doubtful: Path, tmp_path: Path) -> None:
    place = tmp_path / "taken along"
    outcome = ketapress(doubtful, "outbox", "export", EDITION, "--to", str(place), "--json")
    assert outcome.result["files"] == sorted(each.name for each in place.iterdir())
    assert (place / "message.eml").read_bytes() == (
        doubtful / "outbox" / EDITION / "message.eml"
    ).read_bytes()
    rows = (place / "deliveries.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows] == [
        ['"address"', '"state"'],
        ['"reader0@example.net"', '"sent"'],
        ['"reader1@example.net"', '"in doubt"'],
        ['"reader2@example.net"', '"sent"'],
    ]
    again = ketapress(doubtful, "outbox", "export", EDITION, "--to", str(place), "--json")
    assert [each["code"] for each in again.document["problems"]] == ["export.exists"]


def test_an_edition_of_another_machine_is_exported_from_the_store(press: Path, tmp_path: Path) -> None:
    made = (press / "outbox" / EDITION / "message.eml").read_bytes()
    (press / "outbox").rename(press / "elsewhere")
    ketapress(press, "outbox", "export", EDITION, "--to", str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "message.eml").read_bytes() == made
