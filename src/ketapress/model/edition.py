"""Slots, windows and editions, and the states of an edition."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ketapress.model.post import Post

SUPPORTED_YEARS = range(1900, 9901)
"""The years a user may name: far enough from both ends of the calendar that no sum or search overflows."""


class Slot(NamedTuple):
    """One time at which a newsletter is due: `at` in UTC, `key` as the local minute in its zone (`2023-06-12T0800`)."""

    newsletter: str
    key: str
    at: datetime

    @property
    def edition(self) -> str:
        """The name of the edition on command lines and in paths: `weekly/2023-06-12T0800`."""
        return f"{self.newsletter}/{self.key}"


class Window(NamedTuple):
    """The time whose posts an edition takes, both ends included.

    `start` is the slot of the last composed edition, or the newsletter's start. Windows may share an instant, because
    posts of an earlier edition are left out by their ids.
    """

    start: datetime
    end: datetime


class Decision(StrEnum):
    """The decision about a due slot. Each slot is decided once."""

    COMPOSED = "composed"
    EMPTY = "empty"
    MERGED = "merged"


class EditionState(StrEnum):
    """The state of a composed edition, which the store owns."""

    BUILDING = "building"
    READY = "ready"
    HELD = "held"
    AWAITING_APPROVAL = "awaiting approval"
    SENDING = "sending"
    DONE = "done"
    CANCELLED = "cancelled"


HELD_BY_PERSON = "a person held it"
"""The reason of an edition that a person held, without a problem of its own."""


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
    """The digest of one newsletter for one slot: a fixed list of posts, newest first.

    `overflow` are posts of the window for which there was no room, not even as a headline: the message counts and links
    them.
    """

    slot: Slot
    window: Window
    items: tuple[EditionItem, ...]
    overflow: tuple[Post, ...] = ()

    @property
    def posts(self) -> tuple[Post, ...]:
        return tuple(item.post for item in self.items) + self.overflow


class StoredEdition(NamedTuple):
    """A decided slot as stored. `state`, `window` and `subject` are set only for a composed one.

    `send_deadline` is the last time at which sending may start without a person. `reason` says, for people, why the edition
    is held or canceled. `skipped_counts` counts the subscriptions that were skipped when recipients were frozen, by the
    state of their consent. `web_html` is the page for the site; it is loaded only on request.

    `input_hash` is of the posts, settings and templates that the message was rendered from, `folder` the publication folder
    that composed it (both None in rows of older versions), and `chosen_ids` are its posts when its slot was decided.
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
    input_hash: str | None = None
    folder: str | None = None
    chosen_ids: tuple[str, ...] = ()

    @property
    def is_held_by_person(self) -> bool:
        """Whether a person held the edition, and not a problem."""
        return self.state is EditionState.HELD and self.reason == HELD_BY_PERSON


WAITING_STATES = frozenset({EditionState.HELD, EditionState.AWAITING_APPROVAL})
"""The states in which an edition waits for a person."""

PUBLIC_STATES = frozenset({EditionState.READY, EditionState.SENDING, EditionState.DONE})
"""The states in which an edition has a page on the site: held and canceled editions are not public."""
