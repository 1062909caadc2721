"""Protocols for the store methods that delivery uses."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from ketapress.model.delivery import DeliveryResult, DeliveryState, Recipient
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.message import MessageTemplate


class DeliveryStore(Protocol):
    """Deliveries by edition. Each method is one transaction or a few, and may raise StoreError."""

    def freeze(self, edition_id: int, newsletter: str, now: datetime, *, chunk_size: int = 5000) -> int:
        """Queue a delivery for each active subscriber; return how many. The edition is then sending, unless it is 0.

        Continues a freeze that was killed, and does nothing after a complete one.
        """
        ...

    def has_recipients(self, newsletter: str) -> bool:
        """Whether the newsletter has a subscriber who would get an edition."""
        ...

    def claim(self, edition_id: int, limit: int, worker: str, now: datetime) -> tuple[Recipient, ...]:
        """Claim due deliveries for this worker; none if nothing is due or the edition is not sending.

        Raises LeaseLostError if this worker was declared dead; after `recover` it may claim again.
        """
        ...

    def commit(
        self, edition_id: int, *, results: Sequence[DeliveryResult], intents: Collection[int], now: datetime
    ) -> frozenset[int]:
        """Write results and intents in one transaction; return the intents that hold. `now` is the Date of their messages.

        Raises LeaseLostError if the lease expired: other workers have, or may have, what this one claimed.
        """
        ...

    def spill_results(self, edition_id: int, results: Sequence[DeliveryResult]) -> str:
        """Store results that `commit` did not accept in a file for the next `recover`; return its name, or nothing."""
        ...

    def renew_lease(self) -> None:
        """Renew the lease of 60 seconds; `commit` renews it too."""
        ...

    def release_claims(self, edition_id: int, worker: str, now: datetime) -> int:
        """Return to the queue what this worker claimed and has not begun to send; return how many."""
        ...

    def recover(self, policy: str, now: datetime) -> tuple[int, int]:
        """Take over the deliveries of dead workers; return how many are queued again, and how many are in doubt."""
        ...

    def counts(self, edition_id: int | None = None) -> dict[DeliveryState, int]:
        """Return the number of deliveries in each state."""
        ...

    def count_messages_since(self, moment: datetime) -> int:
        """Return how many messages of all editions had an intent since then."""
        ...

    def next_attempt_at(self, edition_id: int) -> datetime | None:
        """Return when the next delivery may be claimed; None if a person has to act first, or nothing is left."""
        ...

    def end_waiting(self, edition_id: int, state: DeliveryState, now: datetime) -> int:
        """End all deliveries that wait, as EXPIRED or CANCELLED; return how many."""
        ...


class EditionStore(Protocol):
    """Editions to deliver."""

    def list_sendable(self, now: datetime) -> tuple[StoredEdition, ...]:
        """Return the editions that are ready or sending, oldest slot first."""
        ...

    def get(self, newsletter: str, slot_key: str) -> StoredEdition | None: ...

    def get_message_template(self, edition_id: int) -> MessageTemplate: ...

    def transition(
        self,
        edition_id: int,
        from_states: Collection[EditionState],
        to_state: EditionState,
        *,
        reason: str = "",
        now: datetime,
    ) -> bool:
        """Change the state, with a reason for people; return False if it was none of `from_states`."""
        ...
