"""Who wants what: an address, and its consent to each newsletter."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class SubscriptionState(StrEnum):
    """Consent to one newsletter. Only `active` gets mail; nothing but the subscriber undoes `left`."""

    PENDING = "pending"
    ACTIVE = "active"
    LEFT = "left"
    UNREACHABLE = "unreachable"


class Subscription(NamedTuple):
    """One consent. `id` never changes and is what links in mail are made from."""

    id: int
    newsletter: str
    state: SubscriptionState
    since: datetime


class Subscriber(NamedTuple):
    """A person's address as they wrote it, with all their subscriptions."""

    id: int
    address: str
    name: str = ""
    lang: str | None = None
    subscriptions: tuple[Subscription, ...] = ()


class ImportRow(NamedTuple):
    """Somebody an operator wants to add: one line of a CSV, or one `add`. `line` counts from 1.

    `newsletter` is the one that the line is about, where it says so; otherwise the operator says which are meant.
    """

    address: str
    name: str = ""
    lang: str | None = None
    line: int | None = None
    newsletter: str = ""


class RejectedRow(NamedTuple):
    """A line of an import that was not taken, and why."""

    line: int | None
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of the applicants of one import: each line is counted once."""

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
    """What happened to a consent. `unreachable`: the relay said that the address is dead."""

    ADDED = "added"
    LEFT = "left"
    UNREACHABLE = "unreachable"
    ERASED = "erased"


class HistoryEvent(NamedTuple):
    """One line of a person's history: a change of consent (`by` says on whose word) or a delivery (`reply`).

    `what` is a ConsentEvent or a DeliveryState. A delivery stands at its message's Date, or at its slot if none left.
    """

    time: datetime
    kind: str
    newsletter: str
    edition: str = ""
    origin: str = ""
    reply: str = ""
