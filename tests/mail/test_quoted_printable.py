"""Quoted-printable with merge fields, checked with the standard library's decoder."""

import quopri

from hypothesis import example, given, settings, strategies as st

from ketapress.mail.mime.quoted_printable import (
    quoted_printable_line,
    quoted_printable_lines,
    quoted_printable_segments,
)

ANY_TEXT = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(".=\n F \té")), max_size=400)


@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT)
@example(text="." * 200)
@example(text="From here\nFrom there")
@example(text="é" * 100)
@example(text="a" * 75 + ".\n" + "a" * 76 + "\n" + "a" * 77)
@example(text=" \n\t\n ")
def test_any_text_is_read_back_from_harmless_lines(text: str) -> None:
    text = text.replace("\r", "")
    octets = quoted_printable_lines(text)

    assert quopri.decodestring(octets.replace(b"\r\n", b"\n")) == text.encode()
    _assert_lines(octets)


@settings(max_examples=200, deadline=None)
@given(text_before=ANY_TEXT, value=ANY_TEXT, text_after=ANY_TEXT)
def test_a_value_fits_between_any_two_texts(text_before: str, value: str, text_after: str) -> None:
    text_before, text_after = text_before.replace("\r", ""), text_after.replace("\r", "")
    first_segment, last_segment = quoted_printable_segments([text_before, text_after])

    octets = first_segment + quoted_printable_line(value.encode()) + last_segment

    assert quopri.decodestring(octets.replace(b"\r\n", b"\n")) == (text_before + value + text_after).encode()
    _assert_lines(octets)


def _assert_lines(octets: bytes) -> None:
    assert octets.isascii()
    for line in octets.split(b"\r\n"):
        assert len(line) <= 76
        assert b"\r" not in line
        assert b"\n" not in line
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
