"""Editions on record: before the first message of a run can leave, the outbox knows of the run and of each edition.

In: the store, the publication's folder, the clock. Out: the `Editions` that a sender works on. An older copy of the
database is known by this record (see `restore.py`); it decides nothing about what is sent.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from pathlib import Path

from ketapress.deliver.report import EditionReport
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.message import MessageTemplate
from ketapress.outbox.sent_log import raise_outbox_generation, record_progress
from ketapress.store.store import Store


class RecordedEditions:
    """The store's editions; those that are about to go out are written down in `outbox/` first."""

    def __init__(self, store: Store, root: Path, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._root = root
        self._clock = clock
        self._begun = False

    def list_sendable(self, now: datetime) -> tuple[StoredEdition, ...]:
        found = self._store.editions.list_sendable(now)
        due = [each for each in found if self._is_due(each, now)]
        if due and not self._begun:
            self._begun = True
            self._raise()
        for each in due:
            record_progress(self._root, each, has_started=True, is_finished=False, now=now)
        return found

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

    def ended(self, reports: Iterable[EditionReport]) -> None:
        """The run is over: how far each edition came is written down, and a copy made meanwhile is an older one."""
        for each in reports:
            edition = self.get(*each.edition.split("/", 1))
            if edition is not None and self._begun:
                over = each.state is EditionState.DONE
                record_progress(
                    self._root,
                    edition,
                    has_started=over or bool(each.frozen),
                    is_finished=over,
                    now=self._clock(),
                )
        if self._begun:
            self._raise()

    def _raise(self) -> None:
        """The store first: a store that is ahead of its outbox is no copy, and a kill between the two harms nothing."""
        raise_outbox_generation(self._root, self._store.raise_generation())

    def _is_due(self, edition: StoredEdition, now: datetime) -> bool:
        """Whether something of it may go out now: not while it only waits for tries that are due later."""
        if edition.state is EditionState.READY:
            return True
        due = self._store.deliveries.next_attempt_at(edition.id)
        return due is None or due <= now
