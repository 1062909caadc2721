"""Quoted-printable that can be cut and filled, checked against the standard library's decoder."""

import quopri

from hypothesis import example, given, settings, strategies as st

from ketapress.mail.mime.quoted_printable import quoted_line, quoted_lines, quoted_segments

TEXT = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(".=\n F \té")), max_size=400)


@settings(max_examples=200, deadline=None)
@given(text=TEXT)
@example(text="." * 200)
@example(text="From here\nFrom there")
@example(text="é" * 100)
@example(text="a" * 75 + ".\n" + "a" * 76 + "\n" + "a" * 77)
@example(text=" \n\t\n ")
def test_any_text_is_read_back_from_harmless_lines(text: str) -> None:
    text = text.replace("\r", "")
    written = quoted_lines(text)

    assert quopri.decodestring(written.replace(b"\r\n", b"\n")) == text.encode()
    _assert_lines(written)


@settings(max_examples=200, deadline=None)
@given(before=TEXT, value=TEXT, after=TEXT)
def test_a_value_fits_between_any_two_texts(before: str, value: str, after: str) -> None:
    before, after = before.replace("\r", ""), after.replace("\r", "")
    first, last = quoted_segments([before, after])

    whole = first + quoted_line(value.encode()) + last

    assert quopri.decodestring(whole.replace(b"\r\n", b"\n")) == (before + value + after).encode()
    _assert_lines(whole)


def _assert_lines(written: bytes) -> None:
    assert written.isascii()
    for line in written.split(b"\r\n"):
        assert len(line) <= 76
        assert b"\r" not in line
        assert b"\n" not in line
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
