"""Plain text rendered as HTML, by the conventions of typed text."""

import pytest

from ketapress.posts.markup.plaintext import find_run_in_heading, render_plaintext


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One line\nand its rest, which is as long as lines are that machines have wrapped.", "<p>One line and its rest, which is as long as lines are that machines have wrapped.</p>"),
        ("Roses are red,\nviolets are blue", "<p>Roses are red,<br>\nviolets are blue</p>"),
        ("- one\n- two\n  goes on\n* three", "<ul>\n<li>one</li>\n<li>two goes on</li>\n<li>three</li>\n</ul>"),
        ("3. three\n4) four", '<ol start="3">\n<li>three</li>\n<li>four</li>\n</ol>'),
        ("A Heading\n=========", "<h2>A Heading</h2>"),
        ("* * *", "<hr>"),
        ("    a < b\n\tc", "<pre><code>a &lt; b\nc\n</code></pre>"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("这是第一行，它很长很长很长很长很长很长很长很长很长很长很长很长\n这是第二行", "<p>这是第一行，它很长很长很长很长很长很长很长很长很长很长很长很长这是第二行</p>"),
        (
            "See https://example.org/a_(b)?c=1&d=2).",
            '<p>See <a href="https://example.org/a_(b)?c=1&amp;d=2">https://example.org/a_(b)?c=1&amp;d=2</a>).</p>',
        ),
        ("", ""),
        ("\n \n", ""),
    ],
)  # fmt: skip
def test_blocks(text: str, html: str) -> None:
    assert render_plaintext(text).rstrip("\n") == html


def test_two_run_in_headings_are_headings_and_one_is_prose() -> None:
    one = "Note: This is prose with a colon.\n\nMore."
    assert "<h2>" not in render_plaintext(one)
    assert find_run_in_heading(one) == ""
    two = "An opening.\n\nThe Start: It begins.\n\nThe End: It ends."
    assert (
        render_plaintext(two)
        == "<p>An opening.</p>\n<h2>The Start</h2>\n<p>It begins.</p>\n<h2>The End</h2>\n<p>It ends.</p>\n"
    )
    assert find_run_in_heading(two) == "The Start"


@pytest.mark.parametrize(
    "paragraph",
    [
        "It was late. And then: Nothing.",
        "at seven: The doors open.",
        "We had bread, butter and the usual things of a long summer: Everyone ate.",
        "Time: 12 o'clock",
        "see http://example.org: it works",
        "Ingredients:",
    ],
)
def test_prose_with_a_colon_is_no_heading(paragraph: str) -> None:
    assert "<h2>" not in render_plaintext(f"{paragraph}\n\n{paragraph}")


@pytest.mark.parametrize(
    ("paragraph", "heading"),
    [
        ("__Topic.__ Some text", "Topic"),
        ("**Topic:** some text", "Topic"),
        ("主题：这里是正文。", "主题"),
        ("العنوان: هنا النص", "العنوان"),
        ("Überblick: Ärzte raten", "Überblick"),
        ("What to Do in a Long Title With Many Words of All Sorts: “Begin.”", "What to Do in a Long Title With Many Words of All Sorts"),
    ],
)  # fmt: skip
def test_run_in_headings_in_many_hands(paragraph: str, heading: str) -> None:
    assert find_run_in_heading(f"{paragraph}\n\n{paragraph}") == heading
