"""JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

import json
from collections.abc import Sequence
from typing import Any

from ketapress.feeds.document import Entry, Feed

_written = json.JSONEncoder(ensure_ascii=False).encode


def entries(found: Sequence[Entry]) -> list[bytes]:
    """Each entry as an object of `items`, on a line of its own."""
    return [_written(_item(entry)).encode() for entry in found]


def document(feed: Feed, items: Sequence[bytes]) -> bytes:
    """The feed around its items, in UTF-8; what is not known is left out."""
    about = _known(
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
    return _written(about)[:-1].encode() + b', "items": [\n' + b",\n".join(items) + b"\n]}\n"


def _item(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, "url": entry.url, "title": entry.title, "content_html": entry.html} | _known(
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


def _known(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
