"""Import subscribers: sort the rows into new, changed, unchanged and rejected ones, and write them.

An import never reactivates a subscription that the subscriber left or that is unreachable.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, literal, select, update

from ketapress.model.address import address_key, parse_address
from ketapress.model.subscriber import (
    ConsentEvent,
    ImportResult,
    ImportRow,
    RejectedRow,
    Subscriber,
    SubscriptionState,
)
from ketapress.store.db.schema import consents, instant_literal, subscribers, subscriptions, upsert
from ketapress.store.statements.consent import (
    hash_erased_address,
    read_erasure_key,
    record_consent,
    select_subscribers,
    to_subscribers,
)

CHUNK_SIZE = 1000  # rows a transaction: short enough that a concurrent sender hardly waits

_UPDATE_NAME = (
    update(subscribers)
    .where(subscribers.c.id == bindparam("subscriber"))
    .values(name=bindparam("new_name"), lang=bindparam("new_lang"))
)
_REJECTION_REASONS = {
    SubscriptionState.LEFT: "unsubscribed from {newsletter} on {since:%Y-%m-%d}; only the subscriber can undo that",
    SubscriptionState.UNREACHABLE: "unreachable since {since:%Y-%m-%d}, because mail bounced; "
    "only the subscriber can undo that",
}


def split_into_chunks(rows: Iterable[ImportRow]) -> Iterator[list[ImportRow]]:
    """Yield the rows in chunks without duplicate addresses: a later duplicate updates the row of the earlier one."""
    chunk: dict[str, ImportRow] = {}
    for row in rows:
        key = address_key(row.address)
        if len(chunk) == CHUNK_SIZE or key in chunk:
            yield list(chunk.values())
            chunk = {}
        chunk[key] = row
    if chunk:
        yield list(chunk.values())


class SubscriberImporter:
    """Imports rows as subscribers of some newsletters, in one transaction. `origin` is the evidence of consent."""

    def __init__(
        self, connection: Connection, newsletters: Sequence[str], origin: str, now: datetime
    ) -> None:
        self._connection = connection
        self._newsletters = tuple(dict.fromkeys(newsletters))
        self._origin = origin
        self._now = now

    def import_rows(self, rows: Sequence[ImportRow], *, dry_run: bool) -> ImportResult:
        """Compare the rows with the database, and write each kind of change with one statement."""
        keys = [address_key(row.address) for row in rows]
        known_subscribers = self._find_subscribers(keys)
        erased_keys = self._find_erased_keys(keys)
        new_rows: list[ImportRow] = []
        changes: list[tuple[ImportRow, Subscriber]] = []
        rejected_rows: list[RejectedRow] = []
        for key, row in zip(keys, rows, strict=True):
            subscriber = known_subscribers.get(key)
            if reason := self._find_rejection_reason(row, subscriber, is_erased=key in erased_keys):
                rejected_rows.append(RejectedRow(row.line, row.address, reason))
            elif subscriber is None:
                new_rows.append(row)
            elif self._missing_newsletters(subscriber) or _changes_name(row, subscriber):
                changes.append((row, subscriber))
        if not dry_run:
            self._insert_subscribers(new_rows)
            self._update_subscribers(changes)
        unchanged_count = len(rows) - len(new_rows) - len(changes) - len(rejected_rows)
        return ImportResult(
            added=len(new_rows), updated=len(changes), unchanged=unchanged_count, refused=tuple(rejected_rows)
        )

    def _find_subscribers(self, keys: Collection[str]) -> dict[str, Subscriber]:
        rows = self._connection.execute(select_subscribers().where(subscribers.c.address_key.in_(keys))).all()
        return {address_key(subscriber.address): subscriber for subscriber in to_subscribers(rows)}

    def _find_erased_keys(self, keys: Collection[str]) -> frozenset[str]:
        """Return the keys of erased addresses."""
        any_erasure = select(consents.c.id).where(consents.c.erased.is_not(None)).limit(1)
        if self._connection.scalar(any_erasure) is None:
            return frozenset()
        hash_key = read_erasure_key(self._connection)
        hashes = {hash_erased_address(hash_key, key): key for key in keys}
        known_hashes = self._connection.scalars(
            select(consents.c.erased).where(consents.c.erased.in_(hashes))
        )
        return frozenset(hashes[known_hash] for known_hash in known_hashes)

    def _find_rejection_reason(
        self, row: ImportRow, subscriber: Subscriber | None, *, is_erased: bool
    ) -> str:
        """Return why a row is rejected; empty if it is not."""
        try:
            parse_address(row.address)
        except ValueError as error:
            return str(error)
        if is_erased:
            return "erased on request; only the subscriber can undo that"
        for subscription in subscriber.subscriptions if subscriber else ():
            if subscription.newsletter in self._newsletters and subscription.state in _REJECTION_REASONS:
                return _REJECTION_REASONS[subscription.state].format(
                    newsletter=subscription.newsletter, since=subscription.since
                )
        return ""

    def _missing_newsletters(self, subscriber: Subscriber) -> tuple[str, ...]:
        """Return the newsletters without an active subscription."""
        active_newsletters = {
            subscription.newsletter
            for subscription in subscriber.subscriptions
            if subscription.state is SubscriptionState.ACTIVE
        }
        return tuple(newsletter for newsletter in self._newsletters if newsletter not in active_newsletters)

    def _insert_subscribers(self, rows: Sequence[ImportRow]) -> None:
        if not rows:
            return
        records = [
            {
                "address": row.address,
                "address_key": address_key(row.address),
                "name": row.name,
                "lang": row.lang,
                "created_at": self._now,
            }
            for row in rows
        ]
        # Another process may have added the same address since the comparison: its row stays.
        # The RETURNING clause makes SQLAlchemy send many rows with one statement.
        statement = upsert(self._connection.dialect.name, subscribers).on_conflict_do_nothing(
            index_elements=["address_key"]
        )
        self._connection.execute(statement.returning(subscribers.c.id), records)
        for newsletter in self._newsletters:
            self._subscribe(
                subscribers.c.address_key.in_([record["address_key"] for record in records]), newsletter
            )

    def _update_subscribers(self, changes: Sequence[tuple[ImportRow, Subscriber]]) -> None:
        name_changes = [
            {
                "subscriber": subscriber.id,
                "new_name": row.name or subscriber.name,
                "new_lang": row.lang or subscriber.lang,
            }
            for row, subscriber in changes
            if _changes_name(row, subscriber)
        ]
        if name_changes:
            self._connection.execute(_UPDATE_NAME, name_changes)
        for newsletter in self._newsletters:
            subscriber_ids = [
                subscriber.id
                for _, subscriber in changes
                if newsletter in self._missing_newsletters(subscriber)
            ]
            if subscriber_ids:
                self._subscribe(subscribers.c.id.in_(subscriber_ids), newsletter)

    def _subscribe(self, condition: ColumnElement[bool], newsletter: str) -> None:
        """Insert active subscriptions, activate pending ones, and record the consent."""
        active_state = literal(SubscriptionState.ACTIVE, subscriptions.c.state.type)
        rows = select(subscribers.c.id, literal(newsletter), active_state, instant_literal(self._now)).where(
            condition
        )
        statement = upsert(self._connection.dialect.name, subscriptions)
        subscription_ids = self._connection.scalars(
            statement.from_select(
                ["subscriber_id", "newsletter", "state", "since"], rows.order_by(subscribers.c.id)
            )
            .on_conflict_do_update(
                index_elements=["subscriber_id", "newsletter"],
                set_={"state": statement.excluded.state, "since": statement.excluded.since},
                where=subscriptions.c.state == SubscriptionState.PENDING,
            )
            .returning(subscriptions.c.id)
        ).all()
        record_consent(
            self._connection,
            subscriptions.c.id.in_(subscription_ids),
            ConsentEvent.ADDED,
            self._origin,
            self._now,
        )


def _changes_name(row: ImportRow, subscriber: Subscriber) -> bool:
    """Return whether a row has another name or language than the subscriber. An empty field changes nothing."""
    return (row.name or subscriber.name, row.lang or subscriber.lang) != (subscriber.name, subscriber.lang)
