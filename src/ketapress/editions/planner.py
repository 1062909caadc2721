"""Plan what to do about due slots, from the posts, the earlier decisions and the current time.

Every due slot is decided once. After downtime there is one edition with everything, not one for each missed slot: the
newest due slot is composed (or empty), and older ones are merged into it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.editions.selection import NO_RECORDS, Candidates, select_posts, visible_since
from ketapress.editions.slots import find_next_slot, list_slots, local_midnight
from ketapress.model.edition import Decision, EditionState, Slot, Window
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings

_MICROSECOND = timedelta(microseconds=1)

SAME_MINUTE_SPAN = timedelta(hours=27)
"""How far apart the same local minute can be in two time zones (UTC+14 and UTC-12), and an hour more."""

MAX_GAP = timedelta(days=60)
"""After a longer gap, slots are not decided without a person: more likely the clock is wrong."""


MAX_LATE_POSTS = 10
"""How many posts of an edition may have appeared long after their dates; more are likely an accident."""


_RECENT_SPAN = timedelta(days=8)

MAX_SEPARATE_SLOTS = 100
"""Up to so many old slots are decided one by one; of more, which a first run may find, one decision is for all."""


class History(NamedTuple):
    """The stored history of a newsletter: the newest decided slot, the last composed one, and the posts already sent.

    `decided_keys` are the slots decided within `SAME_MINUTE_SPAN` of the newest: after a change of the time zone they could
    be due a second time. `schedule_since` is when a changed schedule or time zone was first acted on: slots up to it are
    not due.
    """

    newest_decided: datetime | None = None
    decided_keys: frozenset[str] = frozenset()
    last_composed: datetime | None = None
    sent_post_ids: frozenset[str] = frozenset()
    schedule_since: datetime | None = None
    candidates: Candidates = NO_RECORDS


class Plan(NamedTuple):
    """The decision about each due slot, oldest first, and the window and the posts of the composed one.

    `first_slot` is the oldest due slot; where it is not in `decisions`, the first of these is for all slots since it.
    `late_posts` are the posts that appeared long after their dates, where they are so many that a person has to look.
    """

    decisions: tuple[tuple[Slot, Decision], ...]
    window: Window
    posts: tuple[Post, ...]
    send_deadline: datetime
    first_slot: Slot
    late_posts: tuple[Post, ...] = ()

    @property
    def slot(self) -> Slot:
        """The newest due slot, which is composed or empty."""
        return self.decisions[-1][0]


def plan_due_slots(
    newsletter: NewsletterSettings,
    zone: str,
    posts: Sequence[Post],
    history: History,
    now: datetime,
    late_after: timedelta = timedelta.max,
) -> Plan | None:
    """Plan the due slots of a newsletter; None where no slot is due."""
    slots_due = find_due_slots(newsletter, zone, history, now)
    if not slots_due:
        return None
    return plan_slots(newsletter, zone, posts, history, slots_due, late_after=late_after)


def find_due_slots(
    newsletter: NewsletterSettings, zone: str, history: History, now: datetime
) -> tuple[Slot, ...]:
    """Return the slots up to `now` that are later than the newest decided one and not before the newsletter's start."""
    start = local_midnight(newsletter.starts, zone)
    before_start = start - _MICROSECOND
    after = max(history.newest_decided or before_start, history.schedule_since or before_start, before_start)
    name, cron = newsletter.name, newsletter.schedule.cron
    due_slots = list_recent_slots(name, cron, zone, after, now)
    return tuple(slot for slot in due_slots if slot.key not in history.decided_keys)


def list_recent_slots(name: str, cron: str, zone: str, after: datetime, now: datetime) -> tuple[Slot, ...]:
    """Return the slots later than `after` up to `now`; of very many, only the first one and the recent ones.

    These are enough to decide the others together: listing half a million slots takes half a minute.
    """
    span = _RECENT_SPAN
    while now - span > after:
        recent_slots = list_slots(name, cron, zone, now - span, now)
        newest_at = recent_slots[-1].at if recent_slots else now
        old_count = sum(slot.at < newest_at - SAME_MINUTE_SPAN for slot in recent_slots)
        first_slot = find_next_slot(name, cron, zone, after)
        if old_count > MAX_SEPARATE_SLOTS and first_slot is not None:
            return (first_slot, *recent_slots) if first_slot.at < recent_slots[0].at else recent_slots
        span *= 2
    return list_slots(name, cron, zone, after, now)


def has_long_gap(plan: Plan, history: History, now: datetime) -> bool:
    """Return whether slots were missed for so long that a person has to confirm the clock."""
    return history.newest_decided is not None and now - plan.first_slot.at > MAX_GAP


def plan_slots(
    newsletter: NewsletterSettings,
    zone: str,
    posts: Sequence[Post],
    history: History,
    slots_due: Sequence[Slot],
    cutoff: datetime | None = None,
    late_after: timedelta = timedelta.max,
) -> Plan:
    """Plan the given slots, oldest first. `compose --now` plans a slot that the schedule does not name.

    Such an edition takes posts up to `cutoff`, because its slot is the start of the current minute.
    """
    *older, newest = slots_due
    window = edition_window(newsletter, zone, history, cutoff or newest.at)
    candidates = history.candidates._replace(starts=local_midnight(newsletter.starts, zone))
    selection = select_posts(posts, window, history.sent_post_ids, newsletter.tags, candidates)
    late_posts = tuple(
        post for post in selection if visible_since(post, candidates.records) - post.date > late_after
    )
    decision = Decision.COMPOSED if selection else Decision.EMPTY
    # Slots within the span stay apart: after a change of the time zone their keys tell which were decided.
    old_count = sum(slot.at < newest.at - SAME_MINUTE_SPAN for slot in older)
    decided_slots = older[old_count - 1 :] if old_count > MAX_SEPARATE_SLOTS else older
    return Plan(
        decisions=(*((slot, Decision.MERGED) for slot in decided_slots), (newest, decision)),
        window=window,
        posts=selection,
        send_deadline=send_deadline(newsletter, zone, newest),
        first_slot=slots_due[0],
        late_posts=late_posts if len(late_posts) > MAX_LATE_POSTS else (),
    )


def edition_window(newsletter: NewsletterSettings, zone: str, history: History, end: datetime) -> Window:
    """Return the window from the last composed edition (or the newsletter's start) to `end`."""
    start = local_midnight(newsletter.starts, zone)
    return Window(max(history.last_composed or start, start), end)


def send_deadline(newsletter: NewsletterSettings, zone: str, slot: Slot) -> datetime:
    """Return the last time at which sending may start without a person: `send_within`, or until the next slot."""
    if newsletter.send_within is not None:
        return slot.at + newsletter.send_within
    successor = find_next_slot(newsletter.name, newsletter.schedule.cron, zone, slot.at)
    return successor.at if successor else slot.at + timedelta(days=1)


def initial_state(
    newsletter: NewsletterSettings, deadline: datetime, now: datetime, late_posts: Sequence[Post] = ()
) -> tuple[EditionState, str]:
    """Return the first state of a composed edition, and the reason where a person has to act."""
    if now > deadline:
        return (
            EditionState.HELD,
            f"it was composed too late to be sent without a person (after {deadline:%Y-%m-%d %H:%M %Z})",
        )
    if late_posts:
        return EditionState.HELD, f"{len(late_posts)} of its posts appeared long after their dates"
    if newsletter.approval == "one":
        return EditionState.AWAITING_APPROVAL, "this newsletter requires approval by a person"
    return EditionState.READY, ""
