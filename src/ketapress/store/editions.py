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
from ketapress.model.message import Digest, MessageTemplate
from ketapress.store.db.engine import Transactions
from ketapress.store.db.schema import edition_posts, editions
from ketapress.store.public_editions import select_public_editions
from ketapress.store.statements.counts import get_driver_cursor
from ketapress.store.statements.decide_slots import (
    claim_interrupted,
    insert_decisions,
    insert_sent_edition,
    list_taken_post_ids,
    release_posts,
    save_message,
)
from ketapress.store.statements.edition_rows import EDITION_COLUMNS, load_editions, transition_edition
from ketapress.store.statements.message_codec import decode_message
from ketapress.store.statements.transitions import end_waiting, may_have_sent

_FINAL_STATES = (EditionState.DONE, EditionState.CANCELLED)
_edition = editions.c


class AlreadyDecidedError(RefusedError):
    """Another process decided one of the slots first. Its decision stands, and nothing was written."""


class Editions:
    """Decided slots, and the editions that came of them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get_newest_decided_slot(self, newsletter: str) -> Slot | None:
        """The latest slot that was decided, however."""
        query = select(_edition.slot_key, _edition.slot_at).where(_edition.newsletter == newsletter)
        with self._transactions.read() as connection:
            row = connection.execute(query.order_by(_edition.slot_at.desc()).limit(1)).first()
        return Slot(newsletter, row.slot_key, row.slot_at) if row else None

    def list_slot_keys_since(self, newsletter: str, moment: datetime) -> frozenset[str]:
        """The keys of the slots at or after a moment that were decided, however."""
        query = select(_edition.slot_key).where(_edition.newsletter == newsletter, _edition.slot_at >= moment)
        with self._transactions.read() as connection:
            return frozenset(connection.scalars(query))

    def get_newest_composed_at(self, newsletter: str) -> datetime | None:
        """The instant of the latest edition that has posts: one that was cancelled in time gave its posts back."""
        has_posts = exists().where(edition_posts.c.edition_id == _edition.id)
        query = select(_edition.slot_at).where(
            _edition.newsletter == newsletter, _edition.decision == Decision.COMPOSED, has_posts
        )
        with self._transactions.read() as connection:
            return connection.scalar(query.order_by(_edition.slot_at.desc()).limit(1))

    def list_taken_post_ids(self, newsletter: str) -> frozenset[str]:
        """The posts that stand in an edition of this newsletter, and may stand in no other."""
        with self._transactions.read() as connection:
            return list_taken_post_ids(connection, newsletter)

    def decide_slots(
        self,
        slots: Sequence[tuple[Slot, Decision]],
        *,
        window: Window,
        post_ids: Sequence[str],
        send_deadline: datetime | None,
        now: datetime,
    ) -> int | None:
        """Decides all of these slots or none; the id of the composed one, or None where none is.

        The composed one is building from here on, and its posts are taken. Raises AlreadyDecidedError, and writes
        nothing, when another process decided one of the slots or took one of the posts first.
        """
        try:
            with self._transactions.write() as connection:
                return insert_decisions(connection, slots, window, post_ids, send_deadline, now)
        except IntegrityError as error:
            raise AlreadyDecidedError(_already_decided_problem(slots)) from error

    def claim_interrupted(self) -> tuple[StoredEdition, ...]:
        """Editions whose maker died before they were finished, oldest first: now they are the caller's to finish.

        On SQLite that is everything in the making, because the caller holds the folder's lock; on PostgreSQL what
        nobody has a lease on.
        """
        with self._transactions.write() as connection:
            return claim_interrupted(connection, has_leases=self._transactions.is_shared)

    def save_message(
        self,
        edition_id: int,
        state: EditionState,
        *,
        subject: str,
        digest: Digest,
        post_ids: Sequence[str],
        reason: str,
        now: datetime,
        from_states: Collection[EditionState] = (EditionState.BUILDING,),
    ) -> bool:
        """Puts the letter in the row, and moves it from building to its first state. False if it was not building.

        `frm` are other states in which a letter may be replaced; never once anybody was frozen into the edition.
        """
        with self._transactions.write() as connection:
            return save_message(
                connection,
                edition_id,
                from_states,
                state,
                now,
                digest=digest,
                post_ids=post_ids,
                subject=subject,
                why=reason,
            )

    def import_sent(
        self,
        slot: Slot,
        *,
        window: Window | None,
        subject: str,
        post_ids: Sequence[str],
        digest: Digest | None,
        reason: str,
        now: datetime,
    ) -> bool:
        """An edition that went out without this store's knowledge: it is done, and its posts are taken.

        Without a `digest` it has no letter and no page. False, and nothing changed, where the slot is decided here.
        """
        try:
            with self._transactions.write() as connection:
                insert_sent_edition(
                    connection,
                    slot,
                    now,
                    window=window,
                    digest=digest,
                    post_ids=post_ids,
                    subject=subject,
                    why=reason,
                )
        except IntegrityError:
            return False
        return True

    def transition(
        self,
        edition_id: int,
        from_states: Collection[EditionState],
        to_state: EditionState,
        *,
        reason: str = "",
        send_deadline: datetime | None = None,
        now: datetime,
    ) -> bool:
        """From one of these states to another. False, and nothing changed, when it was in none of them.

        `send_by`, where it is given, is the new last instant at which it may start to go out by itself.
        """
        values = {} if send_deadline is None else {"send_by": send_deadline}
        with self._transactions.write() as connection:
            return transition_edition(
                connection, edition_id, from_states, to_state, now, why=reason, **values
            )

    def cancel(self, edition_id: int, now: datetime, reason: str) -> bool:
        """Ends it: what waits is cancelled, and if no message has left, its posts are free again. False if it was over.

        A message that is just being sent may still leave; what a worker only holds is cancelled when it commits.
        """
        open_states = tuple(state for state in EditionState if state not in _FINAL_STATES)
        with self._transactions.write() as connection:
            if not transition_edition(
                connection,
                edition_id,
                open_states,
                EditionState.CANCELLED,
                now,
                why=reason,
                lease_until=null(),
            ):
                return False
            end_waiting(connection, edition_id, DeliveryState.CANCELLED)
            if not may_have_sent(connection, edition_id):
                release_posts(connection, edition_id)
            return True

    def get(self, newsletter: str, slot_key: str) -> StoredEdition | None:
        """The decided slot of that name, without its page."""
        editions_found = self._select(_edition.newsletter == newsletter, _edition.slot_key == slot_key)
        return editions_found[0] if editions_found else None

    def list_all(self, newsletter: str | None = None) -> tuple[StoredEdition, ...]:
        """Every decided slot, newest first, without pages and letters."""
        return self._select(*([_edition.newsletter == newsletter] if newsletter is not None else []))

    def list_states(self) -> tuple[tuple[int, EditionState], ...]:
        """How far each edition is, by its id: cheap enough to be asked every few seconds."""
        query = select(_edition.id, _edition.state).where(_edition.state.is_not(None)).order_by(_edition.id)
        with self._transactions.read() as connection:
            return tuple((row.id, row.state) for row in connection.execute(query))

    def list_public(self) -> tuple[StoredEdition, ...]:
        """The editions that everybody may read, newest first, with their pages."""
        with self._transactions.read() as connection:
            return select_public_editions(get_driver_cursor(connection), self._transactions.dialect)

    def list_sendable(self, now: datetime) -> tuple[StoredEdition, ...]:
        """Editions whose slot has come, and that are ready or sending: oldest slot first."""
        is_sendable = _edition.state.in_((EditionState.READY, EditionState.SENDING))
        query = select(*EDITION_COLUMNS).where(is_sendable, _edition.slot_at <= now)
        with self._transactions.read() as connection:
            return load_editions(
                connection, query.order_by(_edition.slot_at, _edition.newsletter, _edition.id)
            )

    def get_message_template(self, edition_id: int) -> MessageTemplate:
        """What is stamped and sent. There is one from `finish` on."""
        with self._transactions.read() as connection:
            return decode_message(
                connection.execute(select(_edition.letter).where(_edition.id == edition_id)).scalar_one()
            )

    def _select(self, *conditions: Any) -> tuple[StoredEdition, ...]:
        query = select(*EDITION_COLUMNS).where(*conditions)
        with self._transactions.read() as connection:
            return load_editions(
                connection, query.order_by(_edition.slot_at.desc(), _edition.newsletter, _edition.id)
            )


def _already_decided_problem(slots: Sequence[tuple[Slot, Decision]]) -> Problem:
    return Problem(
        code="edition.decided",
        message=f"another process has just decided {', '.join(slot.edition for slot, _ in slots)}.",
        cure="Its decision stands; look at it with `ketapress outbox list`.",
    )
