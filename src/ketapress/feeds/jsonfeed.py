"""JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

import json
from collections.abc import Sequence
from typing import Any

from ketapress.feeds.model import Entry, Feed
from ketapress.model.prerender import Moulds

_written = json.JSONEncoder(ensure_ascii=False).encode


def entry(found: Entry, _moulds: Moulds) -> str:
    """An entry as an object of `items`."""
    return _written(_item(found))


def document(feed: Feed, items: Sequence[str], _moulds: Moulds) -> str:
    """The feed around its items; what is not known is left out."""
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
    listed = ",\n".join(items)
    return f'{_written(about)[:-1]}, "items": [\n{listed}\n]}}\n'


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
