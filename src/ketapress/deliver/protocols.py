"""The part of the store that delivering needs, and what it may rely on. The store has it; nothing here works by itself."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from ketapress.model.delivery import DeliveryResult, DeliveryState, Recipient
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.message import MessageTemplate


class DeliveryStore(Protocol):
    """Who gets what, and how far it has come. Every method is one transaction or a few, and may raise `StoreError`."""

    def freeze(self, edition_id: int, newsletter: str, now: datetime, *, chunk_size: int = 5000) -> int:
        """A queued delivery for everybody who is active; how many. The edition is then sending; with nobody it stays.

        Goes on where an earlier freeze was killed, and does nothing where it was complete.
        """
        ...

    def has_recipients(self, newsletter: str) -> bool:
        """Whether an edition of this newsletter would go to anybody."""
        ...

    def claim(self, edition_id: int, limit: int, worker: str, now: datetime) -> tuple[Recipient, ...]:
        """Due deliveries, now this worker's alone; none when nothing is due or the edition is not sending.

        Raises TakenOver where this worker was declared dead: `recover` lets it begin anew.
        """
        ...

    def commit(
        self, edition_id: int, *, results: Sequence[DeliveryResult], intents: Collection[int], now: datetime
    ) -> frozenset[int]:
        """Writes results and intents together; the intents that may go out. `now` is the Date of their messages.

        Raises TakenOver where this process was silent for so long that others have, or may have, what it claimed.
        """
        ...

    def spill_results(self, edition_id: int, results: Sequence[DeliveryResult]) -> str:
        """Puts results that `commit` did not take into a file, for the next `recover`; its name, or nothing."""
        ...

    def renew_lease(self) -> None:
        """Says that this process is alive, where it commits nothing for a while: a lease holds 60 seconds."""
        ...

    def release_claims(self, edition_id: int, worker: str, now: datetime) -> int:
        """Hands back what this worker claimed and did not begin to send."""
        ...

    def recover(self, policy: str, now: datetime) -> tuple[int, int]:
        """Takes over from the dead: how many were handed back, how many are in doubt."""
        ...

    def counts(self, edition_id: int | None = None) -> dict[DeliveryState, int]:
        """How many deliveries of the edition stand in each state."""
        ...

    def count_messages_since(self, moment: datetime) -> int:
        """How many messages of all editions went to their dot since then, or are about to."""
        ...

    def next_attempt_at(self, edition_id: int) -> datetime | None:
        """When the next delivery may be claimed; None when none will be by itself."""
        ...

    def end_waiting(self, edition_id: int, state: DeliveryState, now: datetime) -> int:
        """What waits in the edition ends as EXPIRED or CANCELLED."""
        ...


class EditionStore(Protocol):
    """What there is to deliver."""

    def list_sendable(self, now: datetime) -> tuple[StoredEdition, ...]:
        """The editions that are ready or sending, oldest slot first."""
        ...

    def get(self, newsletter: str, slot_key: str) -> StoredEdition | None:
        """The edition of that newsletter and slot key, as it stands now."""
        ...

    def get_message_template(self, edition_id: int) -> MessageTemplate:
        """What is stamped and sent."""
        ...

    def transition(
        self,
        edition_id: int,
        from_states: Collection[EditionState],
        to_state: EditionState,
        *,
        reason: str = "",
        now: datetime,
    ) -> bool:
        """From one of these states to another, with a reason for people; False when it was in none of them."""
        ...
