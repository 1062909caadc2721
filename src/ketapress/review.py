"""Act: a person decides about an edition: holds it, releases it, approves it, cancels it, says what became of it.

In: the store, an edition's name, now. Out: the edition as it stands then. What cannot be done in its state is refused,
and the message says in which state it is.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ketapress.model.delivery import DeliveryLine, DeliveryState
from ketapress.model.edition import HELD_BY_PERSON, EditionState, StoredEdition
from ketapress.model.errors import Problem, RefusedError, Severity, UsageError

if TYPE_CHECKING:
    from ketapress.store.store import Store  # to tell what waits needs none, and it takes long to load

LET_GO = "a person let it go"
"""Why an edition is ready that was held: what held it is not asked again."""

RELEASED_FOR = timedelta(days=1)
"""How long a person's word counts: an edition that they let go may start to go out until then."""

_GOING_ON = frozenset({EditionState.READY, EditionState.HELD, EditionState.SENDING})
_BEFORE_SENDING = frozenset({EditionState.READY, EditionState.AWAITING_APPROVAL})


def stored(store: "Store", edition: str) -> StoredEdition:
    """The composed edition of that name (`weekly/2023-06-12T0800`). Raises UsageError."""
    newsletter, _, key = edition.partition("/")
    found = store.editions.get(newsletter, key)
    if found is None or found.state is None:
        raise UsageError(
            Problem(
                code="edition.unknown",
                message=f"there is no edition {edition!r}.",
                cure="`ketapress outbox list` shows all of them.",
            )
        )
    return found


def waiting_problem(edition: StoredEdition) -> Problem:
    """That an edition waits for a person, why, and the words that let it go."""
    name, state = edition.slot.edition, edition.state or EditionState.HELD
    word = "approve" if state is EditionState.AWAITING_APPROVAL else "release"
    return Problem(
        code=f"edition.{state.replace(' ', '-')}",
        severity=Severity.WARNING,
        asks=True,
        path=f"outbox/{name}",
        message=f"{name} is {state}: {edition.why}.",
        cure=f"Look at it with `ketapress outbox show {name}`, then `ketapress outbox {word} {name}`, or `cancel`.",
    )


def hold(store: "Store", edition: str, now: datetime) -> StoredEdition:
    """Keeps it from going out, or stops it while it does: who has it has it."""
    stoppable = _BEFORE_SENDING | {EditionState.SENDING}
    return _moved(store, edition, stoppable, EditionState.HELD, now, why=HELD_BY_PERSON)


def release(store: "Store", edition: str, now: datetime) -> StoredEdition:
    """Lets a held edition go out, also one whose time has passed."""
    return _let_go(store, edition, EditionState.HELD, now)


def approve(store: "Store", edition: str, now: datetime) -> StoredEdition:
    """Lets an edition go out that waits for approval."""
    return _let_go(store, edition, EditionState.AWAITING_APPROVAL, now)


def cancel(store: "Store", edition: str, now: datetime) -> StoredEdition:
    """Ends it for good; if nothing of it was sent, its posts go into the next one."""
    found = stored(store, edition)
    if not store.editions.cancel(found.id, now, "a person cancelled it"):
        raise RefusedError(_wrong_state(found, EditionState.CANCELLED))
    return stored(store, edition)


def resolve(
    store: "Store", edition: str, addresses: Sequence[str], *, sent: bool, evidence: str, now: datetime
) -> int:
    """Settles deliveries in doubt, all of the edition or those of some addresses; how many.

    They have arrived (`sent`, and `evidence` says on whose word), or go out again with the next `send`. Raises
    UsageError for an address that waits for nobody, RefusedError where nothing may be sent again.
    """
    found = stored(store, edition)
    if not sent and found.state not in _GOING_ON:
        raise RefusedError(_wrong_state(found, EditionState.SENDING))
    waiting = {each.address.casefold() for each in doubtful(store, found)} if addresses else set()
    for address in addresses:
        if address.casefold() not in waiting:
            raise UsageError(_not_in_doubt(edition, address))
    return store.resolve(found.id, addresses, sent=sent, evidence=evidence, now=now)


def doubtful(store: "Store", found: StoredEdition) -> Iterator[DeliveryLine]:
    """The deliveries of which nobody knows whether they arrived, and that wait for a person."""
    waiting = store.deliveries.lines(found.id, DeliveryState.IN_DOUBT)
    return (each for each in waiting if each.next_at is None)


def _let_go(store: "Store", edition: str, frm: EditionState, now: datetime) -> StoredEdition:
    until = max(stored(store, edition).send_by or now, now + RELEASED_FOR)
    return _moved(store, edition, {frm}, EditionState.READY, now, why=LET_GO, send_by=until)


def _moved(
    store: "Store",
    edition: str,
    frm: Collection[EditionState],
    to: EditionState,
    now: datetime,
    *,
    why: str = "",
    send_by: datetime | None = None,
) -> StoredEdition:
    found = stored(store, edition)
    if not store.editions.move(found.id, frm, to, why=why, send_by=send_by, now=now):
        raise RefusedError(_wrong_state(found, to))
    return stored(store, edition)


def _not_in_doubt(edition: str, address: str) -> Problem:
    return Problem(
        code="delivery.certain",
        message=f"{edition}: nothing is in doubt about {address}; nothing was changed.",
        cure=f"`ketapress outbox resolve {edition}` lists who is.",
    )


def _wrong_state(found: StoredEdition, to: EditionState) -> Problem:
    return Problem(
        code="edition.state",
        message=f"{found.slot.edition} is {found.state}, which cannot become {to}.",
        cure=f"`ketapress outbox show {found.slot.edition}` tells how it stands.",
    )
