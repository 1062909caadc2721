"""How a due slot is decided, once: the row that says so, and the posts that its edition takes.

Part of the edge: everything here works on a connection, inside a transaction that somebody else opened. That a slot is
decided twice, or a post taken twice, the database refuses with an IntegrityError.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, null, select, update

from ketapress.model.edition import Decision, EditionState, Slot, StoredEdition, Window
from ketapress.model.message import Digest
from ketapress.store.db.schema import DatabaseClock, edition_posts, editions
from ketapress.store.statements.edition_rows import COLUMNS, moved, stored
from ketapress.store.statements.message_codec import packed

LEASE = 60_000_000  # microseconds: composing an edition takes a few seconds at most

_e = editions.c


def decided(
    connection: Connection,
    slots: Sequence[tuple[Slot, Decision]],
    window: Window,
    post_ids: Sequence[str],
    send_by: datetime | None,
    now: datetime,
) -> int | None:
    """Writes what became of these slots; the id of the composed one, which is building and has its posts."""
    composed = None
    for slot, decision in slots:
        values = _row(slot, decision, now)
        if decision is Decision.COMPOSED:
            values |= _building(window, post_ids, send_by, now)
        row = connection.execute(insert(editions).values(values).returning(_e.id)).scalar_one()
        if decision is Decision.COMPOSED:
            composed = row
            _take_posts(connection, row, slot.newsletter, post_ids)
    return composed


def orphans(connection: Connection, *, leased: bool) -> tuple[StoredEdition, ...]:
    """What is in the making and nobody's, oldest first; the caller has a lease on it from here on."""
    orphaned = [_e.state == EditionState.BUILDING]
    if leased:
        orphaned.append(_e.lease_until < DatabaseClock())
    ids = connection.scalars(
        update(editions).where(*orphaned).values(lease_until=DatabaseClock() + LEASE).returning(_e.id)
    ).all()
    return stored(connection, select(*COLUMNS).where(_e.id.in_(ids)).order_by(_e.slot_at, _e.id))


def lettered(
    connection: Connection,
    edition_id: int,
    frm: Collection[EditionState],
    state: EditionState,
    now: datetime,
    *,
    digest: Digest,
    post_ids: Sequence[str],
    **values: Any,
) -> bool:
    """Puts a letter into the row, with the posts that it has. False where nobody may: frozen, or in another state."""
    values |= _letter(digest) | {"post_ids": list(post_ids), "lease_until": null()}
    if _is_frozen(connection, edition_id) or not moved(connection, edition_id, frm, state, now, **values):
        return False
    newsletter = connection.execute(select(_e.newsletter).where(_e.id == edition_id)).scalar_one()
    give_posts_back(connection, edition_id)
    _take_posts(connection, edition_id, newsletter, post_ids)
    return True


def adopted(
    connection: Connection,
    slot: Slot,
    now: datetime,
    *,
    window: Window | None,
    digest: Digest | None,
    post_ids: Sequence[str],
    **values: Any,
) -> None:
    """Writes an edition that is done already, and takes those of its posts that are free."""
    values |= _row(slot, Decision.COMPOSED, now) | {
        "state": EditionState.DONE,
        "changed_at": now,
        "window_after": window and window.after,
        "window_until": window and window.until,
        "post_ids": list(post_ids),
        "counts": {},
    }
    if digest:
        values |= _letter(digest)
    row = connection.execute(insert(editions).values(values).returning(_e.id)).scalar_one()
    taken = taken_posts(connection, slot.newsletter)
    _take_posts(connection, row, slot.newsletter, [each for each in post_ids if each not in taken])


def taken_posts(connection: Connection, newsletter: str) -> frozenset[str]:
    query = select(edition_posts.c.post_id).where(edition_posts.c.newsletter == newsletter)
    return frozenset(connection.scalars(query))


def give_posts_back(connection: Connection, edition_id: int) -> None:
    """Its posts may stand in another edition."""
    connection.execute(delete(edition_posts).where(edition_posts.c.edition_id == edition_id))


def _take_posts(connection: Connection, edition_id: int, newsletter: str, post_ids: Sequence[str]) -> None:
    if post_ids:
        rows = [
            {"newsletter": newsletter, "post_id": post_id, "edition_id": edition_id} for post_id in post_ids
        ]
        connection.execute(insert(edition_posts), rows)


def _row(slot: Slot, decision: Decision, now: datetime) -> dict[str, Any]:
    return {
        "newsletter": slot.newsletter,
        "slot_key": slot.key,
        "slot_at": slot.at,
        "decision": decision,
        "decided_at": now,
        "frozen": 0,
    }


def _building(
    window: Window, post_ids: Sequence[str], send_by: datetime | None, now: datetime
) -> dict[str, Any]:
    return {
        "state": EditionState.BUILDING,
        "changed_at": now,
        "lease_until": DatabaseClock() + LEASE,
        "window_after": window.after,
        "window_until": window.until,
        "send_by": send_by,
        "post_ids": list(post_ids),
    }


def _letter(digest: Digest) -> dict[str, Any]:
    return {"letter": packed(digest.letter), "web": digest.web, "sizes": dict(digest.sizes)}


def _is_frozen(connection: Connection, edition_id: int) -> bool:
    """Whether anybody was frozen into it; nobody will be, until this transaction ends."""
    frozen_to = select(_e.freeze_to).where(_e.id == edition_id).with_for_update()
    return connection.scalar(frozen_to) is not None
