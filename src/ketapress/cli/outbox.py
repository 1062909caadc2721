"""`ketapress outbox …`: what was composed, and what a person decides about it."""

from typing import Any

import click

from ketapress.cli.door import Answer, Door, command, group
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.errors import Problem, RefusedError, UsageError

_BEFORE_SENDING = frozenset({EditionState.READY, EditionState.AWAITING_APPROVAL})
_STOPPABLE = _BEFORE_SENDING | {EditionState.SENDING}
_edition = click.argument("edition")


@command("outbox list", "List editions, newest first.")
@click.argument("newsletter", required=False)
def list_(door: Door, newsletter: str | None) -> Answer:
    editions = [each for each in door.publication.store.editions.all(newsletter) if each.state]
    result = {
        "editions": [
            {"edition": each.slot.edition, "state": str(each.state), "subject": each.subject, "why": each.why}
            for each in editions
        ]
    }
    lines = [f"{each.slot.edition}  {each.state}  {each.subject}" for each in editions]
    return Answer(result, lines or ["No edition yet: `ketapress publish` composes what is due."])


@command("outbox show", "Show one edition: its posts, sizes, and who got it.")
@_edition
@click.option("--deliveries", "with_deliveries", is_flag=True, help="Also list every delivery.")
def show(door: Door, edition: str, *, with_deliveries: bool) -> Answer:
    found = _stored(door, edition)
    store = door.publication.store
    counts = {str(state): count for state, count in store.deliveries.counts(found.id).items()}
    result: dict[str, Any] = {
        "edition": edition,
        "state": str(found.state),
        "subject": found.subject,
        "why": found.why,
        "window": found.window and [door.iso(found.window.after), door.iso(found.window.until)],
        "posts": list(found.post_ids),
        "sizes": dict(found.sizes or {}),
        "counts": counts,
    }
    lines = [
        f"{edition}: “{found.subject}”, {found.state}{': ' + found.why if found.why else ''}.",
        *(f"  {post_id}" for post_id in found.post_ids),
        *(f"  {name}: {size:,} bytes" for name, size in (found.sizes or {}).items()),
        f"  deliveries: {', '.join(f'{count:,} {state}' for state, count in counts.items()) or 'none yet'}",
    ]
    if with_deliveries:
        deliveries = [
            {
                "address": each.address,
                "state": str(each.state),
                "attempts": each.attempts,
                "message_id": door.publication.message_id(found, each.subscription_id),
                "reply": each.reply,
            }
            for each in store.deliveries.lines(found.id)
        ]
        result["deliveries"] = deliveries
        lines += [f"  {each['address']}  {each['state']}  {each['reply']}" for each in deliveries]
    return Answer(result, lines)


@command("outbox hold", "Keep an edition from going out, or stop it while it does.")
@_edition
def hold(door: Door, edition: str) -> Answer:
    return _moved(door, edition, _STOPPABLE, EditionState.HELD, "a person held it")


@command("outbox release", "Let a held edition go out with the next `send`.")
@_edition
def release(door: Door, edition: str) -> Answer:
    return _moved(door, edition, {EditionState.HELD}, EditionState.READY, "")


@command("outbox approve", "Approve an edition that waits for it.")
@_edition
def approve(door: Door, edition: str) -> Answer:
    return _moved(door, edition, {EditionState.AWAITING_APPROVAL}, EditionState.READY, "")


@command(
    "outbox cancel", "Cancel an edition for good; if nothing of it was sent, its posts go into the next one."
)
@_edition
def cancel(door: Door, edition: str) -> Answer:
    found = _stored(door, edition)
    if not door.publication.store.editions.cancel(found.id, door.clock(), "a person cancelled it"):
        raise RefusedError(_wrong_state(found, EditionState.CANCELLED))
    return Answer({"edition": edition, "state": str(EditionState.CANCELLED)}, [f"{edition} is cancelled."])


outbox = group(
    "outbox",
    "List, show, hold, release, approve or cancel editions.",
    [list_, show, hold, release, approve, cancel],
)


def _stored(door: Door, edition: str) -> StoredEdition:
    name, _, key = edition.partition("/")
    found = door.publication.store.editions.get(name, key)
    if found is None or found.state is None:
        raise UsageError(
            Problem(
                code="edition.unknown",
                message=f"there is no edition {edition!r}.",
                cure="`ketapress outbox list` shows all of them.",
            )
        )
    return found


def _moved(
    door: Door, edition: str, frm: frozenset[EditionState] | set[EditionState], to: EditionState, why: str
) -> Answer:
    found = _stored(door, edition)
    if not door.publication.store.editions.move(found.id, frm, to, why=why, now=door.clock()):
        raise RefusedError(_wrong_state(found, to))
    return Answer({"edition": edition, "state": str(to)}, [f"{edition} is {to}."])


def _wrong_state(found: StoredEdition, to: EditionState) -> Problem:
    return Problem(
        code="edition.state",
        message=f"{found.slot.edition} is {found.state}, which cannot become {to}.",
        cure=f"`ketapress outbox show {found.slot.edition}` tells how it stands.",
    )
