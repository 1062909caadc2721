"""Since when a post counts as visible: its date, or its return from whatever hid it."""

from datetime import timedelta

import pytest

from ketapress.model.post import Post
from ketapress.model.visibility import PostVisibility, VisibilityRecords, observe_posts
from support.factories import NOW, post

HOUR = timedelta(hours=1)
DATE = post().date


def observe(*states: tuple[timedelta, list[Post]], composed: timedelta | None = None) -> VisibilityRecords:
    """Return the records after observing the posts at some moments; an edition is `composed` at one."""
    records = VisibilityRecords()
    for offset, posts in states:
        records = records.updated(observe_posts(posts, records, NOW + offset), NOW + offset)
        if composed == offset:
            records = records._replace(last_composed_at=NOW + offset)
    return records


def test_the_first_observation_takes_dates_as_they_are() -> None:
    records = observe((0 * HOUR, [post()]))
    assert records.by_id == {post().id: PostVisibility(post().id, DATE, DATE)}


def test_a_post_that_appears_later_counts_from_then_or_from_its_date_if_that_came_since() -> None:
    due = post("due", date=NOW + HOUR)
    records = observe((0 * HOUR, [due]), (2 * HOUR, [due, post()]))
    assert records.by_id[due.id].since == NOW + HOUR
    assert records.by_id[post().id].since == NOW + 2 * HOUR


@pytest.mark.parametrize(
    ("composed", "since"), [(0 * HOUR, DATE), (HOUR, NOW + 2 * HOUR), (2 * HOUR, DATE), (None, DATE)]
)
def test_a_post_that_returns_counts_from_then_only_where_an_edition_missed_it(
    composed: timedelta | None, since: object
) -> None:
    draft = post(draft=True)
    records = observe((0 * HOUR, [post()]), (HOUR, [draft]), (2 * HOUR, [post()]), composed=composed)
    assert records.by_id[post().id] == PostVisibility(post().id, DATE, since)  # type: ignore[arg-type]


def test_what_was_observed_by_a_clock_ahead_counts_from_the_right_time() -> None:
    records = observe((0 * HOUR, []), (9999 * HOUR, [post()]), (HOUR, [post()]))
    assert records.by_id[post().id].since == NOW + HOUR


def test_nothing_changes_while_nothing_changes() -> None:
    records = observe((0 * HOUR, [post(), post("other", draft=True)]))
    assert observe_posts([post(), post("other", draft=True)], records, NOW + HOUR) == ()
