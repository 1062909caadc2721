"""Who wants what: an address, and its consent to each newsletter."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SubscriptionState(StrEnum):
    """Consent to one newsletter. Only `active` gets mail; nothing but the subscriber undoes `left`."""

    PENDING = "pending"
    ACTIVE = "active"
    LEFT = "left"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One consent. `id` never changes and is what links in mail are made from."""

    id: int
    newsletter: str
    state: SubscriptionState
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person's address as they wrote it, with all their subscriptions."""

    id: int
    address: str
    name: str = ""
    lang: str | None = None
    subscriptions: tuple[Subscription, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Somebody an operator wants to add: one line of a CSV, or one `add`. `line` counts from 1."""

    address: str
    name: str = ""
    lang: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line of an import that was not taken, and why."""

    line: int | None
    value: str
    why: str
