"""No feed of ours draws a complaint from the W3C validator, whatever is in the posts; and each complaint can be drawn."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import example, given, settings as bounds, strategies as st

from ketapress.feeds.targets import feed_targets
from ketapress.model.post import Image, Post
from ketapress.model.settings import Author, FeedSettings, Settings
from ketapress.model.urls import encode_path
from ketapress.posts.rendering.sanitize import sanitize
from support.factories import SITE, post, settings
from support.feed_validator import check_html, check_plain_text, check_uri, find_complaints
from support.targets import fingerprints, render_targets

NOW = datetime(2023, 6, 12, 9, tzinfo=UTC)
WHOLE = settings(
    site=SITE._replace(logo="https://example.org/logo.png", author=Author("Ada")),
    feeds=FeedSettings(entries=1, hub="https://hub.example/"),
)
HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                "<b>",
                "</b>",
                "<script>",
                "&amp;",
                "&copy",
                "AT&T",
                "Rock&2Roll",
                "&#x41;",
                "&apos",
                "R & D",
                "1 < 2",
            ),
            *(
                "\x92",
                "\x85",
                "\ufffd",
                "\ud800",
                "]]>",
                "<![CDATA[",
                "<!--",
                "\N{WORD JOINER}",
                "مرحبا",
                "中文",
                '"',
                "'",
            ),
        ]
    )
    | st.text(max_size=4),
    max_size=5,
).map("".join)
MARKUP = st.lists(
    st.sampled_from(
        [
            *(
                "<p>",
                "</p>",
                "<table><tr><td>",
                "<table><caption>",
                "</table>",
                "<li>",
                "<ul>",
                "<a href='/x y[1]'>",
                "<dl><dd>",
            ),
            *(
                "<img src=//e.example/ö.png onerror=x>",
                "<h1>",
                "<a name=x>",
                "<svg><p>",
                "<ol start=2>",
                "<ruby>a<rt>b",
                "text",
            ),
            *(
                "<blockquote cite='?q'>",
                "<details><summary>",
                "&",
                "&nbsp",
                "<br/>",
                "</a>",
                "<pre>\n\n",
                "<b><i></b>",
                "<p dir=rtl>",
            ),
        ]
    ),
    max_size=6,
).map("".join)


def test_films_can_be_reached_in_readers_that_show_no_controls() -> None:
    html = '<p><video controls=""><source src="https://e.example/a%20b.mp4"></video></p>'
    film = post(
        "a",
        html=html
        + '<a href="https://e.example/"><audio src="https://e.example/c.mp3" controls=""></audio></a>',
    )
    feed = documents([film], WHOLE)["feed.xml"].decode()
    assert '&lt;/video&gt; &lt;a href="https://e.example/a%20b.mp4"&gt;a b.mp4&lt;/a&gt;' in feed
    assert said_of([film], WHOLE) == {}


def documents(posts: list[Post], whole: Settings) -> dict[str, bytes]:
    files = render_targets(feed_targets(posts, whole, fingerprints()))
    return {path: document for path, document in files.items() if path.endswith(("feed.xml", "atom.xml"))}


def said_of(posts: list[Post], whole: Settings) -> dict[str, list[str]]:
    found = {
        path: find_complaints(document, f"https://example.org/{encode_path(path)}", NOW)
        for path, document in documents(posts, whole).items()
    }
    return {path: each for path, each in found.items() if each}


@bounds(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=3),
    site=HOSTILE,
    lang=st.sampled_from([None, "ar", "zh-Hans"]),
)
def test_no_text_draws_a_complaint(
    texts: list[tuple[str, str, str, str, str]], site: str, lang: str | None
) -> None:
    posts = [
        post(
            f"p{number}",
            title=title,
            summary=summary,
            tags=tuple({tag.strip(): tag for tag in (tag, "care")}.values()),
            authors=(author,),
            image=Image(url="https://example.org/i.png", alt=alt, width=640),
            lang=lang,
            updated=NOW - timedelta(days=number, hours=1),
        )
        for number, (title, summary, tag, author, alt) in enumerate(texts)
    ]
    named = WHOLE.site._replace(title=site or "x", description=site, author=Author(site) if site else None)

    assert said_of(posts, WHOLE._replace(site=named)) == {}


@bounds(max_examples=200, deadline=None)
@example(written="<h1><a name=x><h1></a>")
@given(written=MARKUP)
def test_no_html_draws_a_complaint_once_it_is_clean(written: str) -> None:
    assert check_html(sanitize(written)).partition(":")[0] in {
        "",
        "ContainsRelRef",
    }  # addresses are made full later


@pytest.mark.parametrize(
    "pinned",
    [
        "a~b",
        "post:7",
        "https://old.example/?a[]=1",
        "tag:nodate",
        "été",
        "urn:isbn:0451450523",
        "tag:e.org,2020:a",
    ],
)
def test_no_id_draws_a_complaint(pinned: str) -> None:
    assert said_of([post(id=pinned)], WHOLE) == {}


@pytest.mark.parametrize(
    "logo", ["https://example.org/logo.svg", "https://example.org/logo.webp?v=2", "https://e.org/logo"]
)
def test_no_logo_draws_a_complaint(logo: str) -> None:
    assert said_of([post()], WHOLE._replace(site=WHOLE.site._replace(logo=logo))) == {}


def test_archives_and_feeds_of_tags_draw_none() -> None:
    posts = [post(f"p{n}", date=NOW - timedelta(days=30 * n + 1), tags=("Care", "C++")) for n in range(14)]

    assert len(documents(posts, WHOLE)) > 10
    assert said_of(posts, WHOLE) == {}


@cache
def good(path: str) -> str:
    posts = [
        post(
            name,
            title="Plain",
            html="<p>Text</p>",
            tags=("care",),
            image=Image(url="https://example.org/i.png", alt="A press", width=640),
            updated=NOW - timedelta(days=day),
        )
        for name, day in (("one", 1), ("two", 2))
    ]
    return documents(posts, WHOLE._replace(feeds=FeedSettings(hub="https://hub.example/")))[path].decode()


@pytest.mark.parametrize(
    ("path", "written", "broken", "complaint"),
    [
        ("feed.xml", "<?xml version='1.0' encoding='UTF-8'?>\n", "", "NoXmlDeclaration"),
        ("feed.xml", "Plain", "Pl\x92ain", "BadCharacters"),
        ("feed.xml", "Plain", "Pl\ufffdain", "BadCharacters"),
        ("feed.xml", "Plain", "&lt;b&gt;Plain&lt;/b&gt;", "ContainsHTML"),
        ("feed.xml", "Plain", "Plain &amp;copy 2023", "ContainsHTML"),
        ("feed.xml", "Plain", "&lt;b Plain", "CharacterData"),
        ("feed.xml", "<title>Plain</title>", "<title/>", "NotBlank"),
        ("feed.xml", "<category>care</category>", "<category>&lt;/b&gt;</category>", "ContainsHTML"),
        ("feed.xml", "A press", "R&amp;amp;D", "ContainsHTML"),
        ("feed.xml", "<ttl>60</ttl>", "<ttl>60</ttl><ttl>60</ttl>", "DuplicateElement"),
        ("feed.xml", "<ttl>60</ttl>", "<ttl>soon</ttl>", "InvalidPositiveInteger"),
        ("feed.xml", "<ttl>60</ttl>", "<tll>60</tll>", "UndefinedElement"),
        ("feed.xml", "<language>en</language>", "", "MissingElement"),
        ("feed.xml", "<language>en</language>", "<language>e_n</language>", "InvalidLanguage"),
        ("feed.xml", 'rel="self"', 'rel="alternate"', "MissingAtomSelfLink"),
        ("feed.xml", "https://example.org/feed.xml", "https://example.org/other.xml", "SelfDoesntMatchLocation"),
        ("feed.xml", 'rel="hub"', 'rel="push"', "UnregisteredAtomLinkRel"),
        ("feed.xml", "application/rss+xml", "rss", "InvalidMIMEType"),
        ("feed.xml", "07 Jun 2023 06:00:00 +0000", "7. Juni 2023", "InvalidRFC2822Date"),
        ("feed.xml", "Wed, 07 Jun", "Thu, 07 Jun", "IncorrectDOW"),
        ("feed.xml", "Wed, 07 Jun 2023", "Tue, 07 Jun 2033", "ImplausibleDate"),
        ("feed.xml", "<link>https://example.org/2023/one.html", "<link>/2023/one.html", "InvalidFullLink"),
        ("feed.xml", ">https://example.org/2023/one.html</guid", ">one</guid", "InvalidHttpGUID"),
        ("feed.xml", ">https://example.org/2023/one.html</guid", ">https://example.org/2023/two.html</guid", "DuplicateValue"),
        ("feed.xml", "<description>A summary of one.</description>", "", "NeedDescriptionBeforeContent"),
        ("feed.xml", "logo.png", "logo.svg", "ImageUrlFormat"),
        ("feed.xml", "<url>https://example.org/logo.png</url>\n      <title>The", "<url>https://example.org/logo.png</url>\n      <title>A", "ImageTitleDoesntMatch"),
        ("feed.xml", "</item>\n  </channel>", "</item>\n  <pubDate>Wed, 07 Jun 2023 06:00:00 +0000</pubDate></channel>", "MisplacedItem"),
        ("feed.xml", "&lt;p&gt;Text&lt;/p&gt;", "&lt;p&gt;&lt;iframe&gt;&lt;/iframe&gt;&lt;/p&gt;", "SecurityRisk"),
        ("feed.xml", "&lt;p&gt;Text&lt;/p&gt;", '&lt;p onclick="x"&gt;Text&lt;/p&gt;', "SecurityRiskAttr"),
        ("feed.xml", "&lt;p&gt;Text&lt;/p&gt;", '&lt;a href="/x"&gt;Text&lt;/a&gt;', "ContainsRelRef"),
        ("feed.xml", "&lt;p&gt;Text&lt;/p&gt;", "&lt;b&gt;&lt;i&gt;Text&lt;/b&gt;&lt;/i&gt;", "NotHtml"),
        ("atom.xml", "<title>Plain</title>", "<title>&lt;b&gt;Plain&lt;/b&gt;</title>", "ContainsHTML"),
        ("atom.xml", "2023-06-10T09:00:00+00:00", "2023-06-11T09:00:00+00:00", "DuplicateUpdated"),
        ("atom.xml", "2023-06-10T09:00:00+00:00", "2023-06-10 09:00", "InvalidRFC3339Date"),
        ("atom.xml", "<id>https://example.org/2023/two.html", "<id>https://example.org/2023/one.html", "DuplicateEntries"),
        ("atom.xml", "<id>https://example.org/2023/two.html", "<id>urn:x:a~b", "InvalidURN"),
        ("atom.xml", "<id>https://example.org/2023/two.html", "<id>tag:two", "InvalidTAG"),
        ("atom.xml", "<id>https://example.org/2023/two.html", "<id>post:two", "SchemeNotIANARegistered"),
        ("atom.xml", ' xml:lang="en"', "", "MissingDCLanguage"),
        ("atom.xml", '<category term="care"/>', '<link href="https://example.org/" rel="alternate" type="text/html"/>', "DuplicateAtomLink"),
        ("atom.xml", "<name>Ada</name>", "<name/>", "NotBlank"),
    ],
)  # fmt: skip
def test_each_complaint_can_be_drawn(path: str, written: str, broken: str, complaint: str) -> None:
    url = f"https://example.org/{path}"
    assert find_complaints(good(path).encode(), url, NOW) == []
    assert written in good(path)

    found = find_complaints(good(path).replace(written, broken).encode(), url, NOW)

    assert complaint in {each.partition(":")[0] for each in found}


def test_what_is_no_complaint() -> None:
    assert [check_plain_text(text) for text in ("Q & A", "1 < 2", "AT&T", "")] == [""] * 4
    assert [check_uri(text) for text in ("https://[::1]/a", "mailto:a@e.org", "tag:e.org,2020-01-01:x")] == [
        ""
    ] * 3
