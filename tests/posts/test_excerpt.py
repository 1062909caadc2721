"""Titles and summaries: cleaned, and truncated at the end of a sentence or word."""

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from ketapress.posts.text.excerpt import (
    clean_title,
    extract_first_paragraph,
    extract_first_sentence,
    html_to_text,
    remove_illegal_characters,
    truncate,
)
from ketapress.posts.text.title import derive_title_from_name


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("ketamine-therapy", "Ketamine Therapy"),
        ("state-of-the-union", "State of the Union"),
        ("the_end", "The End"),
        ("Why RSS matters", "Why RSS matters"),
        ("%E4%B8%AD%E6%96%87", "中文"),
        ("notes-from-2023", "Notes from 2023"),
        ("decade", "Decade"),
        ("000_4ad128b82f72c88a", ""),
        ("550e8400-e29b-41d4-a716-446655440000", ""),
        ("20230607123456", ""),
        ("x9f8e7d6c5b4a3z2y1", ""),
        ("", ""),
        ("---", ""),
    ],
)
def test_titles_of_file_names(name: str, title: str) -> None:
    assert derive_title_from_name(name) == title


@pytest.mark.parametrize(
    ("text", "length", "short"),
    [
        ("Short.", 20, "Short."),
        ("One sentence. Another one that is long.", 30, "One sentence."),
        ("Ask Dr. e.g. somebody else entirely now", 30, "Ask Dr. e.g. somebody else…"),
        ("No end in sight here at all", 20, "No end in sight…"),
        ("中文没有空格所以在任何地方都可以断开句子。下一句", 12, "中文没有空格所以在任何…"),
        ("第一句。第二句很长很长很长", 8, "第一句。"),
        ("A 中文没有空格所以在任何地方都可以断开", 12, "A 中文没有空格所以在…"),
        ("“Quoted.” He said more and more", 20, "“Quoted.”"),
    ],
)
def test_cutting(text: str, length: int, short: str) -> None:
    assert truncate(text, length) == short


def test_the_first_sentence_makes_a_title() -> None:
    assert extract_first_sentence("It began in June. Then more.") == "It began in June"
    assert extract_first_sentence("Did it? Yes.") == "Did it?"
    assert extract_first_sentence("word " * 40).endswith("word…")


def test_text_of_html() -> None:
    assert html_to_text("<p>a<br>b &lt;c&gt;\n<em>d</em></p>") == "a b <c> d"
    assert (
        extract_first_paragraph(
            '<h2>x</h2><p><img src="y"></p><p>a<sup class="footnote-ref">1</sup> b</p><p>c</p>'
        )
        == "a b"
    )
    assert extract_first_paragraph("<ul><li>only</li></ul>") == "only"
    assert clean_title("<b>Fish</b> &amp;amp; <chips> &copy 1 &lt;") == "Fish &amp; <chips> &copy 1 <"


def test_what_formats_cannot_carry_is_taken_out() -> None:
    assert (
        remove_illegal_characters("a\x00\x08\x0b\x1f\x7f\x85\x9f\ufffd\ufffe\uffff\ud800b\t\n\U0001f600")
        == "ab\t\n\U0001f600"
    )


@given(st.text(max_size=400), st.integers(20, 100))
@hypothesis_settings(max_examples=150, deadline=None)
def test_a_cut_is_short_and_a_beginning(text: str, length: int) -> None:
    for short in (truncate(text, length), extract_first_sentence(text, length)):
        assert len(short) <= length
        assert text.startswith(short.rstrip("…"))
