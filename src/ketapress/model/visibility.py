"""Since when each post is visible, as the composer saw it: what was not visible at a slot goes into the next edition.

The store keeps one record a post. A post that was hidden (a draft, on hold, missing, unreadable, expired, dated into
the future) while an edition was composed counts as visible from its return on; one that was hidden for a moment in
which nothing was composed keeps its record, so that a folder that was away for one run mails nothing again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ketapress.model.post import Post


class PostVisibility(NamedTuple):
    """When a post was first visible, since when it is, and since when it is hidden; None while it is visible."""

    post_id: str
    first_at: datetime
    since: datetime
    hidden_at: datetime | None = None


class VisibilityRecords(NamedTuple):
    """All records by post id. `observed_at` is when slots or records last changed; None before the first time.

    `last_composed_at` is when the newest edition of any newsletter was composed, by the clock that observes.
    """

    by_id: Mapping[str, PostVisibility] = {}
    observed_at: datetime | None = None
    last_composed_at: datetime | None = None

    def updated(self, changes: Sequence[PostVisibility], now: datetime) -> "VisibilityRecords":
        """Return the records with changes of `now`."""
        by_id = {**self.by_id, **{record.post_id: record for record in changes}}
        return self._replace(by_id=by_id, observed_at=now)


def observe_posts(
    posts: Sequence[Post], records: VisibilityRecords, now: datetime
) -> tuple[PostVisibility, ...]:
    """Return the records that are new or changed at `now`."""
    visible_posts = {post.id: post for post in posts if post.visible(now)}
    changes = [
        record._replace(hidden_at=now)
        for record in records.by_id.values()
        if record.hidden_at is None and record.post_id not in visible_posts
    ]
    for post in visible_posts.values():
        record = records.by_id.get(post.id)
        if record is None:
            since = _find_return(post, records.observed_at, now)
            changes.append(PostVisibility(post.id, since, since))
        elif record.hidden_at is not None:
            has_missed = records.last_composed_at is not None and records.last_composed_at >= record.hidden_at
            since = _find_return(post, records.observed_at, now) if has_missed else record.since
            changes.append(record._replace(since=since, hidden_at=None))
        elif record.since > now:  # the clock was ahead when it was observed
            changes.append(record._replace(since=now))
    return tuple(changes)


def _find_return(post: Post, observed_at: datetime | None, now: datetime) -> datetime:
    """Return when a post became visible: at its date if that came after the last observation, else now."""
    moment = max(post.edition_date or post.published or post.date, post.date)
    return moment if observed_at is None or moment > observed_at else now
