"""What readers poll is small, and everything older is found behind it."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import feedparser
import pytest
from lxml import etree

from ketapress.feeds.archives import MAX_HTML_LENGTH, MIN_ENTRIES
from ketapress.feeds.formats import FORMATS
from ketapress.feeds.targets import OPML, feed_targets
from ketapress.model.post import Post
from ketapress.model.settings import FeedSettings, Settings
from support.factories import SITE, post, settings
from support.targets import fingerprints, render_targets

HISTORY = "{http://purl.org/syndication/history/1.0}"
RSS, ATOM, JSON_FEED = FORMATS
BASE = "https://example.org/"


def days_apart(count: int, days: int = 10) -> list[Post]:
    newest = datetime(2023, 6, 7, 6, tzinfo=UTC)
    return [post(f"p{number}", date=newest - timedelta(days=days * number)) for number in range(count)]


def few(entries: int = 2) -> Settings:
    return settings(feeds=FeedSettings(entries=entries, hub="https://hub.example/"))


def chain(files: dict[str, bytes], path: str) -> Iterator[str]:
    """The documents of a feed, as a reader follows them back."""
    while path:
        yield path
        if path.endswith(".json"):
            following = json.loads(files[path]).get("next_url", "")
        else:
            links = {link.rel: link.href for link in feedparser.parse(files[path]).feed.links}
            following = links.get("prev-archive", "")
        path = following.removeprefix(BASE)


def ids(document: bytes, path: str) -> list[str]:
    if path.endswith(".json"):
        return [item["id"] for item in json.loads(document)["items"]]
    return [entry.id for entry in feedparser.parse(document).entries]


@pytest.mark.parametrize("path", [form.path for form in FORMATS])
def test_who_follows_the_archives_reads_every_post(path: str) -> None:
    posts = days_apart(9)
    files = render_targets(feed_targets(posts, few(), fingerprints()))

    documents = list(chain(files, path))

    assert documents[0] == path
    assert documents[1:] == [f"feeds/{month}.{path}" for month in ("2023-05", "2023-04", "2023-03")]
    found = [each for document in documents for each in ids(files[document], document)]
    assert set(found) == {each.id for each in posts}


def test_there_are_no_archives_where_the_feed_holds_everything() -> None:
    files = render_targets(feed_targets(days_apart(3), settings(), fingerprints()))

    assert not [path for path in files if path.startswith("feeds/")]
    assert b"prev-archive" not in files["feed.xml"]


def test_an_archive_says_that_it_is_one_and_where_the_feed_is() -> None:
    files = render_targets(feed_targets(days_apart(9), few(), fingerprints()))

    for form in (RSS, ATOM):
        current = etree.fromstring(files[form.path])
        archive = etree.fromstring(files[f"feeds/2023-04.{form.path}"])
        links = {
            link.get("rel"): link.get("href") for link in archive.iter("{http://www.w3.org/2005/Atom}link")
        }
        assert current.find(f".//{HISTORY}archive") is None
        assert archive.find(f".//{HISTORY}archive") is not None
        assert links["current"] == BASE + form.path
        assert links["self"] == f"{BASE}feeds/2023-04.{form.path}"
        assert links["prev-archive"] == f"{BASE}feeds/2023-03.{form.path}"
        assert links["next-archive"] == f"{BASE}feeds/2023-05.{form.path}"
        assert "hub" not in links


def test_all_documents_of_an_atom_feed_have_its_id() -> None:
    files = render_targets(feed_targets(days_apart(9), few(), fingerprints()))

    found = {feedparser.parse(files[path]).feed.id for path in chain(files, "atom.xml")}
    assert found == {f"{BASE}atom.xml"}


def test_a_new_post_leaves_the_archives_as_they_are() -> None:
    posts = days_apart(9)
    before = render_targets(feed_targets(posts[1:], few(), fingerprints()))
    after = render_targets(feed_targets(posts, few(), fingerprints()))

    kept = [path for path in before if path.startswith("feeds/2023-0") and before[path] == after[path]]
    assert {path[:13] for path in kept} >= {"feeds/2023-04", "feeds/2023-03"}


@pytest.mark.parametrize(
    ("size", "length"), [(MAX_HTML_LENGTH // 15, 15), (MAX_HTML_LENGTH, MIN_ENTRIES), (0, 30)]
)
def test_large_posts_make_a_shorter_feed_but_never_one_of_a_few(size: int, length: int) -> None:
    posts = [post(f"p{number}", html="x" * size) for number in range(30)]

    files = render_targets(feed_targets(posts, settings(), fingerprints()))

    assert len(ids(files["feed.json"], "feed.json")) == length


def test_a_tag_has_a_feed_with_the_same_ids() -> None:
    posts = [post("a", tags=("Care", "C++")), post("b", tags=("care",)), post("c")]
    files = render_targets(feed_targets(posts, settings(), fingerprints()))

    found = feedparser.parse(files["tags/care/feed.xml"])
    assert [entry.id for entry in found.entries] == [posts[0].id, posts[1].id]
    assert (found.feed.title, found.feed.link) == (f"{SITE.title}: Care", f"{BASE}tags/care/")
    assert ("self", f"{BASE}tags/care/feed.xml") in {(link.rel, link.href) for link in found.feed.links}
    assert "tags/c-plus-plus/feed.xml" in files


def test_the_list_of_feeds_holds_the_site_and_each_tag() -> None:
    files = render_targets(feed_targets([post(tags=("Ärger", "care"))], settings(), fingerprints()))

    outlines = [
        each.get("xmlUrl") for each in etree.fromstring(files[OPML]).iter("outline") if each.get("type")
    ]
    assert outlines == [f"{BASE}feed.xml", f"{BASE}tags/care/feed.xml", f"{BASE}tags/%C3%A4rger/feed.xml"]
    assert "tags/ärger/feed.xml" in files


def test_what_readers_poll_stands_compressed_beside_itself() -> None:
    files = render_targets(feed_targets(days_apart(9), few(), fingerprints()))

    assert {path for path in files if path.endswith(".gz")} == {f"{form.path}.gz" for form in FORMATS}
    for form in FORMATS:
        assert gzip.decompress(files[f"{form.path}.gz"]) == files[form.path]
        assert files[f"{form.path}.gz"][4:8] == bytes(4), "the moment of the build"


def test_many_posts_are_printed_in_their_order() -> None:
    posts = days_apart(250, days=0)
    files = render_targets(feed_targets(posts, few(entries=250), fingerprints()))

    for form in FORMATS:
        assert ids(files[form.path], form.path) == [each.id for each in posts]
