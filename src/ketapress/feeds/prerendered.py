"""RSS and Atom as text: entries and feeds, of which feedgen prints one specimen for each shape, filled from then on.

In: entries or a `Feed`, a `Dialect`, the moulds of this build. Out: text, the same that feedgen would print of each. A
shape is what two entries have in common when they differ in nothing but the words. feedgen is loaded when a shape is new,
and not among the `specimens`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ketapress.feeds.model import Entry, Feed, clean, plain
from ketapress.feeds.prerendered_samples import specimen
from ketapress.feeds.xml import literal
from ketapress.feeds.xml_format import Dialect
from ketapress.model.prerender import Moulds, mark

_PUBLISHED = datetime(1994, 3, 2, 11, 22, 33, tzinfo=UTC)
_UPDATED = datetime(1995, 4, 3, 12, 23, 34, tzinfo=UTC)
_TEXTS_OF_FEED = (
    "id",
    "title",
    "home_url",
    "feed_url",
    "description",
    "language",
    "author",
    "hub",
    "logo",
    "current",
    "older",
    "newer",
)


def entry_text(entry: Entry, dialect: Dialect, moulds: Moulds) -> str:
    """An entry as it stands in every feed of this format."""
    shape = entry_shape(entry, dialect)
    mould = moulds.of(shape, lambda: specimen(shape, lambda: _printed_entry(entry, dialect)))
    return mould.filled(_entry_values(entry, dialect))


def entry_shape(entry: Entry, dialect: Dialect) -> tuple[object, ...]:
    return (
        dialect.name,
        "entry",
        entry.id == entry.url,
        dialect.marked_up(entry.title),
        dialect.marked_up(entry.summary) if entry.summary else None,
        len(entry.authors),
        len(entry.tags),
        bool(entry.lang),
        (bool(plain(entry.image.alt)), entry.image.width, entry.image.height) if entry.image else None,
    )


def feed_text(feed: Feed, entries: Sequence[str], dialect: Dialect, moulds: Moulds) -> str:
    """A feed with its entries where they belong."""
    values = {name: clean(getattr(feed, name)) for name in _TEXTS_OF_FEED}
    shape = feed_shape(feed, dialect)
    mould = moulds.of(shape, lambda: specimen(shape, lambda: _printed_feed(feed, dialect)))
    return mould.filled(
        values
        | {
            "title": dialect.title(feed.title),
            "description": dialect.title(feed.description),
            "author": literal(feed.author),
            "published": dialect.instant(feed.published),
            "updated": dialect.instant(feed.updated),
            "entries": "".join(entries),
        }
    )


def feed_shape(feed: Feed, dialect: Dialect) -> tuple[object, ...]:
    marked_up = (dialect.marked_up(feed.title), dialect.marked_up(feed.description))
    known = (bool(clean(getattr(feed, name))) for name in _TEXTS_OF_FEED)
    return (dialect.name, "feed", feed.archived, *marked_up, *known)


def _entry_values(entry: Entry, dialect: Dialect) -> dict[str, str]:
    values = {
        "id": entry.id,
        "url": entry.url,
        "title": dialect.title(entry.title),
        "html": entry.html,
        "summary": dialect.summary(entry.summary),
        "published": dialect.instant(entry.published),
        "updated": dialect.instant(entry.updated),
        "lang": entry.lang or "",
    }
    values |= {f"author{number}": literal(name) for number, name in enumerate(entry.authors)}
    values |= {f"tag{number}": literal(name) for number, name in enumerate(entry.tags)}
    if entry.image:
        values |= {"image": clean(entry.image.url), "alt": literal(plain(entry.image.alt))}
    return values


def _printed_entry(entry: Entry, dialect: Dialect) -> str:
    """A specimen of the shape of an entry, by feedgen."""
    from ketapress.feeds.feedgen_adapter import printed_entry  # noqa: PLC0415 - see the top

    specimen = entry._replace(
        id=mark("url" if entry.id == entry.url else "id"),
        url=mark("url"),
        title=mark("title", markup=dialect.marked_up(entry.title)),
        html=mark("html"),
        summary=mark("summary", markup=dialect.marked_up(entry.summary)) if entry.summary else "",
        published=_PUBLISHED,
        updated=_UPDATED,
        authors=tuple(mark(f"author{number}") for number in range(len(entry.authors))),
        tags=tuple(mark(f"tag{number}") for number in range(len(entry.tags))),
        image=_specimen_image(entry),
        lang=mark("lang") if entry.lang else None,
    )
    return _with_instants(printed_entry(specimen, dialect), dialect)


def _specimen_image(entry: Entry) -> Any:
    if entry.image is None:
        return None
    return entry.image._replace(url=mark("image"), alt=mark("alt") if plain(entry.image.alt) else "")


def _printed_feed(feed: Feed, dialect: Dialect) -> str:
    """A specimen of the shape of a feed, by feedgen, with a mark where entries stand."""
    from ketapress.feeds.feedgen_adapter import printed_feed  # noqa: PLC0415 - see the top

    marks = {name: mark(name) for name in _TEXTS_OF_FEED if getattr(feed, name)}
    marks["title"] = mark("title", markup=dialect.marked_up(feed.title))
    marks["description"] = mark("description", markup=dialect.marked_up(feed.description))
    marks["current"] = mark("current") if feed.archived else marks["feed_url"]
    specimen = feed._replace(**marks, published=_PUBLISHED, updated=_UPDATED)  # type: ignore[arg-type]  # names of texts
    before, end, after = printed_feed(specimen, dialect).rpartition(dialect.end)
    return _with_instants(before + mark("entries") + end + after, dialect)


def _with_instants(printed: str, dialect: Dialect) -> str:
    """The specimen with marks in the place of its instants."""
    for name, moment in (("published", _PUBLISHED), ("updated", _UPDATED)):
        printed = printed.replace(dialect.instant(moment), mark(name))
    return printed
