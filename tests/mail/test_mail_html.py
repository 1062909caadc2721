"""Convert the HTML of posts to mail HTML: links, images, lists, tables, headings and directions."""

import re
from typing import Any

import html5lib
import lxml.html
import nh3
import pytest
from hypothesis import given, settings, strategies as st

from ketapress.i18n.mail_messages import mail_messages
from ketapress.mail.body.mail_html import FragmentContext, to_mail_html
from support.sample_posts import ARABIC_HTML, CHINESE_HTML, HOSTILE_HTML, RICH

POST_URL = "https://example.org/2023/rich.html"
CONTEXT = FragmentContext(
    id_prefix="p1", post_url=POST_URL, direction="ltr", width=552, messages=mail_messages("en")
)


def convert(source: str, direction: str = "ltr") -> str:
    return to_mail_html(
        source,
        FragmentContext(
            id_prefix="p1", post_url=POST_URL, direction=direction, width=552, messages=mail_messages("en")
        ),
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<h2>a</h2><h3>b</h3>", "<h3>a</h3><h4>b</h4>"),
        ("<h1>a</h1>", "<h3>a</h3>"),
        ("<h5>a</h5><h6>b</h6><h2>c</h2>", "<h3>a</h3><h4>b</h4><h3>c</h3>"),
        (
            "".join(f"<h{n}>x</h{n}>" for n in range(2, 7)),
            "<h3>x</h3><h4>x</h4><h5>x</h5><h6>x</h6><h6>x</h6>",
        ),
    ],
)
def test_headings_stand_under_the_title_and_skip_no_level(source: str, expected: str) -> None:
    assert convert(source) == expected


def test_ids_get_the_posts_prefix_and_only_those_that_are_linked_stay() -> None:
    source = f'<p><a href="#n">1</a><a href="{POST_URL}#n">2</a></p><p id="n">note</p><p id="other">x</p>'

    assert convert(source) == '<p><a href="#p1-1">1</a><a href="#p1-1">2</a></p><p id="p1-1">note</p><p>x</p>'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('<p><a href="#gone">up</a></p>', "<p>up</p>"),
        ('<p><a href="https://example.org/"></a>x</p>', "<p>x</p>"),
        ('<p><a href="ftp://example.org/">x</a></p>', "<p>x</p>"),
        ('<p><a href="http://localhost:3000/">x</a></p>', "<p>x</p>"),
        ('<p><a href="http://127.0.0.1/">x</a></p>', "<p>x</p>"),
        (
            '<p><a href="https://127.example.org/">x</a></p>',
            '<p><a href="https://127.example.org/">x</a></p>',
        ),
        ('<p><a href="https://[x">a.org</a></p>', "<p>a.org</p>"),
        ('<p><a href="JavaScript:alert(1)">x</a></p>', "<p>x</p>"),
        ('<p><a href="mailto:a@example.org">x</a></p>', '<p><a href="mailto:a@example.org">x</a></p>'),
        (
            '<p><a href="https://nodejs.org">Node.js</a></p>',
            '<p><a href="https://nodejs.org">Node.js (nodejs.org)</a></p>',
        ),
        ('<p><a href="https://a.org/x">a.org</a></p>', '<p><a href="https://a.org/x">a.org</a></p>'),
        (
            '<p><a name="x">y</a><a href="#x">z</a></p>',
            '<p><span id="p1-1">y</span><a href="#p1-1">z</a></p>',
        ),
    ],
)
def test_links_lead_somewhere_and_say_where(source: str, expected: str) -> None:
    assert convert(source) == expected


def test_a_link_around_blocks_becomes_links_inside_them() -> None:
    card = '<a href="https://a.org/">top<div><h2>Title</h2><p>Text <b>bold</b></p></div>end</a>'

    assert convert(card) == (
        '<div><p><a href="https://a.org/">top</a></p><div><h3><a href="https://a.org/">Title</a></h3>'
        '<p><a href="https://a.org/">Text <b>bold</b></a></p></div><p><a href="https://a.org/">end</a></p></div>'
    )


def test_an_emphasis_around_blocks_goes_into_them() -> None:
    assert convert("<p>x <b>y <i>z</i></b></p><b><i>one<div>two</div><ul><li>three</li></ul></i></b>") == (
        "<p>x <b>y <i>z</i></b></p><div><div><p><b><i>one</i></b></p><div><p><b><i>two</i></b></p></div>"
        "<ul><li><b><i>three</i></b></li></ul></div></div>"
    )


def test_a_picture_that_gets_a_link_of_its_own_gets_a_name() -> None:
    card = convert('<a href="https://a.org/"><div><img src="https://a.org/x.png"><h3>Title</h3></div></a>')

    assert 'alt="Picture"' in card


def test_a_linked_table_keeps_its_link_in_every_cell() -> None:
    table = '<a href="https://a.org/"><table><tbody><tr><td>one</td><td>two</td></tr></tbody></table></a>'

    assert convert(table).count('<a href="https://a.org/">') == 2


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<ul><li>a</li><ul><li>b</li></ul></ul>", "<ul><li>a<ul><li>b</li></ul></li></ul>"),
        ("<ol>x<p>y</p><li>a</li> z</ol>", "<ol><li>x<p>y</p></li><li>a</li><li> z</li></ol>"),
        ("<li>a</li><dt>b</dt>", "<div><p>a</p></div><div><p>b</p></div>"),
        ("<dl><div><dt>a</dt><dd>b</dd></div></dl>", "<dl><dt>a</dt><dd>b</dd></dl>"),
        ("<dl><dt>a</dt><p>b</p><dd>c</dd></dl>", "<dl><dt>a</dt><dd><p>b</p></dd><dd>c</dd></dl>"),
        ("<dl><dd>a</dd><dd>b</dd></dl>", "<div><div><p>a</p></div><div><p>b</p></div></div>"),
        ("<dl><dd>a</dd><dt>b</dt></dl>", "<div><div><p>a</p></div><div><p>b</p></div></div>"),
    ],
)
def test_a_list_holds_items_and_nothing_else(source: str, expected: str) -> None:
    assert convert(source) == expected


def test_code_in_a_block_of_code_is_just_its_text() -> None:
    source = "<pre><code>a <span>b</span></code><strong>c</strong>\n<samp>d</samp></pre>"

    assert convert(source) == "<pre>a b<strong>c</strong>\nd</pre>"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ('<img src="https://a.org/x.png" alt="A">', {"width": "552", "alt": "A"}),
        (
            '<img src="https://a.org/x.png" width="1104" height="500" alt="A">',
            {"width": "552", "height": "250"},
        ),
        (
            '<img src="https://a.org/x.png" width="20px" height="10">',
            {"width": "20", "height": "10", "alt": ""},
        ),
        ('<img src="https://a.org/x.png" width="100%" height="auto">', {"width": "552"}),
        ('<img src="http://a.org/x.png">', {"src": "https://a.org/x.png"}),
        ('<img src="https://a.org/x.png" alt="IMG_001.JPG">', {"alt": ""}),
        ('<a href="https://a.org/"><img src="https://a.org/x.png"></a>', {"alt": "Picture"}),
    ],
)
def test_images_have_a_name_and_a_width_that_fits(image: str, expected: dict[str, str]) -> None:
    attributes = dict(re.findall(r' ([a-z]+)="([^"]*)"', convert(image)[convert(image).index("<img") :]))

    assert attributes.items() >= expected.items()
    assert ("height" in attributes) == ("height" in expected)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (
            '<img src="https://a.org/x.webp" alt="A cat">',
            '<p><a href="https://a.org/x.webp">Picture: A cat</a></p>',
        ),
        ('<img src="https://a.org/x.svg?v=1">', '<p><a href="https://a.org/x.svg?v=1">Picture</a></p>'),
        (
            '<a href="https://a.org/"><img src="https://a.org/x.avif" alt="A cat"></a>',
            '<p><a href="https://a.org/"><span>Picture: A cat</span></a></p>',
        ),
        ('<img src="data:image/png;base64,AA" alt="A cat">', "<p><span>A cat</span></p>"),
        ('<p>x<img src="https://a.org/pixel.gif" width="1" height="1"></p>', "<p>x</p>"),
        ('<p>x<img src="https://a.org/pixel.gif" width="0"></p>', "<p>x</p>"),
    ],
)
def test_what_clients_do_not_draw_is_linked_or_named(image: str, expected: str) -> None:
    assert convert(image) == expected


def test_video_and_sound_become_links_with_their_picture() -> None:
    video = '<video src="https://a.org/v.mp4" poster="https://a.org/v.jpg" title="A talk"></video>'

    assert re.fullmatch(
        r'<p><a href="https://a\.org/v\.mp4"><img [^>]*alt="Video: A talk"[^>]*></a></p>', convert(video)
    )
    assert convert('<audio controls><source src="https://a.org/s.mp3"></audio>') == (
        '<p><a href="https://a.org/s.mp3">Sound: a.org</a></p>'
    )


def test_a_table_with_a_head_is_data_and_its_cells_say_what_they_head() -> None:
    table = convert(
        "<table><caption>C</caption><thead><tr><td>a</td></tr></thead><tbody><tr><th>b</th><td align='right'>1</td></tr></tbody></table>"
    )

    assert '<th scope="col">a</th>' in table
    assert '<th scope="row">b</th>' in table
    assert '<td style="text-align:right">1</td>' in table
    assert "role=" not in table
    assert "<caption>C</caption>" in table


def test_a_table_without_a_head_is_layout_to_a_screen_reader() -> None:
    table = convert(
        "<table><caption>C</caption><tbody><tr><td colspan='3' rowspan='x'>1</td></tr></tbody></table>"
    )

    assert 'role="presentation"' in table
    assert table.startswith('<p class="caption">C</p><table')
    assert '<td colspan="3">1</td>' in table


def test_loose_text_between_blocks_becomes_paragraphs() -> None:
    assert (
        convert("one <b>two</b><ul><li>x</li></ul>three")
        == "<p>one <b>two</b></p><ul><li>x</li></ul><p>three</p>"
    )


@pytest.mark.parametrize(
    ("source", "direction", "expected"),
    [
        ("<p>مرحبا</p>", "ltr", '<p dir="rtl" style="text-align:right">مرحبا</p>'),
        ("<p>see مرحبا</p>", "ltr", '<p dir="auto">see مرحبا</p>'),
        ("<p>hello</p>", "rtl", '<p dir="ltr" style="text-align:left">hello</p>'),
        ("<pre>x</pre>", "rtl", '<pre dir="ltr" style="text-align:left">x</pre>'),
        ("<p>مرحبا <code>x</code></p>", "rtl", '<p>مرحبا <code dir="ltr">x</code></p>'),
        (
            "<ul><li>مرحبا</li></ul>",
            "ltr",
            '<ul dir="rtl" style="text-align:right;margin:0 26px 18px 0"><li>مرحبا</li></ul>',
        ),
        (
            "<blockquote><p>مرحبا</p><p>ok</p></blockquote>",
            "ltr",
            '<blockquote dir="rtl" style="text-align:right"><p>مرحبا</p><p dir="ltr" style="text-align:left">ok</p></blockquote>',
        ),
        (
            '<p><a href="https://a.org/">مرحبا</a> ok</p>',
            "rtl",
            '<p><a href="https://a.org/">مرحبا</a> ok</p>',
        ),
        ('<p dir="rtl">3</p>', "ltr", '<p dir="rtl" style="text-align:right">3</p>'),
        ("<p>WordPress نظام لإدارة</p>", "rtl", "<p>WordPress نظام لإدارة</p>"),
        (
            "<p>WordPress نظام لإدارة</p>",
            "ltr",
            '<p dir="rtl" style="text-align:right">WordPress نظام لإدارة</p>',
        ),
        (
            "<ul><li><code>git add</code> يضيف</li><li>Docker</li></ul>",
            "rtl",
            '<ul><li><code dir="ltr">git add</code> يضيف</li><li>Docker</li></ul>',
        ),
        (
            "<ul><li><p><code>git add --all</code> يضيف</p></li></ul>",
            "ltr",
            (
                '<ul dir="rtl" style="text-align:right;margin:0 26px 18px 0"><li>'
                '<p><code dir="ltr">git add --all</code> يضيف</p></li></ul>'
            ),
        ),
    ],
)
def test_what_runs_the_other_way_says_so(source: str, direction: str, expected: str) -> None:
    assert convert(source, direction) == expected


@pytest.mark.parametrize(
    "source",
    [
        "<script>x</script>",
        "<style>p{}</style>",
        "<form><input><button>b</button></form>",
        "<o:p></o:p>",
        "\x00\x0b\ufffe",
    ],
)
def test_what_has_no_place_in_mail_leaves_nothing(source: str) -> None:
    assert convert(source) == ""


def test_elements_nested_without_end_are_flattened() -> None:
    nested_html = convert("<blockquote>" * 400 + "x" + "</blockquote>" * 400)

    assert nested_html.count("<blockquote>") < 100
    assert "x" in nested_html


@pytest.mark.parametrize("source", [RICH, ARABIC_HTML, CHINESE_HTML, HOSTILE_HTML])
def test_browsers_and_libxml2_build_the_same_tree_from_it(source: str) -> None:
    fragment = to_mail_html(nh3.clean(source, link_rel=None), CONTEXT)

    assert _tree_shape(_browser_tree(fragment)) == _tree_shape(_libxml2_tree(fragment))


MARKUP = st.lists(
    st.sampled_from(
        (
            *(
                "<p>",
                "</p>",
                '<a href="https://a.org/">',
                "</a>",
                "<table>",
                "<tr>",
                "<td>",
                "</td>",
                "</table>",
                "<ul>",
            ),
            *(
                "<li>",
                "</ul>",
                "<div>",
                "</div>",
                "<h2>",
                "</h2>",
                "<b>",
                "</b>",
                "text",
                "&amp;",
                "<br>",
                "<hr>",
            ),
            *("<pre>", "</pre>", "<blockquote>", "</blockquote>", "مرحبا", '<img src="https://a.org/x.png">'),
        )
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(pieces=MARKUP)
def test_any_markup_keeps_its_words_and_every_rule(pieces: list[str]) -> None:
    source = nh3.clean(" ".join(pieces), link_rel=None)
    fragment = to_mail_html(source, CONTEXT)
    tree = _browser_tree(fragment)

    assert "".join(tree.itertext()).split() == "".join(_browser_tree(source).itertext()).split()
    assert not tree.xpath("//a//p | //a//div | //a//table | //a//h3 | //a//ul | //p//table | //a[not(@href)]")
    assert not tree.xpath(
        "//img[not(@alt) or not(@width)] | //table[not(.//th) and not(@role)] | //h1 | //h2"
    )


def _browser_tree(source: str) -> Any:
    document = html5lib.parse(
        f"<!DOCTYPE html><body>{source}", treebuilder="lxml", namespaceHTMLElements=False
    )
    return document.getroot().find("body")


def _libxml2_tree(source: str) -> Any:
    return lxml.html.document_fromstring(f"<html><body>{source}</body></html>").find("body")


def _tree_shape(element: Any) -> list[Any]:
    """Return the tags, attributes and words of a tree."""
    return [
        element.tag,
        dict(element.attrib),
        (element.text or "").split(),
        [(_tree_shape(child), (child.tail or "").split()) for child in element],
    ]
