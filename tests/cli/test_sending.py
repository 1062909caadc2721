"""A CSV of fifty subscribers, five of them invalid: each of the others gets the edition once."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ketapress.model.delivery import Phase
from ketapress.testing import Received, ScriptedRelay
from support.cli_runner import ketapress

AT = "2023-06-12T09:00"
BROKEN = {7: "no-at-sign", 13: "two@@example.org", 21: "", 34: "a@b@c", 48: "jürgen@example.org"}


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as running:
        yield running


@pytest.fixture
def folder(publication: Path, relay: ScriptedRelay) -> Path:
    """A publication with a ready edition, a CSV with 45 valid lines, and a relay."""
    toml = publication / "ketapress.toml"
    toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\n')
    addresses = [BROKEN.get(line, f"reader{line}@example.net") for line in range(2, 52)]
    rows = [f'"{address}",Reader {line}' for line, address in enumerate(addresses, 2)]
    (publication / "subscribers.csv").write_text("\n".join(["address,name", *rows]) + "\n")
    ketapress(publication, "publish", "--at", AT)
    return publication


def import_subscribers(folder: Path) -> dict[str, object]:
    return ketapress(folder, "subscribers", "import", str(folder / "subscribers.csv"), "--json").result


def parse_message(delivery: Received) -> EmailMessage:
    message = message_from_bytes(delivery.message, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part_text(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body
    content = body.get_content()
    assert isinstance(content, str)
    return content


def test_the_five_broken_lines_are_named(folder: Path) -> None:
    report = import_subscribers(folder)
    assert report["added"] == 45
    refused = report["refused"]
    assert isinstance(refused, list)
    assert {row["line"] for row in refused} == set(BROKEN)
    assert all(row["why"] for row in refused)


def test_forty_five_messages_reach_the_relay_each_once(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    outcome = ketapress(folder, "send", "--at", AT, "--json")
    assert outcome.exit_code == 0, outcome.stderr
    (edition,) = outcome.result["editions"]
    assert (edition["state"], edition["frozen"], edition["sent"]) == ("done", 45, 45)
    recipients = [message.recipient for message in relay.messages]
    assert len(recipients) == len(set(recipients)) == 45
    assert {parse_message(message)["To"].addresses[0].addr_spec for message in relay.messages} == set(
        recipients
    )


def test_each_has_its_own_links_and_the_same_text_and_html(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    ketapress(folder, "send", "--at", AT)
    links, texts, pages = set(), set(), set()
    for delivery in relay.messages:
        message = parse_message(delivery)
        urls = re.findall(r"<(https?:[^>]+)>", message["List-Unsubscribe"])
        assert len(urls) == 1
        links.add(urls[0])
        assert urls[0] in part_text(message, "plain")
        assert urls[0] in part_text(message, "html")
        texts.add(common_text(part_text(message, "plain"), delivery.recipient))
        pages.add(common_text(part_text(message, "html"), delivery.recipient))
    assert (len(links), len(texts), len(pages)) == (45, 1, 1)


def test_send_again_sends_nothing(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    ketapress(folder, "send", "--at", AT)
    again = ketapress(folder, "send", "--at", AT, "--json")
    assert again.exit_code == 0
    assert again.result["editions"] == []
    assert len(relay.messages) == 45


def test_importing_again_adds_nobody_twice(folder: Path) -> None:
    import_subscribers(folder)
    assert import_subscribers(folder)["unchanged"] == 45


def test_a_refused_recipient_costs_nobody_else(folder: Path, relay: ScriptedRelay) -> None:
    relay.script(Phase.RECIPIENT, "550 5.1.1 no such user", recipient="reader3@example.net")
    import_subscribers(folder)
    outcome = ketapress(folder, "send", "--at", AT, "--json")
    assert outcome.exit_code == 1
    (edition,) = outcome.result["editions"]
    assert (edition["sent"], edition["failed"]) == (44, 1)
    result = ketapress(folder, "outbox", "show", "weekly/2023-06-12T0800", "--deliveries", "--json").result
    (failed,) = [delivery for delivery in result["deliveries"] if delivery["state"] == "failed"]
    assert failed["address"] == "reader3@example.net"
    assert "no such user" in failed["reply"]


def test_the_message_id_that_is_shown_is_the_one_that_was_sent(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    ketapress(folder, "send", "--at", AT)
    result = ketapress(folder, "outbox", "show", "weekly/2023-06-12T0800", "--deliveries", "--json").result
    message_ids = {delivery["address"]: delivery["message_id"] for delivery in result["deliveries"]}
    assert message_ids == {
        message.recipient: parse_message(message)["Message-ID"] for message in relay.messages
    }


def test_who_left_before_the_send_gets_nothing(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    assert ketapress(folder, "subscribers", "remove", "reader2@example.net").exit_code == 0
    ketapress(folder, "send", "--at", AT)
    assert "reader2@example.net" not in {message.recipient for message in relay.messages}
    again = import_subscribers(folder)
    assert again["added"] == 0


def test_a_relay_that_is_down_loses_nobody(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    toml = folder / "ketapress.toml"
    text = toml.read_text()
    toml.write_text(text.replace(str(relay.url), "smtp://127.0.0.1:1"))
    outcome = ketapress(folder, "send", "--at", AT)
    assert outcome.exit_code == 1
    assert "127.0.0.1:1" in outcome.stderr
    toml.write_text(text)
    ketapress(folder, "send", "--at", AT)
    assert len(relay.messages) == 45


def test_an_outbox_file_changed_by_hand_holds_the_edition(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    page = folder / "outbox" / "weekly" / "2023-06-12T0800" / "digest.html"
    page.write_text(page.read_text().replace("Ketamine", "Something else"))
    outcome = ketapress(folder, "send", "--at", AT)
    assert outcome.exit_code == 1
    assert "digest.html" in outcome.stdout + outcome.stderr
    assert relay.messages == []
    assert ketapress(folder, "outbox", "show", "weekly/2023-06-12T0800", "--json").result["state"] == "held"


def test_a_held_edition_goes_out_when_a_person_releases_it(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    assert ketapress(folder, "outbox", "hold", "weekly/2023-06-12T0800").exit_code == 0
    ketapress(folder, "send", "--at", AT)
    assert relay.messages == []
    assert ketapress(folder, "outbox", "release", "weekly/2023-06-12T0800").exit_code == 0
    ketapress(folder, "send", "--at", AT)
    assert len(relay.messages) == 45


def test_a_late_edition_is_held_until_released_and_then_goes(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    late = ketapress(folder, "send", "--at", "2023-07-01T09:00")
    assert late.exit_code == 1
    assert relay.messages == []
    ketapress(folder, "outbox", "release", "weekly/2023-06-12T0800", "--at", "2023-07-01T09:00")
    ketapress(folder, "send", "--at", "2023-07-01T09:05")
    assert len(relay.messages) == 45


def test_a_cancelled_edition_gives_its_posts_back(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    assert ketapress(folder, "outbox", "cancel", "weekly/2023-06-12T0800").exit_code == 0
    ketapress(folder, "send", "--at", AT)
    assert relay.messages == []
    again = ketapress(folder, "publish", "--at", "2023-06-19T09:00", "--json")
    assert [len(edition["posts"]) for edition in again.result["editions"]] == [1]


def test_another_time_is_refused_for_a_relay_elsewhere(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[relay]\nurl = "smtp://relay.example.org"\n')
    outcome = ketapress(publication, "send", "--at", AT)
    assert outcome.exit_code == 2
    assert "--at" in outcome.stderr


def test_a_relay_elsewhere_needs_links_that_work(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[relay]\nurl = "smtp://relay.example.org"\n')
    outcome = ketapress(publication, "send")
    assert outcome.exit_code == 78
    assert "web.url" in outcome.stderr


def test_a_dry_run_says_how_many_would_get_it(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    outcome = ketapress(folder, "send", "--at", AT, "--dry-run", "--json")
    assert outcome.result["editions"] == [
        {"edition": "weekly/2023-06-12T0800", "state": "ready", "active": 45, "left": None}
    ]
    assert relay.messages == []


def test_a_dry_run_of_an_edition_that_is_under_way_counts_what_is_left(
    folder: Path, relay: ScriptedRelay
) -> None:
    import_subscribers(folder)
    for line in (2, 3):
        relay.script(Phase.RECIPIENT, "451 later", recipient=f"reader{line}@example.net")
    ketapress(folder, "send", "--at", AT)
    outcome = ketapress(folder, "send", "--at", AT, "--dry-run")
    assert outcome.stdout == "weekly/2023-06-12T0800 (sending) would continue: 2 messages left.\n"


def test_a_test_message_goes_to_one_address_and_is_not_recorded(folder: Path, relay: ScriptedRelay) -> None:
    (folder / "posts" / "2023-06-13-next.md").write_text("---\ntitle: Next\n---\nFor the next one.\n")
    import_subscribers(folder)
    ketapress(folder, "send", "--at", AT)
    outcome = ketapress(
        folder, "send-test", "weekly", "editor@example.org", "--at", "2023-06-14T09:00", "--json"
    )
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.result["edition"] == "weekly/2023-06-19T0800"
    message = relay.messages[-1]
    assert (message.recipient, parse_message(message)["Subject"]) == ("editor@example.org", "Next")
    assert (
        ketapress(folder, "outbox", "list", "--json").result["editions"][0]["edition"]
        == "weekly/2023-06-12T0800"
    )


def test_history_tells_consent_and_mail(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    ketapress(folder, "send", "--at", AT)
    events = ketapress(folder, "subscribers", "history", "reader2@example.net", "--json").result["events"]
    assert {event["what"] for event in events} == {"added", "sent"}


def test_the_export_can_be_imported_again(folder: Path) -> None:
    import_subscribers(folder)
    outcome = ketapress(folder, "subscribers", "export")
    (folder / "again.csv").write_text(outcome.stdout)
    report = ketapress(folder, "subscribers", "import", str(folder / "again.csv"), "--json").result
    assert (report["unchanged"], report["refused"]) == (45, [])


def common_text(text: str, address: str) -> str:
    """Return a text without the recipient's address and links, with one space for all white space."""
    text = re.sub(r"https?://[^/]+/(?:unsubscribe|preferences)/[\w-]+", "·", text.replace(address, "·"))
    return re.sub(r"\s+", " ", text)


def test_an_edition_that_waits_is_the_one_to_test(folder: Path, relay: ScriptedRelay) -> None:
    outcome = ketapress(folder, "send-test", "weekly", "editor@example.org", "--at", AT, "--json")
    assert outcome.result["edition"] == "weekly/2023-06-12T0800"
    assert len(relay.messages) == 1


def test_a_changed_edition_that_a_person_releases_goes_out_as_composed(
    folder: Path, relay: ScriptedRelay
) -> None:
    import_subscribers(folder)
    page = folder / "outbox" / "weekly" / "2023-06-12T0800" / "digest.html"
    page.write_text(page.read_text() + " ")
    assert ketapress(folder, "send", "--at", AT).exit_code == 1
    assert ketapress(folder, "send", "--at", AT).exit_code == 1
    ketapress(folder, "outbox", "release", "weekly/2023-06-12T0800", "--at", AT)
    assert ketapress(folder, "send", "--at", AT).exit_code == 0
    assert len(relay.messages) == 45


def enable_dkim(folder: Path) -> Path:
    toml = folder / "ketapress.toml"
    toml.write_text(
        toml.read_text() + 'dkim = { domain = "example.org", selector = "s", key_file = "k.pem" }\n'
    )
    return folder / "k.pem"


def test_mail_that_should_be_signed_does_not_go_unsigned(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    file = enable_dkim(folder)
    missing = ketapress(folder, "send", "--at", AT)
    file.write_text("no key")
    broken = ketapress(folder, "send", "--at", AT)
    assert (missing.exit_code, broken.exit_code) == (78, 78)
    assert "k.pem: `relay.dkim.key_file` cannot be used: No such file or directory" in missing.stderr
    assert "it is not a private key in PEM format" in broken.stderr
    assert relay.messages == []


def test_mail_is_signed_where_the_settings_say_so(folder: Path, relay: ScriptedRelay) -> None:
    import_subscribers(folder)
    enable_dkim(folder).write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    assert ketapress(folder, "send-test", "weekly", "ann@example.net", "--at", AT).exit_code == 0
    assert ketapress(folder, "send", "--at", AT).exit_code == 0
    assert len(relay.messages) == 46
    assert all(message.message.startswith(b"DKIM-Signature: ") for message in relay.messages)


def test_an_edition_whose_newsletter_is_gone_can_still_be_shown(folder: Path) -> None:
    toml = folder / "ketapress.toml"
    toml.write_text(toml.read_text().replace("newsletters.weekly", "newsletters.daily"))
    outcome = ketapress(folder, "outbox", "show", "weekly/2023-06-12T0800", "--deliveries", "--json")
    assert outcome.exit_code == 0
