"""Check the store: counts of deliveries, saved ids, an older copy, and slots in the future."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ketapress.doctor.finding import Finding, error, ok, warning
from ketapress.model.errors import Problem
from ketapress.model.reserved import (
    RESERVED_CURE,
    describe_reserved_settings,
    reserved_problem,
    reserved_settings,
)
from ketapress.model.settings import Settings
from ketapress.outbox.sent_log import older_copy_problem
from ketapress.posts.identity.registry import REGISTRY_LOST, has_registry
from ketapress.store.store import Store

_CLOCK_TOLERANCE = timedelta(minutes=5)


def check_store(
    root: Path, store: Store, settings: Settings, violations: Sequence[Problem], now: datetime
) -> Iterator[Finding]:
    """Check the store. `violations` are the invariants that it breaks."""
    yield from _check_senders(store, settings)
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


def _check_senders(store: Store, settings: Settings) -> Iterator[Finding]:
    """Check the domains of senders and site: a reserved one is an error if a newsletter has real subscribers."""
    for newsletter in settings.newsletters.values():
        domains = reserved_settings(settings, newsletter)
        address = store.subscribers.find_unreserved_address(newsletter.name) if domains else None
        if address:
            problem = reserved_problem(domains, newsletter.name, address)
            yield error("sender", problem.message, problem.cure)
        elif domains:
            yield warning(
                "sender",
                f"{describe_reserved_settings(domains)} reserved for examples and tests, so `send` refuses to send to "
                "addresses at other domains.",
                RESERVED_CURE,
            )
