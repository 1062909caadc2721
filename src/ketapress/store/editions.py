"""Edge: the book of editions. Every due slot is decided once, by a row; a composed one carries its letter.

In: slots with their decisions, digests, `now`. Out: what was decided, where it stands, its letter. A state changes
only from where the caller believes it to be; who is wrong about that gets False. It chooses no posts, renders
nothing, and writes no deliveries.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, exists, insert, null, select, update
from sqlalchemy.exc import IntegrityError

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import PUBLIC_STATES, Decision, EditionState, Slot, StoredEdition, Window
from ketapress.model.errors import Problem, RefusedError
from ketapress.model.letter import Digest, Letter
from ketapress.store.counts import remember_counts
from ketapress.store.ledger import anything_left, give_up
from ketapress.store.letters import packed, unpacked
from ketapress.store.tables import DatabaseClock, edition_posts, editions
from ketapress.store.transactions import Transactions

LEASE = 60_000_000  # microseconds: composing an edition takes a few seconds at most

_OVER = (EditionState.DONE, EditionState.CANCELLED)
_e = editions.c
_COLUMNS = (
    _e.id,
    _e.newsletter,
    _e.slot_key,
    _e.slot_at,
    _e.decision,
    _e.state,
    _e.window_after,
    _e.window_until,
    _e.send_by,
    _e.subject,
    _e.post_ids,
    _e.sizes,
    _e.why,
    _e.left_out,
)


class AlreadyDecidedError(RefusedError):
    """Another process decided one of the slots first. Its decision stands, and nothing was written."""


class Editions:
    """Decided slots, and the editions that came of them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def newest_decided(self, newsletter: str) -> Slot | None:
        """The latest slot that was decided, however."""
        query = select(_e.slot_key, _e.slot_at).where(_e.newsletter == newsletter)
        with self._transactions.read() as connection:
            row = connection.execute(query.order_by(_e.slot_at.desc()).limit(1)).first()
        return Slot(newsletter, row.slot_key, row.slot_at) if row else None

    def keys_since(self, newsletter: str, moment: datetime) -> frozenset[str]:
        """The keys of the slots at or after a moment that were decided, however."""
        query = select(_e.slot_key).where(_e.newsletter == newsletter, _e.slot_at >= moment)
        with self._transactions.read() as connection:
            return frozenset(connection.scalars(query))

    def newest_composed(self, newsletter: str) -> datetime | None:
        """The instant of the latest edition that has posts: one that was cancelled in time gave its posts back."""
        has_posts = exists().where(edition_posts.c.edition_id == _e.id)
        query = select(_e.slot_at).where(
            _e.newsletter == newsletter, _e.decision == Decision.COMPOSED, has_posts
        )
        with self._transactions.read() as connection:
            return connection.scalar(query.order_by(_e.slot_at.desc()).limit(1))

    def taken_posts(self, newsletter: str) -> frozenset[str]:
        """The posts that stand in an edition of this newsletter, and may stand in no other."""
        with self._transactions.read() as connection:
            return _taken(connection, newsletter)

    def decide(
        self,
        slots: Sequence[tuple[Slot, Decision]],
        *,
        window: Window,
        post_ids: Sequence[str],
        send_by: datetime | None,
        now: datetime,
    ) -> int | None:
        """Decides all of these slots or none; the id of the composed one, or None where none is.

        The composed one is building from here on, and its posts are taken. Raises AlreadyDecidedError, and writes
        nothing, when another process decided one of the slots or took one of the posts first.
        """
        composed = None
        try:
            with self._transactions.write() as connection:
                for slot, decision in slots:
                    values = _decided(slot, decision, now)
                    if decision is Decision.COMPOSED:
                        values |= _building(window, post_ids, send_by, now)
                    row = connection.execute(insert(editions).values(values).returning(_e.id)).scalar_one()
                    if decision is Decision.COMPOSED:
                        composed = row
                        _take_posts(connection, row, slot.newsletter, post_ids)
        except IntegrityError as error:
            raise AlreadyDecidedError(_already_decided(slots)) from error
        return composed

    def unfinished(self) -> tuple[StoredEdition, ...]:
        """Editions whose maker died before they were finished, oldest first: now they are the caller's to finish.

        On SQLite that is everything in the making, because the caller holds the folder's lock; on PostgreSQL what
        nobody has a lease on.
        """
        orphaned = [_e.state == EditionState.BUILDING]
        if self._transactions.shared:
            orphaned.append(_e.lease_until < DatabaseClock())
        with self._transactions.write() as connection:
            ids = connection.scalars(
                update(editions).where(*orphaned).values(lease_until=DatabaseClock() + LEASE).returning(_e.id)
            ).all()
            return _read(connection, select(*_COLUMNS).where(_e.id.in_(ids)).order_by(_e.slot_at, _e.id))

    def finish(
        self,
        edition_id: int,
        state: EditionState,
        *,
        subject: str,
        digest: Digest,
        post_ids: Sequence[str],
        why: str,
        now: datetime,
        frm: Collection[EditionState] = (EditionState.BUILDING,),
    ) -> bool:
        """Puts the letter in the row, and moves it from building to its first state. False if it was not building.

        `frm` are other states in which a letter may be replaced; never once anybody was frozen into the edition.
        """
        values = {
            "subject": subject,
            "letter": packed(digest.letter),
            "web": digest.web,
            "sizes": dict(digest.sizes),
            "post_ids": list(post_ids),
            "lease_until": null(),
        }
        with self._transactions.write() as connection:
            if _is_frozen(connection, edition_id) or not _move(
                connection, edition_id, frm, state, now, why=why, **values
            ):
                return False
            newsletter = connection.execute(select(_e.newsletter).where(_e.id == edition_id)).scalar_one()
            _give_posts_back(connection, edition_id)
            _take_posts(connection, edition_id, newsletter, post_ids)
            return True

    def adopt(
        self,
        slot: Slot,
        *,
        window: Window | None,
        subject: str,
        post_ids: Sequence[str],
        digest: Digest | None,
        why: str,
        now: datetime,
    ) -> bool:
        """An edition that went out without this store's knowledge: it is done, and its posts are taken.

        Without a `digest` it has no letter and no page. False, and nothing changed, where the slot is decided here.
        """
        values = _decided(slot, Decision.COMPOSED, now) | {
            "state": EditionState.DONE,
            "changed_at": now,
            "window_after": window and window.after,
            "window_until": window and window.until,
            "subject": subject,
            "post_ids": list(post_ids),
            "counts": {},
            "why": why,
        }
        if digest:
            values |= {
                "letter": packed(digest.letter),
                "web": digest.web,
                "sizes": dict(digest.sizes),
            }
        try:
            with self._transactions.write() as connection:
                row = connection.execute(insert(editions).values(values).returning(_e.id)).scalar_one()
                taken = _taken(connection, slot.newsletter)
                _take_posts(
                    connection, row, slot.newsletter, [each for each in post_ids if each not in taken]
                )
        except IntegrityError:
            return False
        return True

    def move(
        self,
        edition_id: int,
        frm: Collection[EditionState],
        to: EditionState,
        *,
        why: str = "",
        send_by: datetime | None = None,
        now: datetime,
    ) -> bool:
        """From one of these states to another. False, and nothing changed, when it was in none of them.

        `send_by`, where it is given, is the new last instant at which it may start to go out by itself.
        """
        values = {} if send_by is None else {"send_by": send_by}
        with self._transactions.write() as connection:
            return _move(connection, edition_id, frm, to, now, why=why, **values)

    def cancel(self, edition_id: int, now: datetime, why: str) -> bool:
        """Ends it: what waits is cancelled, and if no message has left, its posts are free again. False if it was over.

        A message that is just being sent may still leave; what a worker only holds is cancelled when it commits.
        """
        going_on = tuple(state for state in EditionState if state not in _OVER)
        with self._transactions.write() as connection:
            if not _move(
                connection, edition_id, going_on, EditionState.CANCELLED, now, why=why, lease_until=null()
            ):
                return False
            give_up(connection, edition_id, DeliveryState.CANCELLED)
            if not anything_left(connection, edition_id):
                _give_posts_back(connection, edition_id)
            return True

    def get(self, newsletter: str, key: str) -> StoredEdition | None:
        """The decided slot of that name, without its page."""
        found = self._editions(_e.newsletter == newsletter, _e.slot_key == key)
        return found[0] if found else None

    def all(self, newsletter: str | None = None) -> tuple[StoredEdition, ...]:
        """Every decided slot, newest first, without pages and letters."""
        return self._editions(*([_e.newsletter == newsletter] if newsletter is not None else []))

    def states(self) -> tuple[tuple[int, EditionState], ...]:
        """How far each edition is, by its id: cheap enough to be asked every few seconds."""
        query = select(_e.id, _e.state).where(_e.state.is_not(None)).order_by(_e.id)
        with self._transactions.read() as connection:
            return tuple((row.id, row.state) for row in connection.execute(query))

    def public(self) -> tuple[StoredEdition, ...]:
        """The editions that everybody may read, newest first, with their pages."""
        query = select(*_COLUMNS, _e.web).where(_e.state.in_(PUBLIC_STATES), _e.web.is_not(None))
        with self._transactions.read() as connection:
            return _read(connection, query.order_by(_e.slot_at.desc(), _e.newsletter, _e.id))

    def sendable(self, now: datetime) -> tuple[StoredEdition, ...]:
        """Editions whose slot has come, and that are ready or sending: oldest slot first."""
        ready = _e.state.in_((EditionState.READY, EditionState.SENDING))
        query = select(*_COLUMNS).where(ready, _e.slot_at <= now)
        with self._transactions.read() as connection:
            return _read(connection, query.order_by(_e.slot_at, _e.newsletter, _e.id))

    def letter(self, edition_id: int) -> Letter:
        """What is stamped and sent. There is one from `finish` on."""
        with self._transactions.read() as connection:
            return unpacked(connection.execute(select(_e.letter).where(_e.id == edition_id)).scalar_one())

    def _editions(self, *where: Any) -> tuple[StoredEdition, ...]:
        query = select(*_COLUMNS).where(*where)
        with self._transactions.read() as connection:
            return _read(connection, query.order_by(_e.slot_at.desc(), _e.newsletter, _e.id))


def _decided(slot: Slot, decision: Decision, now: datetime) -> dict[str, Any]:
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


def _taken(connection: Connection, newsletter: str) -> frozenset[str]:
    query = select(edition_posts.c.post_id).where(edition_posts.c.newsletter == newsletter)
    return frozenset(connection.scalars(query))


def _is_frozen(connection: Connection, edition_id: int) -> bool:
    """Whether anybody was frozen into it; nobody will be, until this transaction ends."""
    frozen_to = select(_e.freeze_to).where(_e.id == edition_id).with_for_update()
    return connection.scalar(frozen_to) is not None


def _take_posts(connection: Connection, edition_id: int, newsletter: str, post_ids: Sequence[str]) -> None:
    if post_ids:
        rows = [
            {"newsletter": newsletter, "post_id": post_id, "edition_id": edition_id} for post_id in post_ids
        ]
        connection.execute(insert(edition_posts), rows)


def _give_posts_back(connection: Connection, edition_id: int) -> None:
    connection.execute(delete(edition_posts).where(edition_posts.c.edition_id == edition_id))


def _move(
    connection: Connection,
    edition_id: int,
    frm: Collection[EditionState],
    to: EditionState,
    now: datetime,
    **values: Any,
) -> bool:
    guarded = update(editions).where(_e.id == edition_id, _e.state.in_(frm))
    if not connection.execute(guarded.values(state=to, changed_at=now, **values)).rowcount:
        return False
    if to is EditionState.DONE:
        remember_counts(connection, edition_id)
    return True


def _read(connection: Connection, query: Select[Any]) -> tuple[StoredEdition, ...]:
    return tuple(_stored(row) for row in connection.execute(query))


def _stored(row: Row[Any]) -> StoredEdition:
    return StoredEdition(
        id=row.id,
        slot=Slot(row.newsletter, row.slot_key, row.slot_at),
        decision=row.decision,
        state=row.state,
        window=Window(row.window_after, row.window_until) if row.window_until else None,
        send_by=row.send_by,
        subject=row.subject or "",
        post_ids=tuple(row.post_ids or ()),
        sizes=row.sizes,
        why=row.why or "",
        left_out=row.left_out,
        web=getattr(row, "web", ""),
    )


def _already_decided(slots: Sequence[tuple[Slot, Decision]]) -> Problem:
    return Problem(
        code="edition.decided",
        message=f"another process has just decided {', '.join(slot.edition for slot, _ in slots)}.",
        cure="Its decision stands; look at it with `ketapress outbox list`.",
    )
