"""Hold, release, approve and cancel editions, and resolve deliveries in doubt, by a person's decision.

Raises RefusedError for what the state of the edition does not allow.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ketapress.model.delivery import DeliveryState, DeliverySummary
from ketapress.model.edition import HELD_BY_PERSON, EditionState, StoredEdition
from ketapress.model.errors import Problem, RefusedError, Severity, UsageError

if TYPE_CHECKING:
    from ketapress.store.store import Store  # slow to load, and `waiting_problem` does not need it

RELEASED_BY_PERSON = "a person released it"
"""The reason of an edition that is READY after a hold; what held it is not checked again."""

RELEASE_VALIDITY = timedelta(days=1)
"""How long a release is valid: sending of the edition may start until then."""

_RESENDABLE_STATES = frozenset({EditionState.READY, EditionState.HELD, EditionState.SENDING})
_HOLDABLE_STATES = frozenset({EditionState.READY, EditionState.AWAITING_APPROVAL, EditionState.SENDING})


def get_edition(store: "Store", edition_name: str) -> StoredEdition:
    """Return the composed edition of a name (`weekly/2023-06-12T0800`). Raises UsageError if there is none."""
    newsletter, _, key = edition_name.partition("/")
    stored_edition = store.editions.get(newsletter, key)
    if stored_edition is None or stored_edition.state is None:
        raise UsageError(
            Problem(
                code="edition.unknown",
                message=f"there is no edition {edition_name!r}.",
                cure="List all editions with `ketapress outbox list`.",
            )
        )
    return stored_edition


def waiting_problem(edition: StoredEdition) -> Problem:
    """Return the problem of an edition that waits for a person, with the commands that release or cancel it."""
    edition_name, state = edition.slot.edition, edition.state or EditionState.HELD
    command = "approve" if state is EditionState.AWAITING_APPROVAL else "release"
    return Problem(
        code=f"edition.{state.replace(' ', '-')}",
        severity=Severity.WARNING,
        needs_answer=True,
        path=f"outbox/{edition_name}",
        message=f"{edition_name} is {state}: {edition.reason}.",
        cure=f"Check it with `ketapress outbox show {edition_name}`, then run `ketapress outbox {command} {edition_name}` "
        "or `ketapress outbox cancel`.",
    )


def hold(store: "Store", edition_name: str, now: datetime) -> StoredEdition:
    """Hold an edition before or during sending. Messages that are sent already stay sent."""
    return _transition(store, edition_name, _HOLDABLE_STATES, EditionState.HELD, now, reason=HELD_BY_PERSON)


def release(store: "Store", edition_name: str, now: datetime) -> StoredEdition:
    """Release a held edition for sending, even after its deadline."""
    return _release_from(store, edition_name, EditionState.HELD, now)


def approve(store: "Store", edition_name: str, now: datetime) -> StoredEdition:
    """Approve an edition for sending."""
    return _release_from(store, edition_name, EditionState.AWAITING_APPROVAL, now)


def cancel(store: "Store", edition_name: str, now: datetime) -> StoredEdition:
    """Cancel an edition. If no message of it was sent, its posts go into the next edition."""
    stored_edition = get_edition(store, edition_name)
    if not store.editions.cancel(stored_edition.id, now, "a person canceled it"):
        raise RefusedError(_wrong_state_problem(stored_edition, EditionState.CANCELLED))
    return get_edition(store, edition_name)


def resolve(
    store: "Store",
    edition_name: str,
    addresses: Sequence[str],
    *,
    is_sent: bool,
    evidence: str,
    now: datetime,
) -> int:
    """Resolve deliveries in doubt, all of an edition or those to some addresses. Return how many.

    With `is_sent` they arrived, and `evidence` says how that is known; otherwise the next `send` sends them again.
    Raises UsageError for an address without a delivery in doubt, RefusedError if the edition must not be sent any more.
    """
    stored_edition = get_edition(store, edition_name)
    if not is_sent and stored_edition.state not in _RESENDABLE_STATES:
        raise RefusedError(_wrong_state_problem(stored_edition, EditionState.SENDING))
    if addresses:
        addresses_in_doubt = {summary.address.casefold() for summary in list_in_doubt(store, stored_edition)}
        for address in addresses:
            if address.casefold() not in addresses_in_doubt:
                raise UsageError(
                    Problem(
                        code="delivery.certain",
                        message=f"{edition_name} has no unconfirmed message to {address}; nothing was changed.",
                        cure=f"List the unconfirmed messages with `ketapress outbox resolve {edition_name}`.",
                    )
                )
    return store.resolve(stored_edition.id, addresses, is_sent=is_sent, evidence=evidence, now=now)


def list_in_doubt(store: "Store", edition: StoredEdition) -> Iterator[DeliverySummary]:
    """Return the deliveries in doubt of an edition that wait for a person."""
    summaries = store.deliveries.iter_deliveries(edition.id, DeliveryState.IN_DOUBT)
    return (summary for summary in summaries if summary.next_at is None)


def _release_from(
    store: "Store", edition_name: str, from_state: EditionState, now: datetime
) -> StoredEdition:
    send_deadline = max(get_edition(store, edition_name).send_deadline or now, now + RELEASE_VALIDITY)
    return _transition(
        store,
        edition_name,
        {from_state},
        EditionState.READY,
        now,
        reason=RELEASED_BY_PERSON,
        send_deadline=send_deadline,
    )


def _transition(
    store: "Store",
    edition_name: str,
    from_states: Collection[EditionState],
    to_state: EditionState,
    now: datetime,
    *,
    reason: str = "",
    send_deadline: datetime | None = None,
) -> StoredEdition:
    stored_edition = get_edition(store, edition_name)
    if not store.editions.transition(
        stored_edition.id, from_states, to_state, reason=reason, send_deadline=send_deadline, now=now
    ):
        raise RefusedError(_wrong_state_problem(stored_edition, to_state))
    return get_edition(store, edition_name)


def _wrong_state_problem(stored_edition: StoredEdition, to_state: EditionState) -> Problem:
    return Problem(
        code="edition.state",
        message=f"{stored_edition.slot.edition} is {stored_edition.state}, and cannot become {to_state}.",
        cure=f"Check it with `ketapress outbox show {stored_edition.slot.edition}`.",
    )
