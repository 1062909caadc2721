"""Looks at the store: whether every edition's deliveries add up, and whether it knows of a time that is yet to come."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ketapress.doctor.finding import Finding, error, well
from ketapress.model.errors import Problem
from ketapress.outbox.sent_log import behind
from ketapress.posts.identity.registry import LOST, are_kept
from ketapress.store.store import Store

_NOT_YET = timedelta(minutes=5)


def book_findings(
    root: Path, store: Store, unbalanced: Sequence[Problem], now: datetime
) -> Iterator[Finding]:
    """The conservation law (`unbalanced` is what breaks it), lost ids, an older copy, slots ahead of the clock."""
    editions = store.editions.all()
    count = sum(1 for each in editions if each.state)
    yield from (error("ledger", each.message, each.cure) for each in unbalanced)
    if not unbalanced:
        yield well("ledger", f"{count} edition{'' if count == 1 else 's'}, and all deliveries add up.")
    if count and not are_kept(root):
        yield error("ids", f"{LOST.path}: {LOST.message}", LOST.cure)
    if older := behind(root, store.generation):
        yield error("database", older.message, older.cure)
    ahead = [each.slot for each in editions if each.slot.at > now + _NOT_YET]
    if ahead:
        newest = max(ahead, key=lambda slot: slot.at)
        yield error(
            "clock",
            f"{newest.edition} was decided already, and is yet to come ({newest.at:%Y-%m-%d %H:%M} UTC): "
            f"this clock is behind now ({now:%Y-%m-%d %H:%M} UTC), or was ahead then.",
            f"Set the clock. If it is right, nothing of {newest.newsletter} is due by itself before that slot; "
            f"`ketapress compose {newest.newsletter} --now` composes what is new.",
        )
