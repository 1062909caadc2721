"""Entries and feeds that are filled are the ones that feedgen would print."""

from datetime import UTC

import pytest
from hypothesis import HealthCheck, given, settings as bounds, strategies as st

from ketapress.feeds.atom import _ATOM
from ketapress.feeds.feedgen_adapter import printed_entry, printed_feed
from ketapress.feeds.model import Entry, Feed, entry_of, feed_of, plain
from ketapress.feeds.prerendered import entry_text, feed_text
from ketapress.feeds.rss import _RSS
from ketapress.feeds.xml import literal
from ketapress.feeds.xml_format import Dialect
from ketapress.model.post import Image
from ketapress.model.prerender import Moulds
from support.factories import post, settings

BOTH = pytest.mark.parametrize("dialect", [_RSS, _ATOM], ids=["rss", "atom"])
WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20)
MARKED = st.sampled_from(
    ["", "<b>bold</b>", "R&amp;D", "Q & A", 'say "it"', "it's", "\x07", "\ue000title\ue001"]
)
TEXT = st.tuples(WORDS, MARKED, WORDS).map("".join)
IMAGES = st.builds(
    Image,
    url=st.just("https://example.org/a.png?b=1&c=\"2'"),
    alt=TEXT,
    width=st.sampled_from([None, 640]),
    height=st.sampled_from([None, 480]),
)
LEISURE = bounds(deadline=None, suppress_health_check=[HealthCheck.too_slow])
MOULDS = Moulds()


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    known = post(
        title=draw(TEXT),
        html=f"<p>{draw(TEXT)}</p>",
        summary=draw(TEXT),
        tags=tuple(draw(st.lists(TEXT, max_size=3))),
        authors=tuple(draw(st.lists(TEXT, max_size=3))),
        image=draw(st.none() | IMAGES),
        lang=draw(st.sampled_from([None, "en", "ar"])),
        updated=draw(st.datetimes(timezones=st.just(UTC))),
    )
    return entry_of(known._replace(id=draw(st.sampled_from([known.id, "an id"]))), settings())


@BOTH
@LEISURE
@given(entry=entries())
def test_an_entry_that_is_filled_is_the_one_that_feedgen_prints(dialect: Dialect, entry: Entry) -> None:
    told = entry._replace(
        title=dialect.title(entry.title),
        summary=dialect.summary(entry.summary),
        authors=tuple(map(literal, entry.authors)),
        tags=tuple(map(literal, entry.tags)),
        image=entry.image._replace(alt=literal(plain(entry.image.alt))) if entry.image else None,
    )
    assert entry_text(entry, dialect, MOULDS) == printed_entry(told, dialect)


@BOTH
@LEISURE
@given(
    title=TEXT,
    description=TEXT,
    hub=st.booleans(),
    logo=st.booleans(),
    older=st.booleans(),
    archived=st.booleans(),
)
def test_a_feed_that_is_filled_is_the_one_that_feedgen_prints(
    dialect: Dialect, title: str, description: str, hub: bool, logo: bool, older: bool, archived: bool
) -> None:
    known = feed_of([], settings(), "feed.xml")
    feed: Feed = known._replace(
        title=" ".join(title.replace("\x07", "").split()) or "A title",
        description=" ".join(description.replace("\x07", "").split()) or "About",
        hub="https://hub.example/?a=1&b=2" if hub else "",
        logo="https://example.org/logo.png" if logo else "",
        older="https://example.org/older" if older else "",
        current="https://example.org/current" if archived else known.current,
    )
    told = feed._replace(title=dialect.title(feed.title), description=dialect.title(feed.description))
    assert feed_text(feed, [], dialect, MOULDS) == printed_feed(told, dialect)


@BOTH
def test_a_picture_described_by_nothing_that_may_stand_in_a_feed_has_no_description(dialect: Dialect) -> None:
    pictured = post(image=Image(url="https://example.org/a.png", alt="\x07"))
    assert (
        "description"
        not in entry_text(entry_of(pictured, settings()), dialect, MOULDS).partition("<media:")[2]
    )
