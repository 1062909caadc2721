"""Fifty subscribers in a CSV, five of its lines broken: each of the others gets the edition, once."""

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
def ready(publication: Path, relay: ScriptedRelay) -> Path:
    """A publication with an edition that is ready, 45 subscribers, and a relay that listens."""
    toml = publication / "ketapress.toml"
    toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\n')
    addresses = [BROKEN.get(line, f"reader{line}@example.net") for line in range(2, 52)]
    rows = [f'"{address}",Reader {line}' for line, address in enumerate(addresses, 2)]
    (publication / "people.csv").write_text("\n".join(["address,name", *rows]) + "\n")
    ketapress(publication, "publish", "--at", AT)
    return publication


def import_people(folder: Path) -> dict[str, object]:
    return ketapress(folder, "subscribers", "import", str(folder / "people.csv"), "--json").result


def parsed(received: Received) -> EmailMessage:
    message = message_from_bytes(received.message, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body
    content = body.get_content()
    assert isinstance(content, str)
    return content


def test_the_five_broken_lines_are_named(ready: Path) -> None:
    report = import_people(ready)
    assert report["added"] == 45
    refused = report["refused"]
    assert isinstance(refused, list)
    assert {each["line"] for each in refused} == set(BROKEN)
    assert all(each["why"] for each in refused)


def test_forty_five_messages_reach_the_relay_each_once(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    outcome = ketapress(ready, "send", "--at", AT, "--json")
    assert outcome.exit_code == 0, outcome.stderr
    (edition,) = outcome.result["editions"]
    assert (edition["state"], edition["frozen"], edition["sent"]) == ("done", 45, 45)
    recipients = [each.recipient for each in relay.messages]
    assert len(recipients) == len(set(recipients)) == 45
    assert {parsed(each)["To"].addresses[0].addr_spec for each in relay.messages} == set(recipients)


def test_each_has_its_own_links_and_the_same_text_and_html(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    ketapress(ready, "send", "--at", AT)
    links, texts, pages = set(), set(), set()
    for each in relay.messages:
        message = parsed(each)
        found = re.findall(r"<(https?:[^>]+)>", message["List-Unsubscribe"])
        assert len(found) == 1
        links.add(found[0])
        assert found[0] in part(message, "plain")
        assert found[0] in part(message, "html")
        texts.add(_shared(part(message, "plain"), each.recipient))
        pages.add(_shared(part(message, "html"), each.recipient))
    assert (len(links), len(texts), len(pages)) == (45, 1, 1)


def test_send_again_sends_nothing(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    ketapress(ready, "send", "--at", AT)
    again = ketapress(ready, "send", "--at", AT, "--json")
    assert again.exit_code == 0
    assert again.result["editions"] == []
    assert len(relay.messages) == 45


def test_importing_again_adds_nobody_twice(ready: Path) -> None:
    import_people(ready)
    assert import_people(ready)["unchanged"] == 45


def test_a_refused_recipient_costs_nobody_else(ready: Path, relay: ScriptedRelay) -> None:
    relay.script(Phase.RECIPIENT, "550 5.1.1 no such user", recipient="reader3@example.net")
    import_people(ready)
    outcome = ketapress(ready, "send", "--at", AT, "--json")
    assert outcome.exit_code == 1
    (edition,) = outcome.result["editions"]
    assert (edition["sent"], edition["failed"]) == (44, 1)
    shown = ketapress(ready, "outbox", "show", "weekly/2023-06-12T0800", "--deliveries", "--json").result
    (failed,) = [each for each in shown["deliveries"] if each["state"] == "failed"]
    assert failed["address"] == "reader3@example.net"
    assert "no such user" in failed["reply"]


def test_the_message_id_that_is_shown_is_the_one_that_was_sent(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    ketapress(ready, "send", "--at", AT)
    shown = ketapress(ready, "outbox", "show", "weekly/2023-06-12T0800", "--deliveries", "--json").result
    told = {each["address"]: each["message_id"] for each in shown["deliveries"]}
    assert told == {each.recipient: parsed(each)["Message-ID"] for each in relay.messages}


def test_who_left_before_the_send_gets_nothing(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    assert ketapress(ready, "subscribers", "remove", "reader2@example.net").exit_code == 0
    ketapress(ready, "send", "--at", AT)
    assert "reader2@example.net" not in {each.recipient for each in relay.messages}
    again = import_people(ready)
    assert again["added"] == 0


def test_a_relay_that_is_down_loses_nobody(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    toml = ready / "ketapress.toml"
    good = toml.read_text()
    toml.write_text(good.replace(str(relay.url), "smtp://127.0.0.1:1"))
    outcome = ketapress(ready, "send", "--at", AT)
    assert outcome.exit_code == 1
    assert "127.0.0.1:1" in outcome.stderr
    toml.write_text(good)
    ketapress(ready, "send", "--at", AT)
    assert len(relay.messages) == 45


def test_an_outbox_file_changed_by_hand_holds_the_edition(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    page = ready / "outbox" / "weekly" / "2023-06-12T0800" / "digest.html"
    page.write_text(page.read_text().replace("Ketamine", "Something else"))
    outcome = ketapress(ready, "send", "--at", AT)
    assert outcome.exit_code == 1
    assert "digest.html" in outcome.stdout + outcome.stderr
    assert relay.messages == []
    assert ketapress(ready, "outbox", "show", "weekly/2023-06-12T0800", "--json").result["state"] == "held"


def test_a_held_edition_goes_out_when_a_person_releases_it(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    assert ketapress(ready, "outbox", "hold", "weekly/2023-06-12T0800").exit_code == 0
    ketapress(ready, "send", "--at", AT)
    assert relay.messages == []
    assert ketapress(ready, "outbox", "release", "weekly/2023-06-12T0800").exit_code == 0
    ketapress(ready, "send", "--at", AT)
    assert len(relay.messages) == 45


def test_a_late_edition_is_held_until_released_and_then_goes(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    late = ketapress(ready, "send", "--at", "2023-07-01T09:00")
    assert late.exit_code == 1
    assert relay.messages == []
    ketapress(ready, "outbox", "release", "weekly/2023-06-12T0800", "--at", "2023-07-01T09:00")
    ketapress(ready, "send", "--at", "2023-07-01T09:05")
    assert len(relay.messages) == 45


def test_a_cancelled_edition_gives_its_posts_back(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    assert ketapress(ready, "outbox", "cancel", "weekly/2023-06-12T0800").exit_code == 0
    ketapress(ready, "send", "--at", AT)
    assert relay.messages == []
    again = ketapress(ready, "publish", "--at", "2023-06-19T09:00", "--json")
    assert [len(each["posts"]) for each in again.result["editions"]] == [1]


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


def test_a_dry_run_says_how_many_would_get_it(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    outcome = ketapress(ready, "send", "--at", AT, "--dry-run", "--json")
    assert outcome.result["editions"] == [
        {"edition": "weekly/2023-06-12T0800", "state": "ready", "active": 45, "left": None}
    ]
    assert relay.messages == []


def test_a_dry_run_of_an_edition_that_is_under_way_counts_what_is_left(
    ready: Path, relay: ScriptedRelay
) -> None:
    import_people(ready)
    for line in (2, 3):
        relay.script(Phase.RECIPIENT, "451 later", recipient=f"reader{line}@example.net")
    ketapress(ready, "send", "--at", AT)
    outcome = ketapress(ready, "send", "--at", AT, "--dry-run")
    assert outcome.stdout == "weekly/2023-06-12T0800 (sending) would go on: 2 deliveries are not over.\n"


def test_a_test_message_goes_to_one_address_and_is_not_recorded(ready: Path, relay: ScriptedRelay) -> None:
    (ready / "posts" / "2023-06-13-next.md").write_text("---\ntitle: Next\n---\nFor the next one.\n")
    import_people(ready)
    ketapress(ready, "send", "--at", AT)
    outcome = ketapress(
        ready, "send-test", "weekly", "editor@example.org", "--at", "2023-06-14T09:00", "--json"
    )
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.result["edition"] == "weekly/2023-06-19T0800"
    message = relay.messages[-1]
    assert (message.recipient, parsed(message)["Subject"]) == ("editor@example.org", "Next")
    assert (
        ketapress(ready, "outbox", "list", "--json").result["editions"][0]["edition"]
        == "weekly/2023-06-12T0800"
    )


def test_history_tells_consent_and_mail(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    ketapress(ready, "send", "--at", AT)
    events = ketapress(ready, "subscribers", "history", "reader2@example.net", "--json").result["events"]
    assert {each["what"] for each in events} == {"added", "sent"}


def test_the_export_can_be_imported_again(ready: Path) -> None:
    import_people(ready)
    outcome = ketapress(ready, "subscribers", "export")
    (ready / "again.csv").write_text(outcome.stdout)
    report = ketapress(ready, "subscribers", "import", str(ready / "again.csv"), "--json").result
    assert (report["unchanged"], report["refused"]) == (45, [])


def _shared(text: str, address: str) -> str:
    """What everybody gets: without one's own address and links, however lines are broken around them."""
    text = re.sub(r"https?://[^/]+/(?:unsubscribe|preferences)/[\w-]+", "·", text.replace(address, "·"))
    return re.sub(r"\s+", " ", text)


def test_an_edition_that_waits_is_the_one_to_test(ready: Path, relay: ScriptedRelay) -> None:
    outcome = ketapress(ready, "send-test", "weekly", "editor@example.org", "--at", AT, "--json")
    assert outcome.result["edition"] == "weekly/2023-06-12T0800"
    assert len(relay.messages) == 1


def test_a_changed_edition_that_a_person_releases_goes_out_as_composed(
    ready: Path, relay: ScriptedRelay
) -> None:
    import_people(ready)
    page = ready / "outbox" / "weekly" / "2023-06-12T0800" / "digest.html"
    page.write_text(page.read_text() + " ")
    assert ketapress(ready, "send", "--at", AT).exit_code == 1
    assert ketapress(ready, "send", "--at", AT).exit_code == 1
    ketapress(ready, "outbox", "release", "weekly/2023-06-12T0800", "--at", AT)
    assert ketapress(ready, "send", "--at", AT).exit_code == 0
    assert len(relay.messages) == 45


def with_dkim(root: Path) -> Path:
    toml = root / "ketapress.toml"
    toml.write_text(
        toml.read_text() + 'dkim = { domain = "example.org", selector = "s", key_file = "k.pem" }\n'
    )
    return root / "k.pem"


def test_mail_that_should_be_signed_does_not_go_unsigned(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    file = with_dkim(ready)
    missing = ketapress(ready, "send", "--at", AT)
    file.write_text("no key")
    broken = ketapress(ready, "send", "--at", AT)
    assert (missing.exit_code, broken.exit_code) == (78, 78)
    assert "k.pem: `relay.dkim.key_file` cannot be used: No such file or directory" in missing.stderr
    assert "it is no private key in PEM" in broken.stderr
    assert relay.messages == []


def test_mail_is_signed_where_the_settings_say_so(ready: Path, relay: ScriptedRelay) -> None:
    import_people(ready)
    with_dkim(ready).write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    assert ketapress(ready, "send-test", "weekly", "ann@example.net", "--at", AT).exit_code == 0
    assert ketapress(ready, "send", "--at", AT).exit_code == 0
    assert len(relay.messages) == 46
    assert all(each.message.startswith(b"DKIM-Signature: ") for each in relay.messages)


def test_an_edition_whose_newsletter_is_gone_can_still_be_shown(ready: Path) -> None:
    toml = ready / "ketapress.toml"
    toml.write_text(toml.read_text().replace("newsletters.weekly", "newsletters.daily"))
    shown = ketapress(ready, "outbox", "show", "weekly/2023-06-12T0800", "--deliveries", "--json")
    assert shown.exit_code == 0
