"""What a feed holds, before it is written in any format."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ketapress.feeds.archives import site_documents, split_into_archives
from ketapress.feeds.model import DATE_OF_EMPTY_FEED, Feed, build_entry, build_feed
from ketapress.model.post import Post, visible_posts
from ketapress.model.settings import Author, FeedSettings, Settings
from support.factories import SITE, post, settings

NOON = datetime(2023, 6, 7, 12, tzinfo=UTC)


def site_feed(posts: Sequence[Post], whole: Settings) -> Feed:
    current = next(site_documents(split_into_archives(posts, whole), whole, "feed.xml"))
    return build_feed(
        [build_entry(post, whole) for post in current.posts], whole, current.path, **current.fields
    )


def test_a_feed_holds_the_newest_posts_in_their_order() -> None:
    posts = [post(name) for name in ("c", "b", "a")]

    feed = site_feed(posts, settings(feeds=FeedSettings(entries=2)))

    assert [entry.title for entry in feed.entries] == ["C", "B"]


def test_a_feed_is_dated_by_its_newest_entry() -> None:
    posts = [post("a", updated=NOON), post("b", updated=NOON + timedelta(days=3)), post("c", published=NOON)]

    feed = site_feed(posts, settings())

    assert (feed.updated, feed.published) == (NOON + timedelta(days=3), NOON)


def test_an_empty_feed_is_dated_the_same_in_each_build() -> None:
    feed = site_feed([], settings())

    assert (feed.updated, feed.entries) == (DATE_OF_EMPTY_FEED, ())


def test_instants_are_in_utc_and_to_the_second() -> None:
    berlin = timezone(timedelta(hours=2))
    moment = datetime(2023, 6, 7, 8, 0, 0, 999, tzinfo=berlin)

    entry = site_feed([post(published=moment, updated=moment)], settings()).entries[0]

    assert entry.published.isoformat() == entry.updated.isoformat() == "2023-06-07T06:00:00+00:00"


def test_addresses_are_those_of_the_site_also_in_a_sub_folder() -> None:
    site = SITE._replace(url="https://example.org/press/")

    feed = site_feed([post(url="2023/caf%C3%A9.html")], settings(site=site))

    assert feed.feed_url == "https://example.org/press/feed.xml"
    assert feed.home_url == "https://example.org/press/"
    assert feed.entries[0].url == "https://example.org/press/2023/caf%C3%A9.html"


@pytest.mark.parametrize(
    ("pinned", "expected"),
    [
        ("https://old.example/?p=1", "https://old.example/?p=1"),
        ("tag:example.org,2020:a", "tag:example.org,2020:a"),
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("post 7", "urn:x-ketapress:post%207"),
        ("été/1", "urn:x-ketapress:%C3%A9t%C3%A9%2F1"),
    ],
)
def test_an_id_is_kept_and_is_a_uri_in_every_format(pinned: str, expected: str) -> None:
    assert site_feed([post(id=pinned)], settings()).entries[0].id == expected


def test_characters_that_xml_cannot_hold_are_dropped() -> None:
    hostile = post(
        title="a\x00b\x0b\ud800c\ufffe\n d\ufffd", html="<p>\x08x\ttab</p>", tags=("\x01", "t\x02")
    )

    entry = site_feed([hostile], settings()).entries[0]

    assert (entry.title, entry.html, entry.tags) == ("abc d", "<p>x\ttab</p>", ("t",))


def test_who_wrote_is_the_post_s_author_else_the_site_s_else_the_site() -> None:
    signed, blank = post(authors=("Bob", " ", "Eve")), post(authors=("\x00",))
    ada = settings(site=SITE._replace(author=Author("Ada")))

    assert site_feed([signed], ada).entries[0].authors == ("Bob", "Eve")
    assert site_feed([blank], ada).entries[0].authors == ("Ada",)
    assert site_feed([post()], settings()).entries[0].authors == (SITE.title,)


@pytest.mark.parametrize("values", [{"lang": "ar"}, {"dir": "rtl"}, {"lang": "en", "dir": "rtl"}])
def test_a_body_that_is_read_from_right_to_left_says_so_itself(values: dict[str, str]) -> None:
    html = site_feed([post(**values)], settings()).entries[0].html

    assert html.startswith(f'<div dir="rtl" lang="{values.get("lang", "en")}"><p>')
    assert html.endswith("</p></div>")


def test_a_post_in_the_language_of_the_site_does_not_repeat_it() -> None:
    posts = [post(lang="EN"), post(lang="de"), post()]

    assert [entry.lang for entry in site_feed(posts, settings()).entries] == [None, "de", None]


def test_only_visible_posts_reach_a_feed() -> None:
    hidden = [
        post("draft", draft=True),
        post("held", hold=True),
        post("future", published=NOON + timedelta(days=1)),
        post("unseen", published=None),
        post("gone", expires=NOON),
    ]

    feed = site_feed(visible_posts([*hidden, post("seen")], NOON), settings())

    assert [entry.title for entry in feed.entries] == ["Seen"]
