"""A sender or a site that is reserved for examples reaches reserved addresses only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ketapress.model.reserved import is_reserved_domain
from ketapress.testing import ScriptedRelay
from support.cli_runner import ketapress

AT = "2023-06-12T09:00"
REAL = ("https://letters.acme-press.ch", "digest@letters.acme-press.ch")


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as relay:
        yield relay


def configure(publication: Path, relay: ScriptedRelay, site: str, sender: str) -> None:
    toml = publication / "ketapress.toml"
    text = toml.read_text().split("[relay]")[0]
    lines = [f'url = "{site}"' if line.startswith("url = ") else line for line in text.splitlines()]
    lines = [f'from = "W <{sender}>"' if line.startswith("from = ") else line for line in lines]
    toml.write_text("\n".join([*lines, "[relay]", f'url = "{relay.url}"', ""]))


@pytest.mark.parametrize(
    ("site", "sender"),
    [
        ("https://example.org", "digest@example.org"),
        ("https://www.example.com/letters", REAL[1]),
        (REAL[0], "digest@mail.example.net"),
        (REAL[0], "digest@letters.test"),
        ("http://localhost:8025", REAL[1]),
        ("http://127.0.0.1:8025", REAL[1]),
        ("https://a.invalid", REAL[1]),
        (REAL[0], "a@b.localhost"),
    ],
)
def test_a_real_reader_gets_nothing_from_it(
    publication: Path, relay: ScriptedRelay, site: str, sender: str
) -> None:
    configure(publication, relay, site, sender)
    ketapress(publication, "publish", "--at", AT)
    ketapress(publication, "subscribers", "add", "ann@example.org", "real.reader@gmail.com")
    check = ketapress(publication, "check", "--at", AT, "--json")
    assert check.exit_code == 1
    assert "settings.reserved" in {problem["code"] for problem in check.document["problems"]}
    send = ketapress(publication, "send", "--at", AT, "--json")
    assert send.exit_code == 1
    (problem,) = send.document["problems"]
    assert problem["code"] == "settings.reserved"
    assert "real.reader@gmail.com" in problem["message"]
    send_test = ketapress(publication, "send-test", "weekly", "me@gmail.com", "--at", AT, "--json")
    assert send_test.exit_code == 1
    assert relay.messages == []


def test_after_the_settings_are_right_it_goes_out_as_they_say(
    publication: Path, relay: ScriptedRelay
) -> None:
    """The message that was composed before has the old sender: releasing it alone is refused."""
    configure(publication, relay, "https://example.org", "digest@example.org")
    ketapress(publication, "publish", "--at", AT)
    configure(publication, relay, *REAL)
    ketapress(publication, "subscribers", "add", "real.reader@gmail.com")
    assert ketapress(publication, "send", "--at", AT).exit_code == 1
    edition = "weekly/2023-06-12T0800"
    ketapress(publication, "outbox", "release", edition, "--at", AT)
    assert ketapress(publication, "send", "--at", AT).exit_code == 1
    assert relay.messages == []
    assert ketapress(publication, "outbox", "refresh", edition, "--at", AT).exit_code == 0
    ketapress(publication, "outbox", "release", edition, "--at", AT)
    assert ketapress(publication, "send", "--at", AT).exit_code == 0
    (message,) = relay.messages
    assert b"From: W <digest@letters.acme-press.ch>" in message.message
    assert b"example.org" not in message.message.split(b"\r\n\r\n")[0]


def test_reserved_readers_get_it(publication: Path, relay: ScriptedRelay) -> None:
    configure(publication, relay, "https://example.org", "digest@example.org")
    readers = [
        "a@example.com",
        "b@mail.example.net",
        "c@x.test",
        "d@y.z.example",
        "e@localhost",
        "f@a.invalid",
    ]
    ketapress(publication, "subscribers", "add", *readers)
    ketapress(publication, "publish", "--at", AT)
    assert ketapress(publication, "send-test", "weekly", "me@example.com", "--at", AT).exit_code == 0
    assert ketapress(publication, "send", "--at", AT).exit_code == 0
    assert {message.recipient for message in relay.messages} == {*readers, "me@example.com"}


@pytest.mark.parametrize(
    "domain", ["example.org.uk", "myexample.org", "example.ch", "test.ch", "localhost.de"]
)
def test_a_domain_that_only_looks_like_one_is_real(domain: str) -> None:
    assert not is_reserved_domain(domain)
