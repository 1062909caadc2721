"""Which feeds there are, and which document of a feed holds which entries: what readers poll, and the archives behind it.

In: entries, newest first. Out: `Feed`s with their paths. What readers poll holds the newest entries, as many as the
settings say and no more than is quickly read. When there are more, the whole of each month that has one of the others
is an archive (RFC 5005, 4): keyed by its month, so that its address and its content stay when new posts come.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ketapress.feeds.document import Entry, Feed, feed_of, plain
from ketapress.model.settings import Settings
from ketapress.model.tags import Tag
from ketapress.model.urls import encoded_path

LARGEST = 256 * 1024
"""Characters of HTML in what readers poll: JSON Feed's authors call 250 KB fine, and 1 MB a burden."""
FEWEST = 10
"""As many entries are always there, however large: a reader that polls once a week should miss none."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A feed and its path under `public/`."""

    path: str
    feed: Feed


def site_documents(entries: Sequence[Entry], settings: Settings, path: str) -> Iterator[Placed]:
    """The site's feed at `path` (`feed.xml`), then its archives, newest first (`feeds/2023-05.feed.xml`)."""
    months = _archived_months(entries, len(_latest(entries, settings)))
    places = [f"feeds/{month}.{path}" for month in months]
    urls = ["", *map(settings.page, places), ""]
    current = settings.page(path)
    yield Placed(path, feed_of(_latest(entries, settings), settings, path, older=urls[1]))
    for number, (place, month) in enumerate(zip(places, months, strict=True)):
        links = {
            "id": current,
            "current": current,
            "hub": "",
            "newer": urls[number],
            "older": urls[number + 2],
        }
        yield Placed(place, feed_of(months[month], settings, place, **links))


def tag_document(tag: Tag, entries: Mapping[str, Entry], settings: Settings, file: str) -> Placed:
    """The feed of one tag's newest posts. `entries` are those of all posts, by the posts' ids."""
    folder = f"tags/{encoded_path(tag.slug)}/"
    latest = _latest([entries[post.id] for post in tag.posts], settings)
    title = f"{plain(settings.site.title)}: {plain(tag.name) or tag.slug}"
    feed = feed_of(latest, settings, folder + file, title=title, home_url=settings.page(folder))
    return Placed(f"tags/{tag.slug}/{file}", feed)


def _latest(entries: Sequence[Entry], settings: Settings) -> Sequence[Entry]:
    newest = entries[: settings.feeds.entries]
    sizes = accumulate(len(entry.html) for entry in newest)
    return newest[: max(FEWEST, sum(size <= LARGEST for size in sizes))]


def _archived_months(entries: Sequence[Entry], latest: int) -> dict[str, list[Entry]]:
    """The entries of each month, in UTC and newest first, that has one which readers who poll do not see."""
    wanted = {_month(entry) for entry in entries[latest:]}
    months: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        month = _month(entry)
        if month in wanted:
            months[month].append(entry)
    return {month: months[month] for month in sorted(months, reverse=True)}


def _month(entry: Entry) -> str:
    return f"{entry.published.year:04}-{entry.published.month:02}"
