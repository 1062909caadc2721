"""Subscribers: an address and its consent to each newsletter, and the rows and results of an import."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class SubscriptionState(StrEnum):
    """The state of a consent. Only `active` gets mail; only the subscriber can undo `left`."""

    PENDING = "pending"
    ACTIVE = "active"
    LEFT = "left"
    UNREACHABLE = "unreachable"


class Subscription(NamedTuple):
    """The consent to one newsletter. `id` never changes: links in mail are derived from it."""

    id: int
    newsletter: str
    state: SubscriptionState
    since: datetime


class Subscriber(NamedTuple):
    """An address as the subscriber wrote it, with all its subscriptions."""

    id: int
    address: str
    name: str = ""
    lang: str | None = None
    subscriptions: tuple[Subscription, ...] = ()


class ImportRow(NamedTuple):
    """One address to add, from a line of a CSV file or from `subscribers add`. `line` counts from 1.

    `newsletter` is empty where the line names none; then the newsletters of the command apply.
    """

    address: str
    name: str = ""
    lang: str | None = None
    line: int | None = None
    newsletter: str = ""


class RejectedRow(NamedTuple):
    """A line of an import that was refused, and the reason."""

    line: int | None
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The counts of one import: each line is counted once."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: tuple[RejectedRow, ...] = ()

    def __add__(self, other: "ImportResult") -> "ImportResult":
        return ImportResult(
            added=self.added + other.added,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            refused=self.refused + other.refused,
        )


class ConsentEvent(StrEnum):
    """A change of a consent. `unreachable`: the relay reported that the address does not exist."""

    ADDED = "added"
    LEFT = "left"
    UNREACHABLE = "unreachable"
    ERASED = "erased"


class HistoryEvent(NamedTuple):
    """One entry of a subscriber's history: a change of consent (`origin` names its source) or a delivery (`reply`).

    `kind` is a ConsentEvent or a DeliveryState. The time of a delivery is its message's Date, or its slot where no message
    was sent.
    """

    time: datetime
    kind: str
    newsletter: str
    edition: str = ""
    origin: str = ""
    reply: str = ""
