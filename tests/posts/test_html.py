"""HTML files: whole pages, fragments, and text in `<pre>`; the output is safe."""

from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from ketapress.posts.parsing.nesting import is_too_deep
from ketapress.posts.rendering.links import Fragment, LinkContext, absolutize_links
from ketapress.posts.rendering.sanitize import sanitize
from support.posts_folder import load_single_post

PAGE = "https://example.org/2023/x.html"


def fragment(html: str) -> Fragment:
    return absolutize_links(sanitize(html), html, LinkContext(page_url=PAGE, id_prefix="p-"))


def clean(html: str) -> str:
    return fragment(html).html


def test_a_page_gives_its_head_and_its_body(tmp_path: Path) -> None:
    post = load_single_post(
        tmp_path,
        "x.html",
        "<!doctype html><html lang=de dir=ltr><head><title>Ein &amp; alles</title>"
        '<meta name="date" content="2023-06-07 10:00"><meta name=tags content="a, b">'
        '<meta property="og:image" content="/a.png"><link rel="canonical" href="https://example.net/x"></head>'
        "<body class=x><p>Text</p></body></html>",
    )
    assert (post.title, post.html, post.lang, post.tags) == ("Ein & alles", "<p>Text</p>", "de", ("a", "b"))
    assert post.date.isoformat() == "2023-06-07T10:00:00+00:00"
    assert post.image is not None
    assert (post.image.url, post.canonical) == ("https://example.org/a.png", "https://example.net/x")


@pytest.mark.parametrize(
    "body",
    [
        "<nav>Home</nav><main><h1>A title</h1><p>Text</p></main><footer>(c)</footer>",
        "<header>Site</header><article class=a><h1>A title</h1>\n<p>Text</p></article><aside>x</aside>",
        "<main><h2>Blog</h2><article><h1>A title</h1><p>Text</p><footer>Tags</footer></article></main>",
        "<nav>Home <a href=/>x</a></nav><h1>A title</h1><p>Text</p><footer>(c)</footer>",
    ],
)
def test_of_a_whole_page_the_article_is_the_post(tmp_path: Path, body: str) -> None:
    page = f"<!doctype html><head><title>A title | My site</title></head><body>{body}</body>"
    post = load_single_post(tmp_path, "2023-06-07-x.html", page)
    assert (post.title, post.html) == ("A title", "<p>Text</p>")


@pytest.mark.parametrize(
    "content",
    [
        "---\ndate: 2023-06-07\n---\n<h1>Title</h1>\n<p>Text</p>",
        "<p>June 7, 2023</p><h1>Title</h1><p>Text</p>",
        "<h1>Title</h1><p><time datetime='2023-06-07'>a day in June</time></p><p>Text</p>",
    ],
)
def test_fragments_with_their_dates(tmp_path: Path, content: str) -> None:
    post = load_single_post(tmp_path, "x.html", content)
    assert post.date.date().isoformat() == "2023-06-07"
    assert "Text" in post.html


def test_an_entry_says_in_its_foot_when_it_was_published(tmp_path: Path) -> None:
    page = "<html><body><article><h1>A</h1><p>Text</p><footer><time class=dt-published datetime='2023-06-07'>x</time></footer></article>"
    assert load_single_post(tmp_path, "x.html", page).html == "<p>Text</p>"


def test_dated_text_in_pre_is_plain_text(tmp_path: Path) -> None:
    text = "<pre>\nWednesday, June 07, 2023\n\nThe Start: It &lt;begins&gt;.\n\nThe End: It ends.\n</pre>"
    for name in ("4ad128b82f72c88a.html", "4ad128b82f72c88a.md"):
        post = load_single_post(tmp_path, name, text)
        assert post.title == "The Start"
        assert post.html == "<h2>The Start</h2>\n<p>It &lt;begins&gt;.</p>\n<h2>The End</h2>\n<p>It ends.</p>"
        (tmp_path / "posts" / name).unlink()


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<script>alert(1)</script><p onclick=x style='color:red' class=y>a</p>", "<p>a</p>"),
        ("<a href='javascript:alert(1)'>x</a><a href=' java&#10;script:x'>y</a>", "xy"),
        ("<a href='vbscript:x' target=_blank rel=opener>x</a>", "x"),
        ("<img src=data:image/png;base64,AA alt='A &amp; b'>", "A &amp; b"),
        ("<img src=x.png onerror=y>", '<img src="https://example.org/2023/x.png">'),
        ("<iframe></iframe><form><input name=a>b<button>c</button></form><object data=x>y</object>", "b"),
        (
            '<iframe width=1 src="https://www.youtube-nocookie.com/embed/x?a=1&amp;b=2"></iframe>',
            '<a href="https://www.youtube-nocookie.com/embed/x?a=1&amp;b=2">https://www.youtube-nocookie.com/embed/x?a=1&amp;b=2</a>',
        ),
        ("<svg><script>x</script></svg><math><mi>x</mi></math>", ""),
        ("<h1>a</h1><h3>b</h3>", "<h2>a</h2><h4>b</h4>"),
        ("<a href='#n'>x</a><p id=n>y</p>", f'<a href="{PAGE}#p-n">x</a><p id="p-n">y</p>'),
        ("<a href='#A-b%C3%BC'>x</a><h2>A, <i>b</i>ü!</h2><h3>a bü</h3>", f'<a href="{PAGE}#p-A-b%C3%BC">x</a><h2 id="p-A-bü">A, <i>b</i>ü!</h2><h3>a bü</h3>'),
        ("<a href='#b%22'>x</a><h2>b</h2>", f'<a href="{PAGE}#b%22">x</a><h2>b</h2>'),
        ("<a name=n></a><a href='#n'>x</a>", f'<a id="p-n"></a><a href="{PAGE}#p-n">x</a>'),
        ("<img class=lazy src='data:image/gif;base64,AA' data-src='x.png' alt=y>", '<img src="https://example.org/2023/x.png" alt="y">'),
        ("<picture><source srcset='x.webp'><img src=x.png></picture>", '<img src="https://example.org/2023/x.png">'),
        ("<a href='#elsewhere'>x</a>", f'<a href="{PAGE}#elsewhere">x</a>'),
        ("<a href='http://[x'>x</a><a href='http:///y'>y</a>", "xy"),
        ("<a href='../a b?x=ü'>x</a>", '<a href="https://example.org/a%20b?x=%C3%BC">x</a>'),
        ("<a href='HTTP://Example.com/A'>x</a>", '<a href="http://Example.com/A">x</a>'),
        ("<blockquote cite=/s>q</blockquote>", '<blockquote cite="https://example.org/s">q</blockquote>'),
        ("<video src=a.mp4 poster=b.png autoplay controls></video>",
         '<video src="https://example.org/2023/a.mp4" poster="https://example.org/2023/b.png" controls=""></video>'),
        ("<p title='a < b \" c'>x", '<p title="a &lt; b &quot; c">x</p>'),
        ("<code class='language-c++ evil'>x</code><sup class='footnote-ref big'>1</sup>",
         '<code class="language-c++">x</code><sup class="footnote-ref">1</sup>'),
        ("<center><font color=red>x</font></center><p dir=rtl lang=ar>y</p>", 'x<p dir="rtl" lang="ar">y</p>'),
        ("x\ufffe\x0b&#xFFFD;y", "xy"),
    ],
)  # fmt: skip
def test_what_leaves(html: str, expected: str) -> None:
    assert clean(html) == expected


def test_addresses_that_are_dropped_are_told() -> None:
    html = "<a href='http://[x'>x</a><img src='http:///'><a href=/fine>y</a><img src=data:x,y><a id=z>z</a>"
    assert fragment(html).dropped_urls == ("http://[x", "http:///", "data:x,y")


def test_depth_is_bounded() -> None:
    assert is_too_deep("<div>" * 501)
    assert not is_too_deep("<p>a<li>b<br>" * 10_000)
    assert not is_too_deep("<div><i>x</i></div>" * 10_000)


MARKUP = st.lists(
    st.sampled_from(
        ["<", ">", "&", '"', "'", "=", "/", " ", "a", "\n", "<p>", "</p>", "<a href=", "<img src=", "id=x", "javascript:", "<!--",
         "<table>", "<td>", "<svg>", "<h1>", "</h1>", "<script>", "https://a.b/", "#x", "&lt;", "<pre>", "<li>", "title=", "ü"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(MARKUP)
@hypothesis_settings(max_examples=150, deadline=None)
def test_whatever_comes_in_what_leaves_is_clean(html: str) -> None:
    output = clean(html)
    parser = html5lib.HTMLParser()
    tree = parser.parseFragment(output, container="div")
    for element in tree.iter():
        tag = str(element.tag).rpartition("}")[2]
        assert tag not in {"script", "style", "iframe", "form", "svg", "h1"}
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            if name in {"href", "src", "cite", "poster"}:
                assert value.startswith(("https://", "http://", "mailto:", "tel:"))
                assert " " not in value


def test_what_a_button_says_is_no_text_of_the_post() -> None:
    assert clean('<div>Code<button onclick="copy()">Copy <b>it</b></button></div>') == "<div>Code</div>"
