"""JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

import json
from collections.abc import Sequence
from typing import Any

from ketapress.feeds.model import Entry, Feed

_encode = json.JSONEncoder(ensure_ascii=False).encode


def render(feed: Feed) -> bytes:
    """Return the document of a feed, one item a line. Members without a value are left out."""
    members = _without_empty(
        version="https://jsonfeed.org/version/1.1",
        title=feed.title,
        home_page_url=feed.home_url,
        feed_url=feed.feed_url,
        next_url=feed.older,
        description=feed.description,
        icon=feed.logo,
        authors=_authors([feed.author]),
        language=feed.language,
        hubs=[{"type": "WebSub", "url": feed.hub}] if feed.hub else [],
    )
    items = ",\n".join(_encode(_item(entry)) for entry in feed.entries)
    return f'{_encode(members)[:-1]}, "items": [\n{items}\n]}}\n'.encode()


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "content_html": entry.html,
    } | _without_empty(
        summary=entry.summary,
        image=entry.image.url if entry.image else "",
        date_published=entry.published.isoformat(),
        date_modified=entry.updated.isoformat(),
        authors=_authors(entry.authors),
        tags=list(entry.tags),
        language=entry.lang or "",
    )


def _authors(names: Sequence[str]) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def _without_empty(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
