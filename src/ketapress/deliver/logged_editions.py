"""Record in the outbox that sending started, before the first message can be sent.

By this record an older copy of the database is recognized (see `restore.py`). It decides nothing about what is sent.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from pathlib import Path

from ketapress.deliver.report import EditionReport
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.message import MessageTemplate
from ketapress.outbox.sent_log import raise_outbox_generation, record_progress
from ketapress.store.store import Store


class LoggedEditions:
    """The editions of the store; those that are about to be sent are recorded in the outbox first."""

    def __init__(self, store: Store, root: Path, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._root = root
        self._clock = clock
        self._has_started = False

    def list_sendable(self, now: datetime) -> tuple[StoredEdition, ...]:
        editions = self._store.editions.list_sendable(now)
        due_editions = [edition for edition in editions if self._is_due(edition, now)]
        if due_editions and not self._has_started:
            self._has_started = True
            self._raise_generation()
        for edition in due_editions:
            record_progress(self._root, edition, has_started=True, is_finished=False, now=now)
        return editions

    def get(self, newsletter: str, slot_key: str) -> StoredEdition | None:
        return self._store.editions.get(newsletter, slot_key)

    def get_message_template(self, edition_id: int) -> MessageTemplate:
        return self._store.editions.get_message_template(edition_id)

    def transition(
        self,
        edition_id: int,
        from_states: Collection[EditionState],
        to_state: EditionState,
        *,
        reason: str = "",
        now: datetime,
    ) -> bool:
        return self._store.editions.transition(edition_id, from_states, to_state, reason=reason, now=now)

    def finish(self, reports: Iterable[EditionReport]) -> None:
        """Record how far each edition came. A backup made during this run is an older copy from now on."""
        if not self._has_started:
            return
        for report in reports:
            edition = self.get(*report.edition.split("/", 1))
            if edition is not None:
                is_finished = report.state is EditionState.DONE
                has_started = is_finished or bool(report.frozen)
                record_progress(
                    self._root, edition, has_started=has_started, is_finished=is_finished, now=self._clock()
                )
        self._raise_generation()

    def _raise_generation(self) -> None:
        """Raise the store's generation first: a store ahead of its outbox is no older copy, so a kill here is safe."""
        raise_outbox_generation(self._root, self._store.raise_generation())

    def _is_due(self, edition: StoredEdition, now: datetime) -> bool:
        """Whether a message may be sent now, and not only after a later attempt is due."""
        if edition.state is EditionState.READY:
            return True
        next_attempt = self._store.deliveries.next_attempt_at(edition.id)
        return next_attempt is None or next_attempt <= now
