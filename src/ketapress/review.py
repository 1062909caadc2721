"""Act: a person decides about an edition: holds it, releases it, approves it, cancels it, says what became of it.

In: the store, an edition's name, now. Out: the edition as it stands then. What cannot be done in its state is refused,
and the message says in which state it is.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ketapress.model.delivery import DeliveryState, DeliverySummary
from ketapress.model.edition import HELD_BY_PERSON, EditionState, StoredEdition
from ketapress.model.errors import Problem, RefusedError, Severity, UsageError

if TYPE_CHECKING:
    from ketapress.store.store import Store  # to tell what waits needs none, and it takes long to load

RELEASED_BY_PERSON = "a person let it go"
"""Why an edition is ready that was held: what held it is not asked again."""

RELEASE_VALIDITY = timedelta(days=1)
"""How long a person's word counts: an edition that they let go may start to go out until then."""

_RESENDABLE_STATES = frozenset({EditionState.READY, EditionState.HELD, EditionState.SENDING})
_UNSENT_STATES = frozenset({EditionState.READY, EditionState.AWAITING_APPROVAL})


def get_edition(store: "Store", edition_name: str) -> StoredEdition:
    """The composed edition of that name (`weekly/2023-06-12T0800`). Raises UsageError."""
    newsletter, _, key = edition_name.partition("/")
    stored_edition = store.editions.get(newsletter, key)
    if stored_edition is None or stored_edition.state is None:
        raise UsageError(
            Problem(
                code="edition.unknown",
                message=f"there is no edition {edition_name!r}.",
                cure="`ketapress outbox list` shows all of them.",
            )
        )
    return stored_edition


def waiting_problem(edition: StoredEdition) -> Problem:
    """That an edition waits for a person, why, and the words that let it go."""
    edition_name, state = edition.slot.edition, edition.state or EditionState.HELD
    command = "approve" if state is EditionState.AWAITING_APPROVAL else "release"
    return Problem(
        code=f"edition.{state.replace(' ', '-')}",
        severity=Severity.WARNING,
        needs_answer=True,
        path=f"outbox/{edition_name}",
        message=f"{edition_name} is {state}: {edition.reason}.",
        cure=f"Look at it with `ketapress outbox show {edition_name}`, then `ketapress outbox {command} {edition_name}`, or `cancel`.",
    )


def hold(store: "Store", edition_name: str, now: datetime) -> StoredEdition:
    """Keeps it from going out, or stops it while it does: who has it has it."""
    holdable_states = _UNSENT_STATES | {EditionState.SENDING}
    return _transition(store, edition_name, holdable_states, EditionState.HELD, now, reason=HELD_BY_PERSON)


def release(store: "Store", edition_name: str, now: datetime) -> StoredEdition:
    """Lets a held edition go out, also one whose time has passed."""
    return _release_from(store, edition_name, EditionState.HELD, now)


def approve(store: "Store", edition_name: str, now: datetime) -> StoredEdition:
    """Lets an edition go out that waits for approval."""
    return _release_from(store, edition_name, EditionState.AWAITING_APPROVAL, now)


def cancel(store: "Store", edition_name: str, now: datetime) -> StoredEdition:
    """Ends it for good; if nothing of it was sent, its posts go into the next one."""
    stored_edition = get_edition(store, edition_name)
    if not store.editions.cancel(stored_edition.id, now, "a person cancelled it"):
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
    """Settles deliveries in doubt, all of the edition or those of some addresses; how many.

    They have arrived (`sent`, and `evidence` says on whose word), or go out again with the next `send`. Raises
    UsageError for an address that waits for nobody, RefusedError where nothing may be sent again.
    """
    stored_edition = get_edition(store, edition_name)
    if not is_sent and stored_edition.state not in _RESENDABLE_STATES:
        raise RefusedError(_wrong_state_problem(stored_edition, EditionState.SENDING))
    addresses_in_doubt = (
        {summary.address.casefold() for summary in list_in_doubt(store, stored_edition)}
        if addresses
        else set()
    )
    for address in addresses:
        if address.casefold() not in addresses_in_doubt:
            raise UsageError(_not_in_doubt_problem(edition_name, address))
    return store.resolve(stored_edition.id, addresses, is_sent=is_sent, evidence=evidence, now=now)


def list_in_doubt(store: "Store", edition: StoredEdition) -> Iterator[DeliverySummary]:
    """The deliveries of which nobody knows whether they arrived, and that wait for a person."""
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


def _not_in_doubt_problem(edition_name: str, address: str) -> Problem:
    return Problem(
        code="delivery.certain",
        message=f"{edition_name}: nothing is in doubt about {address}; nothing was changed.",
        cure=f"`ketapress outbox resolve {edition_name}` lists who is.",
    )


def _wrong_state_problem(stored_edition: StoredEdition, to_state: EditionState) -> Problem:
    return Problem(
        code="edition.state",
        message=f"{stored_edition.slot.edition} is {stored_edition.state}, which cannot become {to_state}.",
        cure=f"`ketapress outbox show {stored_edition.slot.edition}` tells how it stands.",
    )
