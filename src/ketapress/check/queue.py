"""What comes: slots and posts by date, and the edition that goes out next."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.compose import Composed, Press, composed, history, rendered
from ketapress.editions.planner import Plan, due_slots, plan_for
from ketapress.editions.slots import midnight, next_slot, slots
from ketapress.model.edition import Slot
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.settings.schedule_history import ZonedSchedule, schedules_of

_INSTANT = timedelta(microseconds=1)


class ComingPost(NamedTuple):
    """A post that is not out yet, and the newsletters that will carry it."""

    post: Post
    newsletters: tuple[str, ...]


class ScheduleChange(NamedTuple):
    """A newsletter whose schedule or zone is not the one that was last acted on, and the next slot by each."""

    newsletter: str
    before: ZonedSchedule
    after: ZonedSchedule
    next_before: Slot | None
    next_after: Slot | None


def schedule_changes(
    settings: Settings, acted: Mapping[str, ZonedSchedule], now: datetime
) -> tuple[ScheduleChange, ...]:
    """What was edited since slots were last decided: the next `publish` acts on it."""
    return tuple(
        ScheduleChange(
            name, acted[name], schedule, _next_by(name, acted[name], now), _next_by(name, schedule, now)
        )
        for name, schedule in schedules_of(settings).items()
        if name in acted and acted[name] != schedule
    )


def _next_by(newsletter: str, due: ZonedSchedule, now: datetime) -> Slot | None:
    return next_slot(newsletter, due.schedule.cron, due.zone, now)


def coming_slots(settings: Settings, first: datetime, until: datetime) -> tuple[Slot, ...]:
    """Every slot from `first` up to but not including `until`, of all newsletters, by time."""
    found = [
        slot
        for newsletter in settings.newsletters.values()
        for slot in _slots_of(newsletter, settings.zone(newsletter), first, until)
    ]
    return tuple(sorted(found, key=lambda slot: (slot.at, slot.key, slot.newsletter)))


def coming_posts(
    settings: Settings, posts: Sequence[Post], first: datetime, until: datetime
) -> tuple[ComingPost, ...]:
    """Posts whose date lies in a span and that are neither drafts nor held, by date."""
    found = [
        ComingPost(post, _carriers(settings, post))
        for post in posts
        if first <= post.date < until and not post.draft and not post.hold
    ]
    return tuple(sorted(found, key=lambda each: (each.post.date.timestamp(), each.post.id)))


def coming_edition(
    press: Press, newsletter: NewsletterSettings, posts: Sequence[Post], now: datetime
) -> Composed | None:
    """The edition of the newest slot that is due, if there is anything in it, else of the next slot.

    It holds the posts that will be out by then.
    """
    zone, past = press.settings.zone(newsletter), history(press.store, newsletter)
    begins = max(now, midnight(newsletter.starts, zone) - _INSTANT)
    upcoming = next_slot(newsletter.name, newsletter.schedule.cron, zone, begins)
    while upcoming and upcoming.key in past.decided_keys:  # the zone was changed since
        upcoming = next_slot(newsletter.name, newsletter.schedule.cron, zone, upcoming.at)
    due = due_slots(newsletter, zone, past, now)
    by_then = [as_published(post) for post in posts]
    for slots_to_come in (due, (*due, upcoming) if upcoming else ()):
        if slots_to_come:
            plan = plan_for(newsletter, zone, by_then, past, slots_to_come)
            if plan.posts:
                return _previewed(press, newsletter, plan, now)
    return None


def _previewed(press: Press, newsletter: NewsletterSettings, plan: Plan, now: datetime) -> Composed:
    made = rendered(press, newsletter, plan.slot, plan.window, plan.posts)
    return composed(press, newsletter, made, plan.send_by, max(now, plan.slot.at))


def as_published(post: Post) -> Post:
    """A post as it will be once its date has come."""
    return post if post.published or post.draft or post.hold else post._replace(published=post.date)


def _slots_of(
    newsletter: NewsletterSettings, zone: str, first: datetime, until: datetime
) -> tuple[Slot, ...]:
    start = max(first, midnight(newsletter.starts, zone))
    return slots(newsletter.name, newsletter.schedule.cron, zone, start - _INSTANT, until - _INSTANT)


def _carriers(settings: Settings, post: Post) -> tuple[str, ...]:
    return tuple(
        name
        for name, newsletter in settings.newsletters.items()
        if post.in_editions and (not newsletter.tags or set(newsletter.tags) & set(post.tags))
    )
