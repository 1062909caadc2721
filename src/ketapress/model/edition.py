"""Slots, windows and editions: what goes out together, and how far it has come."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ketapress.model.post import Post

SUPPORTED_YEARS = range(1900, 9901)
"""What people may name as a time: far enough from both ends of the calendar that no sum or search leaves it."""


class Slot(NamedTuple):
    """One instant at which a newsletter is due, in UTC. `key` is the local minute in its zone: `2023-06-12T0800`."""

    newsletter: str
    key: str
    at: datetime

    @property
    def edition(self) -> str:
        """The name of the edition on command lines and in paths: `weekly/2023-06-12T0800`."""
        return f"{self.newsletter}/{self.key}"


class Window(NamedTuple):
    """The span an edition looks back over, both ends included.

    `after` is the slot of the last composed edition, or the newsletter's start. What was published at that very
    instant went out with that edition and is left out because it was, so the ends may touch.
    """

    start: datetime
    end: datetime

    def contains(self, moment: datetime) -> bool:
        return self.start <= moment <= self.end


class Decision(StrEnum):
    """What became of a due slot. Each slot is decided once."""

    COMPOSED = "composed"
    EMPTY = "empty"
    MERGED = "merged"


class EditionState(StrEnum):
    """How far a composed edition has come. The store owns it."""

    BUILDING = "building"
    READY = "ready"
    HELD = "held"
    AWAITING_APPROVAL = "awaiting approval"
    SENDING = "sending"
    DONE = "done"
    CANCELLED = "cancelled"


HELD_BY_PERSON = "a person held it"
"""Why an edition is held that nothing is wrong with."""


class Display(StrEnum):
    """How much of a post an edition shows."""

    FULL = "full"
    EXCERPT = "excerpt"
    HEADLINE = "headline"


class EditionItem(NamedTuple):
    """One post in an edition."""

    post: Post
    display: Display


class Edition(NamedTuple):
    """The digest of one newsletter for one slot: a frozen list of posts, newest first.

    `more` are posts of the window that found no room even as a headline: the letter counts and links them.
    """

    slot: Slot
    window: Window
    items: tuple[EditionItem, ...]
    overflow: tuple[Post, ...] = ()

    @property
    def posts(self) -> tuple[Post, ...]:
        return tuple(item.post for item in self.items) + self.overflow


class StoredEdition(NamedTuple):
    """A decided slot as the store knows it. `state`, `window` and `subject` are there only when it was composed.

    `send_by` is the last instant at which it may start to go out by itself; `why` is the reason of a hold or a
    cancellation, for people; `left_out` are the subscriptions that it was not frozen for, by the state of their consent;
    `web` (the archive's page) is loaded only where it was asked for.
    """

    id: int
    slot: Slot
    decision: Decision
    state: EditionState | None = None
    window: Window | None = None
    send_deadline: datetime | None = None
    subject: str = ""
    post_ids: tuple[str, ...] = ()
    sizes: Mapping[str, int] | None = None
    reason: str = ""
    skipped_counts: Mapping[str, int] | None = None
    web_html: str = ""

    @property
    def is_held_by_person(self) -> bool:
        """Whether it waits because somebody said so, not because of what is wrong with it."""
        return self.state is EditionState.HELD and self.reason == HELD_BY_PERSON


WAITING_STATES = frozenset({EditionState.HELD, EditionState.AWAITING_APPROVAL})
"""The states in which an edition waits for a person."""

PUBLIC_STATES = frozenset({EditionState.READY, EditionState.SENDING, EditionState.DONE})
"""The states in which an edition has a page in the archive: what is held or cancelled is nobody's to read."""
