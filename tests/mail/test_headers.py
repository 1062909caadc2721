"""Header values: any title or name stays one header."""

import email
import email.policy
import re
from email.header import decode_header, make_header

import pytest
from hypothesis import example, given, settings, strategies as st

from ketapress.mail.mime.headers import clean_line, list_id_value, mailbox_value, unstructured_value

ANY_TEXT = st.text(st.characters(), max_size=120)
DIFFICULT_TEXTS = (
    "a\r\nBcc: x@example.com",
    "=?utf-8?q?=0D=0ABcc:_x?=",
    "a\u2028b\x00c\x85d",
    "\ud800",
    "word " * 40,
    "x" * 300,
)


@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT)
@example(text=DIFFICULT_TEXTS[0])
@example(text=DIFFICULT_TEXTS[1])
@example(text=DIFFICULT_TEXTS[2])
@example(text=DIFFICULT_TEXTS[3])
@example(text=DIFFICULT_TEXTS[4])
@example(text=DIFFICULT_TEXTS[5])
@example(text="Grüße, 中文, 😀 and مرحبا " * 5)
def test_any_subject_is_read_back_as_it_was_cleaned(text: str) -> None:
    value = unstructured_value(text)
    message = _parse_headers(f"Subject: {value}\r\n")

    assert message.keys() == ["Subject"]
    assert message["Subject"] == clean_line(text)
    if value:
        _assert_wire(f"Subject: {value}")


@settings(max_examples=200, deadline=None)
@given(name=ANY_TEXT)
@example(name=DIFFICULT_TEXTS[0])
@example(name=DIFFICULT_TEXTS[1])
@example(name='"a" \\ b, c: <d@e> (f)')
@example(name="The Example Weekly")
@example(name="Jörg 😀 " * 12)
def test_any_name_stands_before_its_address(name: str) -> None:
    value = mailbox_value(name, "reader@example.com")
    message = _parse_headers(f"To: {value}\r\n")

    assert message.keys() == ["To"]
    (mailbox,) = message["To"].addresses
    assert mailbox.addr_spec == "reader@example.com"
    assert _display_name(value, mailbox.display_name) == clean_line(name)
    _assert_wire(f"To: {value}")


@settings(max_examples=100, deadline=None)
@given(name=ANY_TEXT)
def test_a_list_id_never_holds_an_encoded_word(name: str) -> None:
    value = list_id_value(name, "weekly.example.org")

    assert "=?" not in value
    assert value.endswith("<weekly.example.org>")
    _assert_wire(f"List-Id: {value}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Plain words", "Plain words"),
        ("Café", "=?utf-8?q?Caf=C3=A9?="),
        ("مرحبا", "=?utf-8?b?2YXYsdit2KjYpw==?="),
        ("one\n two\t three", "one two three"),
        ("=?utf-8?q?x?=", "=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?="),
    ],
)
def test_text_stands_as_plainly_as_it_can(text: str, value: str) -> None:
    assert unstructured_value(text) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "a@example.com"),
        ("The Weekly", "The Weekly <a@example.com>"),
        ("Smith, J.", '"Smith, J." <a@example.com>'),
        ("Jörg", "=?utf-8?q?J=C3=B6rg?= <a@example.com>"),
    ],
)
def test_a_name_is_quoted_only_where_it_has_to_be(name: str, value: str) -> None:
    assert mailbox_value(name, "a@example.com") == value


def _parse_headers(head: str) -> email.message.EmailMessage:
    return email.message_from_bytes(head.encode("ascii") + b"\r\n", policy=email.policy.default)


def _display_name(value: str, parsed_name: str) -> str:
    """Return the display name of a mailbox: the standard library's parser adds spaces between encoded words (RFC 2047, 6.2)."""
    phrase, _, _ = value.replace("\r\n", "").rpartition(" <")
    return str(make_header(decode_header(phrase))) if phrase.startswith("=?") else parsed_name


def _assert_wire(line: str) -> None:
    """Check the limits of RFC 5322, 2.1.1 and 2.2.3, and RFC 2047, 2."""
    assert line.isascii()
    lines = line.split("\r\n")
    assert not any("\r" in part or "\n" in part for part in lines)
    assert all(part.strip() and part == part.rstrip() for part in lines)
    assert all(part.startswith(" ") for part in lines[1:])
    assert max(map(len, lines)) <= 78
    assert all(len(word) <= 75 for word in re.findall(r"=\?[^?]+\?[bq]\?[^?]*\?=", line))
