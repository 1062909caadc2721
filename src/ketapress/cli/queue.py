"""`ketapress queue`: upcoming send times and posts by date."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command
from ketapress.cli.table import Table, make_table
from ketapress.model.errors import Problem, UsageError

if TYPE_CHECKING:  # loaded when the command is called
    from ketapress.check.queue import ScheduleChange, UpcomingPost
    from ketapress.model.edition import Slot
    from ketapress.settings.schedule_history import ZonedSchedule

_DEFAULT_SPAN = timedelta(days=31)


@command("queue", "List upcoming send times and posts by date, in the site's time zone.", asks_time=True)
@click.option("--from", "start_text", metavar="TIME", help="Start of the list (default: now).")
@click.option(
    "--to",
    "end_text",
    metavar="TIME",
    help="End of the list, not included (default: 31 days after its start).",
)
def queue(context: CommandContext, start_text: str | None, end_text: str | None) -> CommandResult:
    from ketapress.check.queue import schedule_changes, upcoming_posts, upcoming_slots
    from ketapress.settings.schedule_history import last_schedules

    publication = context.publication
    start = context.parse_instant(start_text, "--from") if start_text else context.now
    end = context.parse_instant(end_text, "--to") if end_text else start + _DEFAULT_SPAN
    if end <= start:
        message = f"--to {context.format_time(end)} is not after --from {context.format_time(start)}."
        raise UsageError(
            Problem(code="usage.span", message=message, cure="Give a later --to, or leave it out.")
        )
    library = publication.load_library(context.now, save_ids=False)
    slots = upcoming_slots(publication.settings, start, end)
    posts = upcoming_posts(publication.settings, library.posts, start, end)
    changes = schedule_changes(publication.settings, last_schedules(context.root), context.now)
    if context.as_json:
        return CommandResult(_queue_data(context, slots, posts, changes), problems=library.problems)
    lines: list[str | Table] = [line for change in changes for line in _change_lines(context, change)]
    lines.append(_event_table(context, slots, posts) if slots or posts else "Nothing is due in this time.")
    return CommandResult({}, lines, library.problems)


def _queue_data(
    context: CommandContext,
    slots: "Iterable[Slot]",
    posts: "Iterable[UpcomingPost]",
    changes: "Iterable[ScheduleChange]",
) -> dict[str, Any]:
    return {
        "slots": [
            {
                "newsletter": slot.newsletter,
                "slot": slot.key,
                "at": context.format_iso(slot.at, context.newsletter_zone(slot.newsletter)),
            }
            for slot in slots
        ],
        "posts": [
            {
                "id": upcoming.post.id,
                "path": upcoming.post.path,
                "publishes_at": context.format_iso(upcoming.post.date),
                "newsletters": list(upcoming.newsletters),
            }
            for upcoming in posts
        ],
        "changes": [
            {
                "newsletter": change.newsletter,
                "before": _schedule_data(change.old_schedule, change.old_next_slot),
                "after": _schedule_data(change.new_schedule, change.new_next_slot),
            }
            for change in changes
        ],
    }


def _schedule_data(schedule: "ZonedSchedule", next_slot: "Slot | None") -> dict[str, Any]:
    return {
        "schedule": schedule.schedule.text,
        "timezone": schedule.zone,
        "next_slot": next_slot.at.astimezone(ZoneInfo(schedule.zone)).isoformat() if next_slot else None,
    }


def _change_lines(context: CommandContext, change: "ScheduleChange") -> list[str]:
    def format_schedule(schedule: "ZonedSchedule", next_slot: "Slot | None") -> str:
        return (
            f"{schedule}, next {context.format_time(next_slot.at, schedule.zone) if next_slot else 'never'}"
        )

    return [
        f"{change.newsletter}: the schedule was edited. The next `ketapress publish` applies it, and repeats no send time.",
        f"  before: {format_schedule(change.old_schedule, change.old_next_slot)}",
        f"  after:  {format_schedule(change.new_schedule, change.new_next_slot)}",
    ]


def _event_table(context: CommandContext, slots: "Iterable[Slot]", posts: "Iterable[UpcomingPost]") -> Table:
    events = [(slot.at, "edition", slot.edition) for slot in slots]
    events += [
        (upcoming.post.date, "post", f"{upcoming.post.title} ({upcoming.post.path})") for upcoming in posts
    ]
    events.sort(key=lambda event: event[0].timestamp())
    return make_table((context.format_time(time), kind, subject) for time, kind, subject in events)
