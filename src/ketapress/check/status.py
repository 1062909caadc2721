"""How all of it stands: what is due, what went out last, deliveries by state, and whether the relay answers."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.editions.slots import midnight, next_slot
from ketapress.model.delivery import DeliveryState, Phase, Reply
from ketapress.model.edition import WAITING_STATES, Decision, Slot, StoredEdition
from ketapress.model.settings import NewsletterSettings, RelayUrl, Settings
from ketapress.model.subscriber import SubscriptionState
from ketapress.relay.client import Connection, NotOpened
from ketapress.relay.stream import Deadlines
from ketapress.store.overview import Look
from ketapress.store.statements.invariants import Imbalance

_INSTANT = timedelta(microseconds=1)
_PATIENCE = Deadlines(
    connect=3, greeting=3, tls=3, hello=3, authenticate=3, farewell=1
)  # a person is waiting


class Standing(NamedTuple):
    """One newsletter: its next slot, its last edition, and how many people by state of their consent."""

    newsletter: NewsletterSettings
    next_slot: Slot | None
    last_edition: StoredEdition | None
    subscriptions: Mapping[str, int]


class RelayHealth(NamedTuple):
    """Whether the relay let us in just now, and the last thing it said."""

    reachable: bool
    last_reply: str


class Status(NamedTuple):
    """Everything on one screen. `waiting` are editions that need a person, `generation` is how often sending was started.

    `doubtful` are the messages, by their edition, of which a person has to say whether they arrived.
    """

    standings: tuple[Standing, ...]
    deliveries: Mapping[DeliveryState, int]
    imbalances: tuple[Imbalance, ...]
    waiting: tuple[StoredEdition, ...]
    relay: RelayHealth
    generation: int
    doubtful: Mapping[str, int]


def status(settings: Settings, look: Callable[[], Look], now: datetime) -> Status:
    """Knocks at the relay, then asks what the books say; sends nothing, changes nothing."""
    relay = asyncio.run(relay_health(settings.relay.url, _hostname(settings)))
    books = look()
    return Status(
        standings=tuple(
            _standing(settings, newsletter, books, now) for newsletter in settings.newsletters.values()
        ),
        deliveries=books.balance.counts,
        imbalances=books.balance.imbalances,
        waiting=tuple(each for each in books.editions if each.state in WAITING_STATES),
        relay=relay,
        generation=books.generation,
        doubtful=books.doubtful,
    )


async def relay_health(url: RelayUrl, hostname: str) -> RelayHealth:
    """Opens a conversation with the relay, logs in where the settings say so, and leaves."""
    try:
        connection = await Connection.open(url, hostname=hostname, deadlines=_PATIENCE)
    except NotOpened as refused:
        return RelayHealth(reachable=False, last_reply=_said(refused.phase, refused.reply))
    await connection.close()
    return RelayHealth(reachable=True, last_reply="it let us in")


def _standing(settings: Settings, newsletter: NewsletterSettings, books: Look, now: datetime) -> Standing:
    zone = settings.zone(newsletter)
    mine = (each for each in books.editions if each.slot.newsletter == newsletter.name)
    return Standing(
        newsletter,
        next_slot(
            newsletter.name,
            newsletter.schedule.cron,
            zone,
            max(now, midnight(newsletter.starts, zone) - _INSTANT),
        ),
        next((each for each in mine if each.decision is Decision.COMPOSED), None),
        {
            str(state): count
            for state in SubscriptionState
            if (count := books.people.get((newsletter.name, state)))
        },
    )


def _hostname(settings: Settings) -> str:
    """Our name in EHLO: the domain that mail is sent from, as the sender has it."""
    return next((each.sender.domain for each in settings.newsletters.values()), "localhost")


def _said(phase: Phase, reply: Reply) -> str:
    return f"{phase}: {reply}"
