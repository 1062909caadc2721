"""A title keeps all its words, also those that are tags."""

import pytest

from ketapress.posts.text.excerpt import clean_title


@pytest.mark.parametrize(
    "title",
    [
        "The <b> and <strong> tags",
        "The <b> and </b> tags",
        "Stop using <i> for icons",
        "`<a>` vs `<button>`",
        "Use `<br>` in Markdown",
        "Use <br> in Markdown",
        "``<em>x</em>`` in code",
        "`<b>` and `</b>`",
        "<p> is not <div>",
        "<3 Deno",
        "List<String> in Java",
        "a < b and b > c",
        "<img> without alt",
        "<b></b> is empty",
        "Why <s> is not <del>",
        "The (<wbr>) element",
    ],
)
def test_tags_that_a_title_is_about_stay(title: str) -> None:
    assert clean_title(title) == title


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("<em>Blue</em> Jasmine", "Blue Jasmine"),
        ("<EM>Blue</EM> Jasmine", "Blue Jasmine"),
        ("<em><strong>Blue</strong></em> Jasmine", "Blue Jasmine"),
        ('A <span class="x">red</span> line', "A red line"),
        ("<p>Whole</p>", "Whole"),
        ("One<br>Two<br/>Three", "One Two Three"),
        ("Long<wbr>word", "Longword"),
        ('<img src="a.png" alt=""> Logo', "Logo"),
        ("H<sub>2</sub>O and `<sub>`", "H2O and `<sub>`"),
        ("<b>The <i> tag</b>", "The <i> tag"),
        ("Use &lt;b&gt; well", "Use <b> well"),
    ],
)
def test_markup_around_words_goes(title: str, expected: str) -> None:
    assert clean_title(title) == expected
