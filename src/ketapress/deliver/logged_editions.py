"""Editions on record: before the first message of a run can leave, the outbox knows of the run and of each edition.

In: the store, the publication's folder, the clock. Out: the `Editions` that a sender works on. An older copy of the
database is known by this record (see `restore.py`); it decides nothing about what is sent.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from pathlib import Path

from ketapress.deliver.report import EditionReport
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.message import Letter
from ketapress.outbox.sent_log import note, raise_outbox_generation
from ketapress.store.store import Store


class RecordedEditions:
    """The store's editions; those that are about to go out are written down in `outbox/` first."""

    def __init__(self, store: Store, root: Path, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._root = root
        self._clock = clock
        self._begun = False

    def sendable(self, now: datetime) -> tuple[StoredEdition, ...]:
        found = self._store.editions.sendable(now)
        due = [each for each in found if self._is_due(each, now)]
        if due and not self._begun:
            self._begun = True
            self._raise()
        for each in due:
            note(self._root, each, left=True, over=False, now=now)
        return found

    def get(self, newsletter: str, key: str) -> StoredEdition | None:
        return self._store.editions.get(newsletter, key)

    def letter(self, edition_id: int) -> Letter:
        return self._store.editions.letter(edition_id)

    def move(
        self,
        edition_id: int,
        frm: Collection[EditionState],
        to: EditionState,
        *,
        why: str = "",
        now: datetime,
    ) -> bool:
        return self._store.editions.move(edition_id, frm, to, why=why, now=now)

    def ended(self, reports: Iterable[EditionReport]) -> None:
        """The run is over: how far each edition came is written down, and a copy made meanwhile is an older one."""
        for each in reports:
            edition = self.get(*each.edition.split("/", 1))
            if edition is not None and self._begun:
                over = each.state is EditionState.DONE
                note(self._root, edition, left=over or bool(each.frozen), over=over, now=self._clock())
        if self._begun:
            self._raise()

    def _raise(self) -> None:
        """The store first: a store that is ahead of its outbox is no copy, and a kill between the two harms nothing."""
        raise_outbox_generation(self._root, self._store.raise_generation())

    def _is_due(self, edition: StoredEdition, now: datetime) -> bool:
        """Whether something of it may go out now: not while it only waits for tries that are due later."""
        if edition.state is EditionState.READY:
            return True
        due = self._store.deliveries.next_due(edition.id)
        return due is None or due <= now
