"""`ketapress queue`: the coming posts and editions by date."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from ketapress.cli.decorators import Answer, Door, command
from ketapress.cli.table import Rows, rows
from ketapress.model.errors import Problem, UsageError

if TYPE_CHECKING:  # loaded when the command is called
    from ketapress.check.queue import ScheduleChange, UpcomingPost
    from ketapress.model.edition import Slot
    from ketapress.settings.schedule_history import ZonedSchedule

_MONTH = timedelta(days=31)


@command("queue", "Show the coming slots and posts by date, in the site's zone.", asks_time=True)
@click.option("--from", "first", metavar="TIME", help="The first moment; now by default.")
@click.option("--to", "until", metavar="TIME", help="The moment to stop before; 31 days on by default.")
def queue(door: Door, first: str | None, until: str | None) -> Answer:
    from ketapress.check.queue import schedule_changes, upcoming_posts, upcoming_slots
    from ketapress.settings.schedule_history import last_schedules

    publication = door.publication
    begin = door.moment(first, "--from") if first else door.now
    end = door.moment(until, "--to") if until else begin + _MONTH
    if end <= begin:
        message = f"--to {door.day(end)} is not after --from {door.day(begin)}."
        raise UsageError(
            Problem(code="usage.span", message=message, cure="Name a later --to, or leave one out.")
        )
    library = publication.load_library(door.now, save_ids=False)
    slots = upcoming_slots(publication.settings, begin, end)
    posts = upcoming_posts(publication.settings, library.posts, begin, end)
    changes = schedule_changes(publication.settings, last_schedules(door.root), door.now)
    if door.as_json:
        return Answer(_result(door, slots, posts, changes), problems=library.problems)
    lines: list[str | Rows] = [line for each in changes for line in _change_lines(door, each)]
    lines.append(_rows(door, slots, posts) if slots or posts else "Nothing is due in that time.")
    return Answer({}, lines, library.problems)


def _result(
    door: Door, slots: "Iterable[Slot]", posts: "Iterable[UpcomingPost]", changes: "Iterable[ScheduleChange]"
) -> dict[str, Any]:
    return {
        "slots": [
            {
                "newsletter": slot.newsletter,
                "slot": slot.key,
                "at": door.iso(slot.at, door.zone_of(slot.newsletter)),
            }
            for slot in slots
        ],
        "posts": [
            {
                "id": each.post.id,
                "path": each.post.path,
                "publishes_at": door.iso(each.post.date),
                "newsletters": list(each.newsletters),
            }
            for each in posts
        ],
        "changes": [
            {
                "newsletter": each.newsletter,
                "before": _due(each.old_schedule, each.old_next_slot),
                "after": _due(each.new_schedule, each.new_next_slot),
            }
            for each in changes
        ],
    }


def _due(schedule: "ZonedSchedule", following: "Slot | None") -> dict[str, Any]:
    return {
        "schedule": schedule.schedule.text,
        "timezone": schedule.zone,
        "next_slot": following.at.astimezone(ZoneInfo(schedule.zone)).isoformat() if following else None,
    }


def _change_lines(door: Door, change: "ScheduleChange") -> list[str]:
    def line(what: str, schedule: "ZonedSchedule", following: "Slot | None") -> str:
        coming = door.day(following.at, schedule.zone) if following else "never"
        return f"  {what} {schedule}: next {coming}"

    return [
        f"{change.newsletter}: its schedule was changed; the next `publish` acts on it, and repeats no slot.",
        line("was", change.old_schedule, change.old_next_slot),
        line("is ", change.new_schedule, change.new_next_slot),
    ]


def _rows(door: Door, slots: "Iterable[Slot]", posts: "Iterable[UpcomingPost]") -> Rows:
    events = [(slot.at, "edition", slot.edition) for slot in slots]
    events += [(each.post.date, "post", f"{each.post.title} ({each.post.path})") for each in posts]
    ordered = sorted(events, key=lambda event: event[0].timestamp())
    return rows((door.day(moment), what, which) for moment, what, which in ordered)
