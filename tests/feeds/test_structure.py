"""The structure that validators ask for, checked on whatever a post may hold.

The rules are those of RFC 4287, the RSS 2.0 specification with the RSS profile, and JSON Feed 1.1, as far as they
can be told from the bytes.
"""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from hypothesis import given, settings as bounds, strategies as st
from lxml import etree

from ketapress.feeds.formats import FORMATS, Format
from ketapress.feeds.targets import OPML, feed_targets
from ketapress.model.post import Image, Post
from ketapress.model.settings import FeedSettings, Settings
from support.factories import SITE, post, settings
from support.golden import assert_golden
from support.targets import fingerprints, render_targets

ATOM = "{http://www.w3.org/2005/Atom}"
GOLDEN = Path(__file__).parent / "golden"
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd\ufffe\uffff]")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\Z")
NOON = datetime(2023, 6, 7, 12, tzinfo=UTC)


def is_uri(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", text)) and not set(text) & set('<>"{}|\\^`')


def once(parent: etree._Element, *names: str) -> None:
    found = Counter(str(child.tag) for child in parent)
    assert {name: found[name] for name in names} == dict.fromkeys(names, 1)


def check_rss(document: bytes) -> None:
    root = etree.fromstring(document)
    channel = root[0]
    once(
        channel,
        "title",
        "link",
        "description",
        "language",
        "lastBuildDate",
        "pubDate",
        "generator",
        "ttl",
        "docs",
    )
    links = {link.get("rel"): link for link in channel.iterfind(f"{ATOM}link")}
    assert links["self"].get("type") == "application/rss+xml"
    for item in channel.iterfind("item"):
        once(item, "title", "link", "guid", "pubDate")
        assert is_uri(item.findtext("link") or "")
        assert is_uri(item.findtext("guid") or "")
        assert not re.search(r"</?[A-Za-z]|&#?\w+;", item.findtext("title") or "")
        assert parsedate_to_datetime(item.findtext("pubDate") or "").tzinfo
    guids = [item.findtext("guid") for item in channel.iterfind("item")]
    assert len(guids) == len(set(guids))


def check_atom(document: bytes) -> None:
    root = etree.fromstring(document)
    once(root, f"{ATOM}id", f"{ATOM}title", f"{ATOM}updated", f"{ATOM}author")
    assert min(link.get("rel", "") for link in root.iterfind(f"{ATOM}link")) == "alternate"
    entries = root.findall(f"{ATOM}entry")
    for entry in entries:
        once(entry, *(ATOM + name for name in ("id", "title", "updated", "published", "content", "link")))
        assert is_uri(entry.findtext(f"{ATOM}id") or "")
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert (link.get("rel"), link.get("type")) == ("alternate", "text/html")
        content = entry.find(f"{ATOM}content")
        assert content is not None
        assert content.get("type") == "html"
    for moment in root.iter(f"{ATOM}updated", f"{ATOM}published"):
        assert DATE_TIME.match(moment.text or "")
    for name in ("id", "updated"):
        values = [entry.findtext(ATOM + name) for entry in entries]
        assert len(values) == len(set(values)), f"two entries have the same {name}"
    for text in root.iter(f"{ATOM}title", f"{ATOM}summary", f"{ATOM}subtitle"):
        assert text.get("type") == "html" or not re.search(r"</?[A-Za-z]|&#?\w+;", text.text or "")


def check_jsonfeed(document: bytes) -> None:
    feed = json.loads(document)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(feed["title"], str)
    assert {type(author["name"]) for author in feed["authors"]} == {str}
    for item in feed["items"]:
        assert item["id"].strip()
        assert is_uri(item["url"])
        assert "content_html" in item
        assert DATE_TIME.match(item["date_published"])
    assert len({item["id"] for item in feed["items"]}) == len(feed["items"])


def check_opml(document: bytes) -> None:
    root = etree.fromstring(document)
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    for outline in root.iter("outline"):
        assert (outline.get("text") or "").strip()
        assert outline.get("type") != "rss" or is_uri(outline.get("xmlUrl") or "")


CHECKS = {
    "feed.xml": check_rss,
    "atom.xml": check_atom,
    "feed.json": check_jsonfeed,
    "feeds.opml": check_opml,
}


def checked(posts: list[Post], whole: Settings) -> dict[str, bytes]:
    files = render_targets(feed_targets(posts, whole, fingerprints()))
    for path, document in files.items():
        check = next((check for name, check in CHECKS.items() if path.endswith(name)), None)
        assert check or path.endswith(".gz")
        if check:
            text = document.decode()
            assert not text.startswith("\ufeff")
            assert not ILLEGAL.search(text)
            check(document)
    return files


def test_an_empty_site_has_valid_feeds() -> None:
    files = checked([], settings(site=SITE._replace(description="")))

    assert set(files) == {form.path + end for form in FORMATS for end in ("", ".gz")} | {OPML}


def test_a_full_post_is_valid_in_every_format() -> None:
    image = Image(url="https://example.org/i.png", alt="A <press>", width=640)
    whole = post(tags=("a & b",), authors=("Ada",), image=image, lang="he", summary="<b> & co")
    feeds = FeedSettings(hub="https://hub.example/")

    checked(
        [whole],
        settings(site=SITE._replace(title="Q & A <b>", logo="https://e.org/l.png"), feeds=feeds),
    )


@bounds(max_examples=80, deadline=None)
@given(
    texts=st.lists(
        st.fixed_dictionaries({"title": st.text(), "summary": st.text(), "html": st.text()}), max_size=4
    ),
    tags=st.lists(st.text(), max_size=3),
    site=st.text(),
)
def test_no_text_makes_a_feed_invalid(texts: list[dict[str, str]], tags: list[str], site: str) -> None:
    posts = [
        post(f"p{n}", tags=tuple(tags), authors=tuple(tags), updated=NOON + timedelta(seconds=n), **values)
        for n, values in enumerate(texts)
    ]
    checked(
        posts,
        settings(site=SITE._replace(title=site or "x", description=site), feeds=FeedSettings(entries=1)),
    )


def test_the_same_posts_make_the_same_bytes() -> None:
    posts = [post("a", updated=NOON, tags=("x",)), post("b", lang="ar", tags=("y", "x"))]

    assert checked(posts, settings()) == checked(posts, settings())


def test_every_address_of_ours_is_absolute_and_on_the_site(form: Format) -> None:
    document = checked([post("a"), post("b", updated=NOON)], settings())[form.path].decode()

    found = re.findall(r'(?:href="|<link>|url": ")([^"<]*)', document)
    assert len(found) > 3
    assert all(url.startswith("https://example.org/") for url in found)


def test_the_formats_are_written_as_they_always_were(form: Format) -> None:
    image = Image(url="https://example.org/press.jpg", alt="A press", width=1200, height=630)
    posts = [
        post(
            "second",
            title="Less < more & “so on”",
            date=NOON,
            tags=("care", "evidence"),
            authors=("Ada Lovelace",),
            image=image,
            html='<p>A <a href="https://example.org/2023/first.html">link</a> &amp; more.</p>',
        ),
        post("first", lang="ar", id="https://old.example/?p=1", html="<p>مرحبا</p>"),
    ]
    whole = settings(
        site=SITE._replace(logo="https://example.org/logo.png"),
        feeds=FeedSettings(hub="https://hub.example/"),
    )

    assert_golden(GOLDEN / form.path, checked(posts, whole)[form.path])
