"""Check the store: counts of deliveries, saved ids, an older copy, and slots in the future."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ketapress.doctor.finding import Finding, error, ok
from ketapress.model.errors import Problem
from ketapress.outbox.sent_log import older_copy_problem
from ketapress.posts.identity.registry import REGISTRY_LOST, has_registry
from ketapress.store.store import Store

_CLOCK_TOLERANCE = timedelta(minutes=5)


def check_store(root: Path, store: Store, violations: Sequence[Problem], now: datetime) -> Iterator[Finding]:
    """Check the store. `violations` are the invariants that it breaks."""
    editions = store.editions.list_all()
    count = sum(1 for edition in editions if edition.state)
    yield from (error("ledger", edition.message, edition.cure) for edition in violations)
    if not violations:
        yield ok("ledger", f"{count} edition{'' if count == 1 else 's'}; the counts of deliveries add up.")
    if count and not has_registry(root):
        yield error("ids", f"{REGISTRY_LOST.path}: {REGISTRY_LOST.message}", REGISTRY_LOST.cure)
    if problem := older_copy_problem(root, store.generation):
        yield error("database", problem.message, problem.cure)
    future_slots = [edition.slot for edition in editions if edition.slot.at > now + _CLOCK_TOLERANCE]
    if future_slots:
        newest = max(future_slots, key=lambda slot: slot.at)
        yield error(
            "clock",
            f"{newest.edition} was already decided, but its send time is in the future ({newest.at:%Y-%m-%d %H:%M} UTC): the "
            f"clock is behind now ({now:%Y-%m-%d %H:%M} UTC), or was ahead then.",
            f"Set the clock. If it is right, no edition of {newest.newsletter} is due before that send time; "
            f"`ketapress compose {newest.newsletter} --now` composes one now.",
        )
