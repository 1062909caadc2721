"""List upcoming slots and posts, and compose the edition that is next."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.compose import (
    ComposeContext,
    ComposedEdition,
    load_history,
    load_memory,
    render_edition,
    with_initial_state,
)
from ketapress.editions.planner import find_due_slots, plan_slots
from ketapress.editions.slots import find_next_slot, list_slots, local_midnight
from ketapress.model.edition import Slot
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.model.tags import has_tag
from ketapress.settings.schedule_history import ZonedSchedule, current_schedules

_MICROSECOND = timedelta(microseconds=1)


class UpcomingPost(NamedTuple):
    """A post with its date in a span, and the newsletters that will include it."""

    post: Post
    newsletters: tuple[str, ...]


class ScheduleChange(NamedTuple):
    """A newsletter whose schedule or zone was edited since it was last applied, with the next slot by each."""

    newsletter: str
    old_schedule: ZonedSchedule
    new_schedule: ZonedSchedule
    old_next_slot: Slot | None
    new_next_slot: Slot | None


def schedule_changes(
    settings: Settings, applied_schedules: Mapping[str, ZonedSchedule], now: datetime
) -> tuple[ScheduleChange, ...]:
    """Return the schedules that were edited since slots were last decided; the next `publish` applies them."""
    return tuple(
        ScheduleChange(
            name,
            applied_schedules[name],
            schedule,
            _next_slot(name, applied_schedules[name], now),
            _next_slot(name, schedule, now),
        )
        for name, schedule in current_schedules(settings).items()
        if name in applied_schedules and applied_schedules[name] != schedule
    )


def _next_slot(newsletter: str, zoned_schedule: ZonedSchedule, now: datetime) -> Slot | None:
    return find_next_slot(newsletter, zoned_schedule.schedule.cron, zoned_schedule.zone, now)


def upcoming_slots(settings: Settings, start: datetime, end: datetime) -> tuple[Slot, ...]:
    """Return the slots of all newsletters from `start` up to but not including `end`, by time."""
    upcoming: list[Slot] = []
    for newsletter in settings.newsletters.values():
        zone = settings.newsletter_zone(newsletter)
        first_moment = max(start, local_midnight(newsletter.starts, zone))
        # `list_slots` excludes its start and includes its end, so both move by the smallest step.
        upcoming += list_slots(
            newsletter.name,
            newsletter.schedule.cron,
            zone,
            first_moment - _MICROSECOND,
            end - _MICROSECOND,
        )
    return tuple(sorted(upcoming, key=lambda slot: (slot.at, slot.key, slot.newsletter)))


def upcoming_posts(
    settings: Settings, posts: Sequence[Post], start: datetime, end: datetime
) -> tuple[UpcomingPost, ...]:
    """Return the posts with a date from `start` up to but not including `end`, except drafts and held ones, by date."""
    upcoming = [
        UpcomingPost(post, _matching_newsletters(settings, post))
        for post in posts
        if start <= post.date < end and not post.draft and not post.hold
    ]
    return tuple(sorted(upcoming, key=lambda item: (item.post.date.timestamp(), item.post.id)))


def compose_next_edition(
    context: ComposeContext, newsletter: NewsletterSettings, posts: Sequence[Post], now: datetime
) -> ComposedEdition | None:
    """Compose the newest due slot or, where it has no posts, the next one; None where that has none either.

    Posts with a date before the slot count as published by then.
    """
    zone = context.settings.newsletter_zone(newsletter)
    memory = load_memory(context, posts, now, dry_run=True)
    newsletter_history = load_history(context.store, newsletter, memory, now)
    start = max(now, local_midnight(newsletter.starts, zone) - _MICROSECOND)
    upcoming_slot = find_next_slot(newsletter.name, newsletter.schedule.cron, zone, start)
    # A changed zone can name a decided slot again.
    while upcoming_slot and upcoming_slot.key in newsletter_history.decided_keys:
        upcoming_slot = find_next_slot(newsletter.name, newsletter.schedule.cron, zone, upcoming_slot.at)
    slots_due = find_due_slots(newsletter, zone, newsletter_history, now)
    future_posts = [with_publication_date(post) for post in posts]
    for candidate_slots in (slots_due, (*slots_due, upcoming_slot) if upcoming_slot else ()):
        if candidate_slots:
            plan = plan_slots(
                newsletter,
                zone,
                future_posts,
                newsletter_history,
                candidate_slots,
                late_after=context.settings.posts.late_posts,
            )
            if plan.posts:
                edition = render_edition(context, newsletter, plan.slot, plan.window, plan.posts)
                return with_initial_state(
                    context, newsletter, edition, plan.send_deadline, max(now, plan.slot.at), plan.late_posts
                )
    return None


def with_publication_date(post: Post) -> Post:
    """Return a post as it will be once its date has passed."""
    return post if post.published or post.draft or post.hold else post._replace(published=post.date)


def _matching_newsletters(settings: Settings, post: Post) -> tuple[str, ...]:
    return tuple(
        name
        for name, newsletter in settings.newsletters.items()
        if post.in_editions and (not newsletter.tags or has_tag(post.tags, newsletter.tags))
    )
