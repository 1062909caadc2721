"""What is shipped of feedgen's printing is what the feedgen that is installed prints."""

import json
from collections.abc import Iterator
from itertools import product

from ketapress.feeds.atom import _ATOM
from ketapress.feeds.model import Entry, Feed, entry_of, feed_of
from ketapress.feeds.prerendered import _printed_entry, _printed_feed, entry_shape, feed_shape
from ketapress.feeds.prerendered_samples import FILE
from ketapress.feeds.rss import _RSS
from ketapress.model.post import Image
from support.factories import post, settings
from support.golden import assert_golden

MOST_TAGS = 8


def usual_entries() -> Iterator[Entry]:
    """Posts with and without a picture, of up to eight tags, whose id is their permalink or another one."""
    image = Image(url="https://example.org/a.png", alt="A picture")
    for tags, shown in product(range(MOST_TAGS + 1), (None, image)):
        known = post(tags=tuple(f"tag{number}" for number in range(tags)), image=shown)
        entry = entry_of(known._replace(summary="A summary"), settings())
        yield entry._replace(id=entry.url)
        yield entry._replace(id="urn:x-ketapress:an-id")


def usual_feeds() -> Iterator[Feed]:
    """Current ones and archives, at the beginning, in the middle and at the end, with and without a hub and a logo."""
    known = feed_of([], settings(), "feed.xml")
    current = known.current
    for hub, logo, older, newer in product(("", "https://example.org/a"), repeat=4):
        found = known._replace(hub=hub, logo=logo, older=older, newer=newer)
        yield found
        yield found._replace(feed_url=f"{current}?archive")


def test_the_specimens_are_what_feedgen_prints() -> None:
    printed: dict[str, str] = {}
    for dialect in (_RSS, _ATOM):
        printed |= {
            repr(entry_shape(each, dialect)): _printed_entry(each, dialect) for each in usual_entries()
        }
        printed |= {repr(feed_shape(each, dialect)): _printed_feed(each, dialect) for each in usual_feeds()}
    written = json.dumps(printed, ensure_ascii=False, indent=0, sort_keys=True)
    assert_golden(FILE, f"{written}\n".encode())
