"""Read the status: next slots, last editions, deliveries by state, and whether the relay is reachable."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.editions.slots import find_next_slot, local_midnight
from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import WAITING_STATES, Decision, Slot, StoredEdition
from ketapress.model.settings import NewsletterSettings, RelayUrl, Settings
from ketapress.model.subscriber import SubscriptionState
from ketapress.relay.client import ConnectError, Connection
from ketapress.relay.stream import Deadlines
from ketapress.store.overview import StoreOverview
from ketapress.store.statements.invariants import InvariantViolation

_MICROSECOND = timedelta(microseconds=1)
_DEADLINES = Deadlines(connect=3, greeting=3, tls=3, hello=3, authenticate=3, quit=1)  # a person is waiting


class NewsletterStatus(NamedTuple):
    """A newsletter's next slot, its last edition, and the number of its subscriptions by state."""

    newsletter: NewsletterSettings
    next_slot: Slot | None
    last_edition: StoredEdition | None
    subscriptions: Mapping[str, int]


class RelayStatus(NamedTuple):
    """Whether the relay accepts a connection and the login, and its last reply."""

    reachable: bool
    last_reply: str


class Status(NamedTuple):
    """The status of a publication.

    `waiting_editions` need a person, `generation` is how often sending was started, `in_doubt` counts the unconfirmed
    messages of each edition.
    """

    newsletters: tuple[NewsletterStatus, ...]
    deliveries: Mapping[DeliveryState, int]
    violations: tuple[InvariantViolation, ...]
    waiting_editions: tuple[StoredEdition, ...]
    relay: RelayStatus
    generation: int
    in_doubt: Mapping[str, int]


def read_status(settings: Settings, read_overview: Callable[[], StoreOverview], now: datetime) -> Status:
    """Connect to the relay, then read the store; nothing is sent or changed."""
    # EHLO names the domain that mail is sent from, as the sender does.
    hostname = next((newsletter.sender.domain for newsletter in settings.newsletters.values()), "localhost")
    relay = asyncio.run(check_relay(settings.relay.url, hostname))
    overview = read_overview()
    return Status(
        newsletters=tuple(
            _newsletter_status(settings, newsletter, overview, now)
            for newsletter in settings.newsletters.values()
        ),
        deliveries=overview.deliveries.counts,
        violations=overview.deliveries.violations,
        waiting_editions=tuple(edition for edition in overview.editions if edition.state in WAITING_STATES),
        relay=relay,
        generation=overview.generation,
        in_doubt=overview.in_doubt_counts,
    )


async def check_relay(url: RelayUrl, hostname: str) -> RelayStatus:
    """Connect to the relay, log in if the URL has a user, and disconnect."""
    try:
        connection = await Connection.open(url, hostname=hostname, deadlines=_DEADLINES)
    except ConnectError as error:
        return RelayStatus(reachable=False, last_reply=f"{error.phase}: {error.reply}")
    await connection.close()
    return RelayStatus(reachable=True, last_reply="connection accepted")


def _newsletter_status(
    settings: Settings, newsletter: NewsletterSettings, overview: StoreOverview, now: datetime
) -> NewsletterStatus:
    zone = settings.newsletter_zone(newsletter)
    newsletter_editions = (
        edition for edition in overview.editions if edition.slot.newsletter == newsletter.name
    )
    return NewsletterStatus(
        newsletter,
        find_next_slot(
            newsletter.name,
            newsletter.schedule.cron,
            zone,
            max(now, local_midnight(newsletter.starts, zone) - _MICROSECOND),
        ),
        next((edition for edition in newsletter_editions if edition.decision is Decision.COMPOSED), None),
        {
            str(state): count
            for state in SubscriptionState
            if (count := overview.subscription_counts.get((newsletter.name, state)))
        },
    )
