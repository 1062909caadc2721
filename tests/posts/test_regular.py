"""The HTML that is not parsed, because it is known what the parser would say: the same to the byte."""

import pytest
from hypothesis import example, given, settings as trying, strategies as st

from ketapress.posts.markup.markdown import has_tags, markdown_html
from ketapress.posts.markup.plaintext import article_html
from ketapress.posts.rendering.links import Place, placed
from ketapress.posts.rendering.sanitize import parsed
from ketapress.posts.rendering.sanitize_fast import regular, unchanging

PIECES = st.sampled_from(
    [
        *("a", "word", "Ünï", "中文", "\u00a0", "&nbsp;", "&", "&amp;", "&quot;", '"', "'", "&#13;", "&#x80;", "&lt;b&gt;"),
        *("<", ">", "\\", "\\\n", "  \n", "\n", "\n\n", " ", "\t", "    ", "\u0001", "\ufffe", "\x0c", "\U0010ff00"),
        *("*", "**", "***", "_", "~~", "`", "``", "```\n", "```py\n", "~~~ a b\n", "# ", "## ", "###### ", "=\n", "---\n"),
        *("- ", "* ", "1. ", "7) ", "> ", "- [x] ", "|", "|-|-|\n", "|:-:|-:|\n", "| a | b |\n"),
        *("[", "]", "(", ")", "![", "](", "[x](", "![y](", ' "t")', " 't &amp; u')", "[^1]", "[^1]: n\n", "[r]: "),
        *("https://example.org/", "http://a.b/?x=1&y=2#z", "www.a.de", "<https://a.b>", "a@b.org", "mailto:a@b.org"),
        *("//a.b", "/x", "../x", "#f", "?q", "x:y", "javascript:x", "data:x", "http://[x", "http://1.2.3.4.5/", "http://xn--a/"),
        *("http://a..b/", "http://a.b:99999/", "http://a.b:8080", "http://0x.1/", "tel:1", "%", "%zz", "ü.html", "{", "}"),
    ]
)  # fmt: skip
PLACE = Place("https://example.org/a/b.html", "p1-", "b.md")
MARKDOWN = st.lists(PIECES, max_size=40).map("".join)


def same(html: str) -> None:
    known = regular(html)
    assert known is None or known == parsed(html)


def same_in_place(html: str) -> None:
    """The same of what a renderer of ours wrote, and also once it has its place."""
    same(html)
    known = unchanging(html)
    assert known is None or (known, ()) == placed(parsed(html), html, PLACE)


@given(MARKDOWN)
@example("*a **b [c](d \"e\") `f` ![g](h 'i')** j*\n\n- k\n  1. l\n\n> m\n\n| n |\n|:-|\n| o |")
@example("[a](b [c](d) e)\n\n[f www.g.org h](i)\n\n[![j](k)](l)")
@trying(max_examples=400, deadline=None)
def test_what_is_recognised_in_markdown_is_what_the_parser_prints(text: str) -> None:
    if not has_tags(text):
        same_in_place(markdown_html(text))


@given(MARKDOWN)
@trying(max_examples=100, deadline=None)
def test_what_is_recognised_in_plain_text_is_what_the_parser_prints(text: str) -> None:
    same_in_place(article_html(text))


ATTRIBUTES = st.text(st.sampled_from("abx019-._:/?#&;%@!()[]' \t\n\"<>\\\u00a0ü"), max_size=12)
HOSTS = st.text(st.sampled_from("abx019-.:%[]@"), max_size=12)


@given(st.one_of(ATTRIBUTES, HOSTS.map("https://{}/".format), HOSTS.map("http://{}?a".format)))
@trying(max_examples=300, deadline=None)
def test_whatever_stands_in_an_address_is_judged_as_the_parser_does(value: str) -> None:
    same(f'<p><a href="{value}">x</a></p>')
    same(f'<p><img src="{value}" alt="y" /></p>')
    same(f'<p><img src="x" alt="{value}" title="{value}" /></p>')


@given(
    st.characters(),
    st.sampled_from(["<p>{}</p>", '<p><a href="x" title="{}">x</a></p>', "<pre><code>{}</code></pre>"]),
)
@trying(max_examples=300, deadline=None)
def test_every_character_is_recognised_or_left_to_the_parser(character: str, around: str) -> None:
    same(around.format(character))


@pytest.mark.parametrize(
    "text",
    [
        'She said: "No," & *went*.\\\nAnd **[came](https://www.example.org/a?b=1&c=2#d "title")** back.',
        "## One\n\n- a\n- b\n  1. c\n\n> d\n\n---\n\n![e](/f.png)\n\n```python\ng < h\n```",
        "| a | b |\n|--:|---|\n| 1 | ~~2~~ |\n\n- [x] done — 中文 … <https://example.org/x>",
    ],
)
def test_ordinary_posts_are_recognised(text: str) -> None:
    html = markdown_html(text)
    assert not has_tags(text)
    assert regular(html) == parsed(html)


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        ('## One\n\nShe said: "No," & [came](https://www.example.org/a?b=1&c=2#d "title").', True),
        ("![e](https://example.org/f.png)\n\n```python\ng < h\n```\n\n| a |\n|--:|\n| 1 |", True),
        ("[a post](/there)", False),
        ("[a file](there.md)", False),
        ("a note[^1]\n\n[^1]: https://example.org/", False),
        ("[mail](mailto:a@example.org)", False),
        ("[no host](http://1.2.3/)", False),
        ("\u00a0", False),
    ],
)
def test_posts_whose_links_lead_elsewhere_are_known_to_stay_as_they_are(text: str, is_known: bool) -> None:
    assert (unchanging(markdown_html(text)) is not None) == is_known


@pytest.mark.parametrize("text", ["a <b>c</b>", "<div>", "x\n<!-- y -->", "</p>", "<?x?>", "<https ://x>"])
def test_tags_of_the_author_are_seen(text: str) -> None:
    assert has_tags(text)


@pytest.mark.parametrize(
    "html",
    [
        '<p><a href="javascript:x">y</a></p>', '<p><a href="x"><a href="y">z</a></a></p>', "<script>x</script>",
        '<p onclick="x">y</p>', "<p>a\u00a0b</p>", '<p><a href="http://1.2.3">x</a></p>', "<p>a\x01b</p>", "<pre>\nx</pre>",
    ],
)  # fmt: skip
def test_the_rest_is_left_to_the_parser(html: str) -> None:
    assert regular(html) is None
