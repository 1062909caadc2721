"""Read the ids of posts back from `public/feed.json`, where the file of ids lost them.

Readers of feeds know posts by these ids: with others, they show every post again.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.urls import SAFE_IN_URL
from ketapress.posts.identity.registry_entry import RegistryEntry
from ketapress.posts.identity.registry_text import TRACKED_REGISTRY

_FEED = "public/feed.json"
_MARK = (
    '"items": [\n{"id": '  # our feeds have one item a line; one of another program says nothing about our ids
)
_URN = "urn:x-ketapress:"  # of an id that is no URI; feeds alone write it
_MAX_NAMES = 3


class FeedItem(NamedTuple):
    """What the feed says of one post. `url` is the path of its page under the address that the site had then."""

    id: str
    url: str
    title: str
    published: datetime
    updated: datetime


def read_feed_items(root: Path) -> tuple[FeedItem, ...]:
    """Return the posts in the feed that was built last; nothing where there is none, or none of ours."""
    try:
        text = (root / _FEED).read_text(encoding="utf-8")
        if _MARK not in text:
            return ()
        feed = json.loads(text)
        return tuple(_parse_item(item, feed["home_page_url"]) for item in feed["items"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def recover_entries(
    items: Iterable[FeedItem],
    entries: Iterable[RegistryEntry],
    new_entries: Iterable[RegistryEntry],
    now: datetime,
) -> tuple[RegistryEntry, ...]:
    """Return entries with the ids in the feed for posts that are new in this run and stand in the feed.

    `entries` are all of this run. An id is certain where one new post has the page, or the title and the date, of one item.
    Raises `ConfigurationError` where the feed has ids that no entry has, and none of these say which post they belong to.
    """
    known_ids = {_feed_id(entry.id) for entry in entries}
    lost_items = [item for item in items if item.id not in known_ids and not item.id.startswith(_URN)]
    feed_ids = {item.id for item in items}
    candidates = [
        entry
        for entry in new_entries
        if entry.published and not entry.held and _feed_id(entry.id) not in feed_ids
    ]
    if not lost_items or not candidates:
        return ()
    recovered: dict[str, RegistryEntry] = {}
    for item in lost_items:
        matches = [entry for entry in candidates if entry.url == item.url]
        matches = matches or [
            entry for entry in candidates if (entry.title, entry.date) == (item.title, item.published)
        ]
        if len(matches) == 1 and matches[0].path not in recovered:
            recovered[matches[0].path] = matches[0]._replace(
                id=item.id,
                url=item.url,
                published=item.published,
                updated=item.updated,
                first_seen=now,
                due=None,
            )
    if len(recovered) < min(len(lost_items), len(candidates)):
        ids = {entry.id for entry in recovered.values()}
        raise ConfigurationError(_lost_problem([item for item in lost_items if item.id not in ids]))
    return tuple(recovered.values())


def _lost_problem(items: list[FeedItem]) -> Problem:
    names = ", ".join(f"“{item.title}” ({item.id})" for item in items[:_MAX_NAMES])
    more = f" and {len(items) - _MAX_NAMES} more" if len(items) > _MAX_NAMES else ""
    return Problem(
        code="posts.ids-lost",
        path=TRACKED_REGISTRY,
        message=f"the ids of posts that readers of {_FEED} know are missing: {names}{more}. With new ids, they would be "
        "shown and mailed again.",
        cure=f"Restore the file from version control or a backup, or add `id:` to the headers of these posts. If they are "
        f"not in `posts/` any more, remove {_FEED} and begin again.",
    )


def _parse_item(item: Mapping[str, Any], home_url: str) -> FeedItem:
    published = datetime.fromisoformat(item["date_published"]).astimezone(UTC)
    updated = datetime.fromisoformat(item["date_modified"]).astimezone(UTC)
    return FeedItem(
        str(item["id"]), str(item["url"]).removeprefix(home_url), str(item["title"]), published, updated
    )


def _feed_id(post_id: str) -> str:
    """Return an id as feeds write it: characters that a URI cannot have are encoded."""
    return quote(post_id, safe=SAFE_IN_URL).replace("[", "%5B").replace("]", "%5D")
