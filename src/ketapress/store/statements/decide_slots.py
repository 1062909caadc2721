"""Write the decision about each due slot, and the posts of its edition.

Unique constraints make sure that a slot is decided once, and that a post is in one edition of a newsletter: the second
insert raises IntegrityError.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, null, select, update

from ketapress.model.edition import Decision, EditionState, Slot, StoredEdition, Window
from ketapress.model.message import Digest
from ketapress.store.db.schema import DatabaseClock, edition_posts, editions, returned_posts, upsert
from ketapress.store.statements.edition_rows import EDITION_COLUMNS, load_editions, transition_edition
from ketapress.store.statements.message_codec import encode_message
from ketapress.store.statements.upsert_row import save_observation

LEASE_MICROSECONDS = 60_000_000  # composing an edition takes a few seconds at most

_edition = editions.c


def insert_decisions(
    connection: Connection,
    slots: Sequence[tuple[Slot, Decision]],
    window: Window,
    post_ids: Sequence[str],
    send_deadline: datetime | None,
    now: datetime,
    *,
    is_extra: bool = False,
    first_slot_at: datetime | None = None,
) -> int | None:
    """Insert the decisions. The first one is for all slots since `first_slot_at`, if that is given.

    Return the id of the composed edition, now BUILDING with its posts; None if none is.
    """
    composed_id = None
    save_observation(connection, now)
    for slot, decision in slots:
        values = _slot_values(slot, decision, now)
        if first_slot_at is not None and slot == slots[0][0]:
            values["first_slot_at"] = first_slot_at
        if decision is Decision.COMPOSED:
            values |= {
                "state": EditionState.BUILDING,
                "changed_at": now,
                "lease_until": DatabaseClock() + LEASE_MICROSECONDS,
                "window_after": window.start,
                "window_until": window.end,
                "send_by": send_deadline,
                "post_ids": list(post_ids),
                "chosen_ids": list(post_ids),
                "is_extra": is_extra,
            }
        edition_id = connection.execute(insert(editions).values(values).returning(_edition.id)).scalar_one()
        if decision is Decision.COMPOSED:
            composed_id = edition_id
            _insert_edition_posts(connection, edition_id, slot.newsletter, post_ids)
    return composed_id


def claim_interrupted(connection: Connection, *, has_leases: bool) -> tuple[StoredEdition, ...]:
    """Claim the editions whose composer died, and return them, oldest slot first. The caller has a lease on them.

    With `has_leases`, only those whose lease has expired.
    """
    conditions = [_edition.state == EditionState.BUILDING]
    if has_leases:
        conditions.append(_edition.lease_until < DatabaseClock())
    edition_ids = connection.scalars(
        update(editions)
        .where(*conditions)
        .values(lease_until=DatabaseClock() + LEASE_MICROSECONDS)
        .returning(_edition.id)
    ).all()
    return load_editions(
        connection,
        select(*EDITION_COLUMNS).where(_edition.id.in_(edition_ids)).order_by(_edition.slot_at, _edition.id),
    )


def save_message(
    connection: Connection,
    edition_id: int,
    from_states: Collection[EditionState],
    state: EditionState,
    now: datetime,
    *,
    digest: Digest,
    post_ids: Sequence[str],
    expected_hash: str | None = None,
    **values: Any,
) -> bool:
    """Save a rendered edition with its posts, and change its state.

    Return False, and change nothing, if recipients are frozen, the edition is in none of `from_states`, or its inputs
    have another hash than `expected_hash` (None: any).
    """
    values |= _message_values(digest) | {"post_ids": list(post_ids), "lease_until": null()}
    freeze_to, input_hash = _lock_edition(connection, edition_id)
    if freeze_to is not None or (expected_hash is not None and input_hash != expected_hash):
        return False
    if not transition_edition(connection, edition_id, from_states, state, now, **values):
        return False
    newsletter = connection.execute(select(_edition.newsletter).where(_edition.id == edition_id)).scalar_one()
    release_posts(connection, edition_id)
    _insert_edition_posts(connection, edition_id, newsletter, post_ids)
    return True


def insert_sent_edition(
    connection: Connection,
    slot: Slot,
    now: datetime,
    *,
    window: Window | None,
    digest: Digest | None,
    post_ids: Sequence[str],
    **values: Any,
) -> None:
    """Insert an edition that is DONE, with those of its posts that are in no other edition."""
    values |= _slot_values(slot, Decision.COMPOSED, now) | {
        "state": EditionState.DONE,
        "changed_at": now,
        "window_after": window and window.start,
        "window_until": window and window.end,
        "post_ids": list(post_ids),
        "counts": {},
    }
    if digest:
        values |= _message_values(digest)
    edition_id = connection.execute(insert(editions).values(values).returning(_edition.id)).scalar_one()
    taken_ids = list_taken_post_ids(connection, slot.newsletter)
    _insert_edition_posts(
        connection, edition_id, slot.newsletter, [post_id for post_id in post_ids if post_id not in taken_ids]
    )


def list_taken_post_ids(connection: Connection, newsletter: str) -> frozenset[str]:
    """Return the ids of the posts in the newsletter's editions."""
    query = select(edition_posts.c.post_id).where(edition_posts.c.newsletter == newsletter)
    return frozenset(connection.scalars(query))


def release_posts(connection: Connection, edition_id: int) -> None:
    """Release the posts of an edition for other editions, however old they are by then."""
    query = select(edition_posts.c.newsletter, edition_posts.c.post_id).where(
        edition_posts.c.edition_id == edition_id
    )
    statement = upsert(connection.dialect.name, returned_posts).from_select(["newsletter", "post_id"], query)
    # SQLite reads ON CONFLICT after a SELECT without WHERE as part of a join; this one has a WHERE
    connection.execute(statement.on_conflict_do_nothing())
    connection.execute(delete(edition_posts).where(edition_posts.c.edition_id == edition_id))


def _insert_edition_posts(
    connection: Connection, edition_id: int, newsletter: str, post_ids: Sequence[str]
) -> None:
    if post_ids:
        rows = [
            {"newsletter": newsletter, "post_id": post_id, "edition_id": edition_id} for post_id in post_ids
        ]
        connection.execute(insert(edition_posts), rows)
        is_inserted = and_(returned_posts.c.newsletter == newsletter, returned_posts.c.post_id.in_(post_ids))
        connection.execute(delete(returned_posts).where(is_inserted))


def _slot_values(slot: Slot, decision: Decision, now: datetime) -> dict[str, Any]:
    return {
        "newsletter": slot.newsletter,
        "slot_key": slot.key,
        "slot_at": slot.at,
        "decision": decision,
        "decided_at": now,
        "frozen": 0,
    }


def _message_values(digest: Digest) -> dict[str, Any]:
    return {
        "letter": encode_message(digest.message_template),
        "web": digest.web_html,
        "sizes": dict(digest.sizes),
    }


def _lock_edition(connection: Connection, edition_id: int) -> tuple[int | None, str | None]:
    """Return the end of the freeze, None before it, and the hash of the inputs. Locks the row until the transaction ends."""
    query = select(_edition.freeze_to, _edition.input_hash).where(_edition.id == edition_id).with_for_update()
    row = connection.execute(query).first()
    return (row.freeze_to, row.input_hash) if row else (None, None)
