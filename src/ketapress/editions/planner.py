"""What to do about the slots that are due. In: posts, what was decided before, now. Out: a plan; it does nothing.

Every due slot is decided once. After downtime there is one edition with everything, not one for each missed slot:
the newest due slot is composed (or found empty), older ones are merged into it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.editions.selection import chosen
from ketapress.editions.slots import midnight, next_slot, slots
from ketapress.model.edition import Decision, EditionState, Slot, Window
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings

_INSTANT = timedelta(microseconds=1)

SAME_MINUTE = timedelta(hours=27)
"""How far apart two zones can have the same minute on their walls (UTC+14 and UTC-12), and an hour more."""

LONGEST_SILENCE = timedelta(days=60)
"""So long after a slot that was missed nothing is decided without a person: more likely the clock is wrong."""


class History(NamedTuple):
    """What the store knows of a newsletter: the newest decided slot, the last composed one, posts that went out.

    `decided_keys` are those decided within `SAME_MINUTE` of the newest: in another zone they would be due once more.
    """

    newest_decided: datetime | None = None
    decided_keys: frozenset[str] = frozenset()
    last_composed: datetime | None = None
    taken: frozenset[str] = frozenset()


class Plan(NamedTuple):
    """The decision for each due slot, oldest first, and what the composed one looks back over and holds."""

    decisions: tuple[tuple[Slot, Decision], ...]
    window: Window
    posts: tuple[Post, ...]
    send_by: datetime

    @property
    def slot(self) -> Slot:
        """The newest due slot: the one that is composed or found empty."""
        return self.decisions[-1][0]


def planned(
    newsletter: NewsletterSettings, zone: str, posts: Sequence[Post], history: History, now: datetime
) -> Plan | None:
    """What to do about a newsletter at `now`; None when no slot is due."""
    due = due_slots(newsletter, zone, history, now)
    return plan_for(newsletter, zone, posts, history, due) if due else None


def due_slots(newsletter: NewsletterSettings, zone: str, history: History, now: datetime) -> tuple[Slot, ...]:
    """The slots up to `now` that are later than the newest decided one, none before the newsletter starts."""
    start = midnight(newsletter.starts, zone)
    after = max(history.newest_decided or start - _INSTANT, start - _INSTANT)
    found = slots(newsletter.name, newsletter.schedule.cron, zone, after, now)
    return tuple(slot for slot in found if slot.key not in history.decided_keys)


def was_silent_too_long(plan: Plan, history: History, now: datetime) -> bool:
    """Whether slots were missed for so long that a person has to say that the clock is right."""
    first = plan.decisions[0][0]
    return history.newest_decided is not None and now - first.at > LONGEST_SILENCE


def plan_for(
    newsletter: NewsletterSettings,
    zone: str,
    posts: Sequence[Post],
    history: History,
    due: Sequence[Slot],
    until: datetime | None = None,
) -> Plan:
    """The plan for given slots, oldest first: also for one that no schedule names (`compose --now`).

    Such a one takes what was published `until` that moment: its slot is the minute, which may have begun before.
    """
    *older, newest = due
    window = window_for(newsletter, zone, history, until or newest.at)
    found = chosen(posts, window, history.taken, newsletter.tags)
    decision = Decision.COMPOSED if found else Decision.EMPTY
    return Plan(
        decisions=(*((slot, Decision.MERGED) for slot in older), (newest, decision)),
        window=window,
        posts=found,
        send_by=send_by(newsletter, zone, newest),
    )


def window_for(newsletter: NewsletterSettings, zone: str, history: History, until: datetime) -> Window:
    """From the last composed edition (or the start) up to a slot."""
    start = midnight(newsletter.starts, zone)
    return Window(max(history.last_composed or start, start), until)


def send_by(newsletter: NewsletterSettings, zone: str, slot: Slot) -> datetime:
    """The last instant at which an edition may go out by itself: `send_within`, or until the next slot."""
    if newsletter.send_within is not None:
        return slot.at + newsletter.send_within
    following = next_slot(newsletter.name, newsletter.schedule.cron, zone, slot.at)
    return following.at if following else slot.at + timedelta(days=1)


def first_state(newsletter: NewsletterSettings, until: datetime, now: datetime) -> tuple[EditionState, str]:
    """The state a composed edition begins in, and why where a person has to act."""
    if now > until:
        return (
            EditionState.HELD,
            f"it was composed too late to go out by itself (after {until:%Y-%m-%d %H:%M %Z})",
        )
    if newsletter.approval == "one":
        return EditionState.AWAITING_APPROVAL, "this newsletter asks for a person's approval"
    return EditionState.READY, ""
