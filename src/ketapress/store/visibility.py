"""What composing remembers beside editions: since when posts are visible, and since when each schedule counts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from ketapress.model.edition import Decision
from ketapress.model.visibility import PostVisibility, VisibilityRecords
from ketapress.store.db.codes import from_microseconds
from ketapress.store.db.engine import Transactions
from ketapress.store.db.schema import (
    editions,
    newsletter_schedules,
    post_visibility,
    properties,
    returned_posts,
)
from ketapress.store.statements.upsert_row import OBSERVED_AT, replace_row, save_observation


class StoredSchedule(NamedTuple):
    """A newsletter's schedule as it was last acted on.

    Slots up to `since` were due by an older one; None for the first. Posts that were visible before `added_at` are not
    mailed; None where all since the newsletter's start are.
    """

    cron: str
    zone: str
    since: datetime | None = None
    added_at: datetime | None = None


class Visibility:
    """The visibility of posts and the schedules of newsletters."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def read_records(self) -> VisibilityRecords:
        """Return the records of all posts."""
        with self._transactions.read() as connection:
            value = connection.scalar(select(properties.c.value).where(properties.c.name == OBSERVED_AT))
            is_composed = editions.c.decision == Decision.COMPOSED
            return VisibilityRecords(
                by_id={
                    row.post_id: PostVisibility(*row) for row in connection.execute(select(post_visibility))
                },
                observed_at=from_microseconds(int(value)) if value else None,
                last_composed_at=connection.scalar(
                    select(func.max(editions.c.decided_at)).where(is_composed)
                ),
            )

    def save(
        self, records: Sequence[PostVisibility], schedules: Mapping[str, StoredSchedule], now: datetime
    ) -> None:
        """Insert or replace some records of posts and schedules, as observed at `now`, in one transaction."""
        if not records and not schedules:
            return
        with self._transactions.write() as connection:
            for record in records:
                replace_row(connection, post_visibility, record._asdict(), "post_id")
            for newsletter, schedule in schedules.items():
                values = {"newsletter": newsletter, **schedule._asdict()}
                replace_row(connection, newsletter_schedules, values, "newsletter")
            save_observation(connection, now)

    def list_returned_post_ids(self, newsletter: str) -> frozenset[str]:
        """Return the ids of the posts that an edition of the newsletter gave back; some went out in a later one."""
        query = select(returned_posts.c.post_id).where(returned_posts.c.newsletter == newsletter)
        with self._transactions.read() as connection:
            return frozenset(connection.scalars(query))

    def read_schedules(self) -> Mapping[str, StoredSchedule]:
        """Return the schedules that were last acted on, by newsletter."""
        with self._transactions.read() as connection:
            return {
                row.newsletter: StoredSchedule(row.cron, row.zone, row.since, row.added_at)
                for row in connection.execute(select(newsletter_schedules))
            }
