"""Feed readers read back what was written: feedparser for RSS and Atom, the json module for JSON Feed."""

import json
from datetime import UTC, datetime
from html import unescape
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings as bounds, strategies as st

from ketapress.feeds.formats import FORMATS, Format
from ketapress.feeds.targets import feed_targets
from ketapress.model.post import Image, Post
from ketapress.model.settings import FeedSettings
from support.factories import SITE, post, settings
from support.targets import fingerprints, render_targets

RSS, ATOM, JSON_FEED = FORMATS
XML = pytest.mark.parametrize("form", [RSS, ATOM], ids=["rss", "atom"])
JOINER = "\N{WORD JOINER}"


def written(form: Format, *posts: Post, **sections: Any) -> bytes:
    return render_targets(feed_targets(posts, settings(**sections), fingerprints()))[form.path]


def read(form: Format, *posts: Post, **sections: Any) -> Any:
    found = feedparser.parse(written(form, *posts, **sections))
    assert not found.bozo, found.bozo_exception
    return found


@XML
def test_what_an_entry_holds_arrives(form: Format) -> None:
    first = post(
        "first",
        html='<h2>One</h2><p>A &amp; B <a href="https://example.org/x?a=1&amp;b=2">link</a></p>',
        summary="Less < more & so on",
        tags=("care", "évidence"),
        authors=("Ada Lovelace", "Bob"),
    )

    entry = read(form, first).entries[0]

    assert (entry.title, entry.link, entry.id) == ("First", "https://example.org/2023/first.html", first.id)
    assert entry.content[0].value == first.html
    assert entry.summary == ("Less &lt; more &amp; so on" if form is RSS else "Less < more & so on")
    assert [tag.term for tag in entry.tags] == ["care", "évidence"]
    assert [author.name for author in entry.authors if "name" in author] == ["Ada Lovelace", "Bob"]
    assert entry.published_parsed[:6] == (2023, 6, 7, 6, 0, 0)


@XML
def test_what_the_feed_says_of_itself_arrives(form: Format) -> None:
    site = SITE._replace(logo="https://example.org/logo.png", language="de-CH")

    feed = read(form, post(), site=site, feeds=FeedSettings(hub="https://hub.example/")).feed

    links = {(link.rel, link.href) for link in feed.links}
    assert (feed.title, feed.link, feed.subtitle) == (SITE.title, "https://example.org/", SITE.description)
    assert feed.language == "de-CH"
    assert feed.updated_parsed[:6] == (2023, 6, 7, 6, 0, 0)
    assert ("self", f"https://example.org/{form.path}") in links
    assert ("hub", "https://hub.example/") in links


def test_json_holds_the_same() -> None:
    image = Image(url="https://example.org/i.png")
    site = SITE._replace(logo="https://example.org/logo.png")
    whole = post(tags=("care",), authors=("Ada",), image=image, lang="de", summary="Less < more")

    feed = json.loads(written(JSON_FEED, whole, site=site, feeds=FeedSettings(hub="https://hub.example/")))

    assert feed["hubs"] == [{"type": "WebSub", "url": "https://hub.example/"}]
    assert (feed["language"], feed["icon"], feed["authors"]) == ("en", site.logo, [{"name": SITE.title}])
    assert feed["items"] == [
        {
            "id": whole.id,
            "url": "https://example.org/2023/first.html",
            "title": "First",
            "content_html": whole.html,
            "summary": "Less < more",
            "image": image.url,
            "date_published": "2023-06-07T06:00:00+00:00",
            "date_modified": "2023-06-07T06:00:00+00:00",
            "authors": [{"name": "Ada"}],
            "tags": ["care"],
            "language": "de",
        }
    ]


def test_a_picture_arrives_with_its_size() -> None:
    image = Image(url="https://example.org/i.png", alt="A press", width=640, height=480)

    media = read(RSS, post(image=image)).entries[0].media_content[0]

    assert (media["url"], media["medium"], media["width"], media["height"]) == (
        image.url,
        "image",
        "640",
        "480",
    )


def test_a_picture_whose_description_has_no_legal_character_has_no_description() -> None:
    image = Image(url="https://example.org/i.png", alt="\x07")

    assert "media:description" not in written(RSS, post(image=image)).decode()


def test_an_id_is_a_permalink_only_when_it_is_the_link() -> None:
    here, moved = read(RSS, post(), post("moved", id="https://old.example/?p=1")).entries

    assert (here.guidislink, moved.guidislink) == (False, False)  # a link of their own stands beside both
    document = written(RSS, post(), post("moved", id="https://old.example/?p=1"))
    assert b'<guid isPermaLink="true">https://example.org/2023/first.html<' in document
    assert b'<guid isPermaLink="false">https://old.example/?p=1<' in document


@pytest.mark.parametrize(
    "title", ["Why <b> is not dead", "</b> & <script>", "Write &amp; in HTML", "1 < 2 & 3 > 2"]
)
def test_a_title_that_looks_like_markup_is_shown_as_it_was_written(title: str) -> None:
    whole = post(title=title)

    assert read(RSS, whole).entries[0].title.replace(JOINER, "") == title
    assert unescape(read(ATOM, whole).entries[0].title) == title
    assert json.loads(written(JSON_FEED, whole))["items"][0]["title"] == title


# feedparser takes some of Latin-1 for UTF-8 that was read wrongly, and mends it.
LATIN_1 = "".join(map(chr, range(0x80, 0x100)))
TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters=f"<\ufffd\u2060{LATIN_1}"),
    min_size=1,
)


@bounds(max_examples=60, deadline=None)
@given(
    titles=st.lists(TEXT.filter(str.strip), min_size=1, max_size=4),
    second=st.integers(0, 86399),
    year=st.integers(1990, 2100),
)
def test_titles_ids_and_dates_survive_every_format(titles: list[str], second: int, year: int) -> None:
    moment = datetime(year, 2, 28, second // 3600, second // 60 % 60, second % 60, tzinfo=UTC)
    posts = [post(f"p{number}", title=title, date=moment) for number, title in enumerate(titles)]
    expected = [(" ".join(each.title.split()), each.id, moment.utctimetuple()[:6]) for each in posts]

    for form in (RSS, ATOM):
        entries = read(form, *posts).entries
        joined = [(unescape(e.title).replace("\u2060", ""), e.id, e.published_parsed[:6]) for e in entries]
        assert joined == expected
    items = json.loads(written(JSON_FEED, *posts))["items"]
    assert [
        (i["title"], i["id"], datetime.fromisoformat(i["date_published"]).timetuple()[:6]) for i in items
    ] == expected
