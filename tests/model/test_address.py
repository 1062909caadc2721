"""E-mail addresses by a strict grammar: whatever other parsers rewrite, or could be injected, is refused."""

import pytest
from hypothesis import given, strategies as st

from ketapress.model.address import Mailbox, address_key, parse_address, parse_mailbox


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ann@example.org", "ann@example.org"),
        (" ann.b+tag@Example.ORG ", "ann.b+tag@example.org"),
        ("o'hara@example.org", "o'hara@example.org"),
        ("ann@exämple.org", "ann@xn--exmple-cua.org"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_what_people_have_is_taken(text: str, address: str) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "ann@",
        "@example.org",
        "ann@example",
        "ann@127.0.0.1",
        "ann@-x.org",
        "ann@x..org",
        "ann..b@x.org",
        ".ann@x.org",
        "ann b@x.org",
        "victim@x.org, evil@y.org",
        "alice@x.org)bob@y.org",
        "<b@x.org> SIZE=9",
        "a@x.org\r\nRCPT TO:<b@y.org>",
        "a\x00b@x.org",
        "jürgen@x.org",
        '"a b"@x.org',
        "a" * 65 + "@x.org",
        "a@" + "b" * 64 + ".org",
        "a@" + ".".join(["b" * 60] * 5),
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"the |it |'"):
        parse_address(text)


@given(st.text(max_size=60))
def test_nothing_that_passes_can_leave_its_line(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert address.isascii()
    assert not set(address) & set(' \r\n\t\0<>,;:()[]"\\')
    assert parse_address(address) == address


def test_one_person_is_one_key() -> None:
    assert address_key("Ann@example.org") == address_key("ann@example.org")
    assert address_key("ann+news@example.org") != address_key("ann@example.org")


def test_a_mailbox_has_a_name_or_none() -> None:
    assert parse_mailbox('"Ann, Editor" <ann@example.org>') == Mailbox("Ann, Editor", "ann@example.org")
    assert parse_mailbox("ann@example.org") == Mailbox("", "ann@example.org")
    assert parse_mailbox("Ann <ann@example.org>").domain == "example.org"


@pytest.mark.parametrize(
    "text", ["Ann <ann@example.org> <b@c.org>", "Ann", "Ann\r\nBcc: x@y.org <ann@example.org>"]
)
def test_a_mailbox_that_is_two_or_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"the |it "):
        parse_mailbox(text)
