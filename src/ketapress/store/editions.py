"""Edge: the book of editions. Every due slot is decided once, by a row; a composed one carries its letter.

In: slots with their decisions, digests, `now`. Out: what was decided, where it stands, its letter. A state changes
only from where the caller believes it to be; who is wrong about that gets False. It chooses no posts, renders
nothing, and writes no deliveries.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, null, select
from sqlalchemy.exc import IntegrityError

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import Decision, EditionState, Slot, StoredEdition, Window
from ketapress.model.errors import Problem, RefusedError
from ketapress.model.message import Digest, Letter
from ketapress.store.db.engine import Transactions
from ketapress.store.db.schema import edition_posts, editions
from ketapress.store.public_editions import public
from ketapress.store.statements.counts import driver_cursor
from ketapress.store.statements.decide_slots import (
    adopted,
    decided,
    give_posts_back,
    lettered,
    orphans,
    taken_posts,
)
from ketapress.store.statements.edition_rows import COLUMNS, moved, stored
from ketapress.store.statements.message_codec import unpacked
from ketapress.store.statements.transitions import anything_left, give_up

_OVER = (EditionState.DONE, EditionState.CANCELLED)
_e = editions.c


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
            return taken_posts(connection, newsletter)

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
        try:
            with self._transactions.write() as connection:
                return decided(connection, slots, window, post_ids, send_by, now)
        except IntegrityError as error:
            raise AlreadyDecidedError(_already_decided(slots)) from error

    def unfinished(self) -> tuple[StoredEdition, ...]:
        """Editions whose maker died before they were finished, oldest first: now they are the caller's to finish.

        On SQLite that is everything in the making, because the caller holds the folder's lock; on PostgreSQL what
        nobody has a lease on.
        """
        with self._transactions.write() as connection:
            return orphans(connection, leased=self._transactions.shared)

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
        with self._transactions.write() as connection:
            return lettered(
                connection,
                edition_id,
                frm,
                state,
                now,
                digest=digest,
                post_ids=post_ids,
                subject=subject,
                why=why,
            )

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
        try:
            with self._transactions.write() as connection:
                adopted(
                    connection,
                    slot,
                    now,
                    window=window,
                    digest=digest,
                    post_ids=post_ids,
                    subject=subject,
                    why=why,
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
            return moved(connection, edition_id, frm, to, now, why=why, **values)

    def cancel(self, edition_id: int, now: datetime, why: str) -> bool:
        """Ends it: what waits is cancelled, and if no message has left, its posts are free again. False if it was over.

        A message that is just being sent may still leave; what a worker only holds is cancelled when it commits.
        """
        going_on = tuple(state for state in EditionState if state not in _OVER)
        with self._transactions.write() as connection:
            if not moved(
                connection, edition_id, going_on, EditionState.CANCELLED, now, why=why, lease_until=null()
            ):
                return False
            give_up(connection, edition_id, DeliveryState.CANCELLED)
            if not anything_left(connection, edition_id):
                give_posts_back(connection, edition_id)
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
        with self._transactions.read() as connection:
            return public(driver_cursor(connection), self._transactions.dialect)

    def sendable(self, now: datetime) -> tuple[StoredEdition, ...]:
        """Editions whose slot has come, and that are ready or sending: oldest slot first."""
        ready = _e.state.in_((EditionState.READY, EditionState.SENDING))
        query = select(*COLUMNS).where(ready, _e.slot_at <= now)
        with self._transactions.read() as connection:
            return stored(connection, query.order_by(_e.slot_at, _e.newsletter, _e.id))

    def letter(self, edition_id: int) -> Letter:
        """What is stamped and sent. There is one from `finish` on."""
        with self._transactions.read() as connection:
            return unpacked(connection.execute(select(_e.letter).where(_e.id == edition_id)).scalar_one())

    def _editions(self, *where: Any) -> tuple[StoredEdition, ...]:
        query = select(*COLUMNS).where(*where)
        with self._transactions.read() as connection:
            return stored(connection, query.order_by(_e.slot_at.desc(), _e.newsletter, _e.id))


def _already_decided(slots: Sequence[tuple[Slot, Decision]]) -> Problem:
    return Problem(
        code="edition.decided",
        message=f"another process has just decided {', '.join(slot.edition for slot, _ in slots)}.",
        cure="Its decision stands; look at it with `ketapress outbox list`.",
    )
