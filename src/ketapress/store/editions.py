"""The editions repository: one row for each slot that was decided; a composed one holds its message template.

A state changes only from the states that the caller names: if the edition is in another one, the answer is False.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, null, select, true, update
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
    """Another process decided one of the slots first: nothing was written."""


class Editions:
    """The decided slots and their editions."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get_newest_decided_slot(self, newsletter: str) -> Slot | None:
        """Return the latest decided slot, whatever the decision; None if there is none."""
        query = select(_edition.slot_key, _edition.slot_at).where(_edition.newsletter == newsletter)
        with self._transactions.read() as connection:
            row = connection.execute(query.order_by(_edition.slot_at.desc()).limit(1)).first()
        return Slot(newsletter, row.slot_key, row.slot_at) if row else None

    def list_slot_keys_since(self, newsletter: str, moment: datetime) -> frozenset[str]:
        """Return the keys of the decided slots at or after a moment, whatever the decision."""
        query = select(_edition.slot_key).where(_edition.newsletter == newsletter, _edition.slot_at >= moment)
        with self._transactions.read() as connection:
            return frozenset(connection.scalars(query))

    def get_newest_composed_at(self, newsletter: str, before: datetime | None = None) -> datetime | None:
        """Return the slot time of the latest scheduled edition with posts, before a moment; None if there is none.

        An edition that was canceled before sending has no posts any more, and an extra one moves no window.
        """
        has_posts = exists().where(edition_posts.c.edition_id == _edition.id)
        query = select(_edition.slot_at).where(
            _edition.newsletter == newsletter,
            _edition.decision == Decision.COMPOSED,
            _edition.is_extra.is_not(true()),
            has_posts,
        )
        if before is not None:
            query = query.where(_edition.slot_at < before)
        with self._transactions.read() as connection:
            return connection.scalar(query.order_by(_edition.slot_at.desc()).limit(1))

    def list_taken_post_ids(self, newsletter: str) -> frozenset[str]:
        """Return the ids of the posts in the newsletter's editions, which may not be in another one."""
        with self._transactions.read() as connection:
            return list_taken_post_ids(connection, newsletter)

    def list_post_slots(self, newsletter: str) -> Mapping[str, Slot]:
        """Return the slot of the edition that each post of the newsletter is in, by the post's id."""
        query = select(edition_posts.c.post_id, _edition.slot_key, _edition.slot_at).where(
            edition_posts.c.newsletter == newsletter, edition_posts.c.edition_id == _edition.id
        )
        with self._transactions.read() as connection:
            return {
                row.post_id: Slot(newsletter, row.slot_key, row.slot_at) for row in connection.execute(query)
            }

    def decide_slots(
        self,
        slots: Sequence[tuple[Slot, Decision]],
        *,
        window: Window,
        post_ids: Sequence[str],
        send_deadline: datetime | None,
        now: datetime,
        is_extra: bool = False,
        first_slot_at: datetime | None = None,
    ) -> int | None:
        """Decide all of these slots or none. Return the id of the composed one, now BUILDING; None if none is.

        `is_extra` says that the schedule does not name its slot. The first decision is for all slots since
        `first_slot_at`, if that is given.

        Raises AlreadyDecidedError, and writes nothing, if another process decided one of the slots, or put one of the
        posts into an edition, first.
        """
        try:
            with self._transactions.write() as connection:
                return insert_decisions(
                    connection,
                    slots,
                    window,
                    post_ids,
                    send_deadline,
                    now,
                    is_extra=is_extra,
                    first_slot_at=first_slot_at,
                )
        except IntegrityError as error:
            raise AlreadyDecidedError(
                Problem(
                    code="edition.decided",
                    message=f"another process has just scheduled {', '.join(slot.edition for slot, _ in slots)}.",
                    cure="Check the result with `ketapress outbox list`.",
                )
            ) from error

    def claim_interrupted(self) -> tuple[StoredEdition, ...]:
        """Claim the editions whose composer died while they were BUILDING, and return them, oldest slot first.

        On SQLite these are all BUILDING editions, because the caller holds the publication's lock; on PostgreSQL those
        whose lease has expired.
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
        input_hash: str | None = None,
        folder: str | None = None,
        expected_hash: str | None = None,
    ) -> bool:
        """Save the rendered edition, and change its state. Return False, and change nothing, if that is not allowed.

        It is allowed from `from_states` and from `expected_hash` (None: from any), and never once the recipients are
        frozen. `input_hash` is of the inputs that were rendered, `folder` the publication folder that did it.
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
                expected_hash=expected_hash,
                input_hash=input_hash,
                folder=folder,
                why=reason,
            )

    def save_input_hash(self, edition_id: int, input_hash: str, folder: str) -> None:
        """Store the hash of inputs that give the message that the edition has."""
        statement = update(editions).where(_edition.id == edition_id, _edition.freeze_to.is_(None))
        with self._transactions.write() as connection:
            connection.execute(statement.values(input_hash=input_hash, folder=folder))

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
        """Insert an edition that was sent without this database's knowledge, as DONE, with its posts.

        Without a `digest` it has no message and no web page. Return False, and change nothing, if the slot is decided.
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
        """Change an edition's state and its reason. Return False, and change nothing, if it is in no `from_states`.

        `send_deadline`, if given, is the new last instant at which sending may start automatically.
        """
        values = {} if send_deadline is None else {"send_by": send_deadline}
        with self._transactions.write() as connection:
            return transition_edition(
                connection, edition_id, from_states, to_state, now, why=reason, **values
            )

    def cancel(self, edition_id: int, now: datetime, reason: str) -> bool:
        """Cancel an edition and its waiting deliveries. Return False, and change nothing, if it is done or canceled.

        Its posts are released for the next edition unless a message may have been sent. A message that is being sent
        now is not stopped; claimed deliveries are canceled when their worker commits.
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
        """Return a decided slot, without its web page; None if it is not decided."""
        editions_by_key = self._select(_edition.newsletter == newsletter, _edition.slot_key == slot_key)
        return editions_by_key[0] if editions_by_key else None

    def get_range(self, slot: Slot) -> StoredEdition | None:
        """Return the decision about a range of slots that contains this one; None if there is none."""
        editions_in_range = self._select(
            _edition.newsletter == slot.newsletter,
            _edition.first_slot_at <= slot.at,
            _edition.slot_at >= slot.at,
        )
        return editions_in_range[0] if editions_in_range else None

    def list_all(self, newsletter: str | None = None) -> tuple[StoredEdition, ...]:
        """Return all decided slots, newest first, without web pages and messages."""
        return self._select(*([_edition.newsletter == newsletter] if newsletter is not None else []))

    def list_unfrozen(self, states: Collection[EditionState]) -> tuple[StoredEdition, ...]:
        """Return the editions in these states whose recipients are not frozen, newest first."""
        return self._select(_edition.state.in_(states), _edition.freeze_to.is_(None))

    def list_states(self) -> tuple[tuple[int, EditionState], ...]:
        """Return the id and state of every edition: cheap enough to poll every few seconds."""
        query = select(_edition.id, _edition.state).where(_edition.state.is_not(None)).order_by(_edition.id)
        with self._transactions.read() as connection:
            return tuple((row.id, row.state) for row in connection.execute(query))

    def list_public(self) -> tuple[StoredEdition, ...]:
        """Return the public editions, newest first, with their web pages."""
        with self._transactions.read() as connection:
            return select_public_editions(get_driver_cursor(connection), self._transactions.dialect)

    def list_newsletters(self) -> frozenset[str]:
        """Return the names of the newsletters that have editions."""
        with self._transactions.read() as connection:
            return frozenset(
                connection.scalars(select(_edition.newsletter).where(_edition.state.is_not(None)).distinct())
            )

    def list_sendable(self, now: datetime) -> tuple[StoredEdition, ...]:
        """Return the READY and SENDING editions whose slot has come, oldest slot first."""
        is_sendable = _edition.state.in_((EditionState.READY, EditionState.SENDING))
        query = select(*EDITION_COLUMNS).where(is_sendable, _edition.slot_at <= now)
        with self._transactions.read() as connection:
            return load_editions(
                connection, query.order_by(_edition.slot_at, _edition.newsletter, _edition.id)
            )

    def get_message_template(self, edition_id: int) -> MessageTemplate:
        """Return the message template of an edition. There is one once `save_message` has run."""
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
