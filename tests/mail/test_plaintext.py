"""Convert the HTML of posts to plain text."""

import pytest
from hypothesis import given, settings, strategies as st

from ketapress.mail.body.plaintext import to_plain_text
from ketapress.mail.body.wrap import display_width, neutralize_markup, underline, wrap_text


def convert(source: str) -> str:
    return to_plain_text(source, links_heading="Links")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>one\n  two<br>three</p>", "one two\nthree"),
        ("<h3>Title</h3><p>x</p>", "Title\n-----\n\nx"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "* a\n* b\n  * c"),
        ("<ul><li><p>a</p></li><li><p>b</p><p>c</p></li></ul>", "* a\n\n* b\n\n  c"),
        ("<ol start='9'><li>a</li><li>b</li></ol>", " 9. a\n10. b"),
        ("<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>", "> a\n>\n> > b"),
        ("<pre><code>a\n\tb\n</code></pre>", "    a\n        b"),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "a\n    b"),
        ("<p>a<sup>2</sup> <q>b</q></p>", "a^2 “b”"),
        ('<p>x <img src="https://a.org/x.png" alt="A cat"></p>', "x [A cat]"),
        ('<img src="https://a.org/x.png" alt="">', ""),
        ("", ""),
    ],
)
def test_each_element_has_its_form(source: str, expected: str) -> None:
    assert convert(source) == expected


def test_links_are_numbered_and_listed_once() -> None:
    source = '<p><a href="https://a.org/">one</a>, <a href="https://b.org/">two</a>, <a href="https://a.org/">three</a></p>'

    assert convert(source) == "one [1], two [2], three [1]\n\nLinks:\n[1] https://a.org/\n[2] https://b.org/"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ('<a href="https://a.org/x">https://a.org/x</a>', "https://a.org/x"),
        ('<a href="https://a.org/">a.org</a>', "https://a.org/"),
        ('<a href="mailto:me@a.org">me@a.org</a>', "me@a.org"),
        ('<a href="#p1-1">1</a>', "1"),
    ],
)
def test_an_address_that_is_its_own_text_needs_no_number(link: str, expected: str) -> None:
    assert convert(f"<p>{link}</p>") == expected


def test_a_narrow_table_stands_in_columns() -> None:
    table = "<table><tr><th>Name</th><th>Size</th></tr><tr><td>中文</td><td>3</td></tr><tr><td>x</td></tr></table>"

    assert convert(table) == "Name  Size\n----  ----\n中文  3\nx"


def test_a_wide_table_becomes_a_record_a_row() -> None:
    long_text = "word " * 12
    table = f"<table><tr><th>A</th><th>B</th></tr><tr><td>{long_text}</td><td>{long_text}</td></tr><tr><td>1</td><td>2</td></tr></table>"

    assert convert(table) == f"A: {long_text.strip()}\nB: {long_text.strip()}\n\nA: 1\nB: 2"


def test_code_is_kept_however_long_its_lines_are() -> None:
    code = "x = 1" + " + 1" * 40

    assert convert(f"<pre>{code}</pre>") == f"    {code}"


def test_what_relays_substitute_and_filters_mistake_is_kept_apart_unseen() -> None:
    text = neutralize_markup("{{ x }} <div> &amp; a < b")

    assert "{{" not in text
    assert "<div" not in text
    assert text.replace("\u2060", "") == "{{ x }} <div> &amp; a < b"


def test_right_to_left_text_keeps_its_order() -> None:
    assert convert("<p>مرحبا <b>بكم</b> 123</p>") == "مرحبا بكم 123"


def test_chinese_breaks_between_characters_but_not_before_a_stop() -> None:
    lines = wrap_text("中文段落，没有空格。" * 9)

    assert len(lines) > 1
    assert max(map(display_width, lines)) <= 78
    assert not any(line.startswith(("，", "。")) for line in lines)


def test_a_title_is_underlined_as_wide_as_it_is() -> None:
    assert underline("中文 title", "=") == ["中文 title", "=========="]


@settings(max_examples=150, deadline=None)
@given(text=st.text(st.sampled_from("ab 中é،م\n-")), width=st.integers(10, 80))
def test_wrapping_keeps_all_words_in_lines_that_fit(text: str, width: int) -> None:
    lines = wrap_text(text, width)

    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(display_width(line) <= width or " " not in line for line in lines)
    assert all(line == line.strip() for line in lines)


def test_a_table_in_a_table_is_told_once() -> None:
    inner_table = "<table><tr><th>x</th><td>y</td></tr></table>"

    assert convert(f"<table><tr><td>a</td><td>{inner_table}</td></tr></table>") == "a  x y"
