"""JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

import json
from collections.abc import Sequence
from typing import Any

from ketapress.feeds.document import Entry, Feed


def jsonfeed(feed: Feed) -> bytes:
    """The feed as a JSON document in UTF-8; what is not known is left out."""
    document = _known(
        version="https://jsonfeed.org/version/1.1",
        title=feed.title,
        home_page_url=feed.home_url,
        feed_url=feed.feed_url,
        description=feed.description,
        icon=feed.logo,
        authors=_authors([feed.author]),
        language=feed.language,
        hubs=[{"type": "WebSub", "url": feed.hub}] if feed.hub else [],
    )
    document["items"] = [_item(entry) for entry in feed.entries]
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


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
