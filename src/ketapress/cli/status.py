"""`ketapress status`: what is due, what was sent, and what needs attention, on one screen."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ketapress.cli.context import CommandContext, CommandResult, disk_problem, format_count
from ketapress.cli.decorators import command
from ketapress.cli.table import Table, make_table
from ketapress.deliver.report import in_doubt_problem
from ketapress.model.delivery import DeliveryState
from ketapress.model.errors import KetapressError, Problem, RefusedError, Severity
from ketapress.review import waiting_problem
from ketapress.settings.converters import sqlite_path
from ketapress.system.lock import lock_holder

if TYPE_CHECKING:
    from ketapress.check.status import NewsletterStatus, Status

_MAX_PROBLEMS = 5
_UNSENT_STATES = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
_LEASED_STATES = (DeliveryState.CLAIMED, DeliveryState.SENDING)
_UNITS = (
    (timedelta(days=1), "days"),
    (timedelta(hours=1), "hours"),
    (timedelta(minutes=1), "minutes"),
)


@command("status", "Show on one screen what is due, what was sent, and what needs attention.", asks_time=True)
def status(context: CommandContext) -> CommandResult:
    publication = context.publication
    with ThreadPoolExecutor(1) as executor:
        # Of a million deliveries it takes as long as the imports and the posts.
        overview = executor.submit(publication.read_overview)
        from ketapress.check.invariants import invariant_problems
        from ketapress.check.status import read_status

        post_problems = _post_problems(context)
        report = read_status(
            publication.settings, lambda: overview.result() or publication.store.read_overview(), context.now
        )
    problems = (
        *post_problems,
        *invariant_problems(report.violations),
        *_older_copy_problems(context.root, report.generation),
        *(in_doubt_problem(edition, count) for edition, count in report.in_doubt.items()),
        *_lease_problems(context, report),
        *_relay_problems(context, report),
        *_folder_problems(context.root),
    )
    needs_person = bool(report.waiting_editions)
    if context.as_json:
        return CommandResult(_status_data(context, report), problems=problems, needs_person=needs_person)
    needs_person = needs_person or any(problem.needs_person for problem in problems)
    return CommandResult({}, _screen_lines(context, report, problems), needs_person=needs_person)


def _post_problems(context: CommandContext) -> tuple[Problem, ...]:
    """Return the problems of posts; if no post can be read, that is a problem, and the rest of the screen is shown."""
    try:
        return context.publication.load_library(context.now, save_ids=False).problems
    except KetapressError as error:
        return error.problems
    except OSError as error:
        return (disk_problem(error),)


def _older_copy_problems(root: Path, generation: int) -> tuple[Problem, ...]:
    """Return a problem if the database is, or may be, an older copy: then nothing is composed or sent."""
    from ketapress.outbox.sent_log import older_copy_problem

    try:
        problem = older_copy_problem(root, generation)
    except RefusedError as error:
        return error.problems
    return (problem,) if problem else ()


def _lease_problems(context: CommandContext, report: "Status") -> tuple[Problem, ...]:
    """Return a problem if a process died while it was sending, and no process has taken over its messages.

    Only a SQLite database belongs to one folder, whose locks tell which processes are running.
    """
    count = sum(report.deliveries.get(state, 0) for state in _LEASED_STATES)
    is_sqlite = sqlite_path(context.publication.settings.database.url) is not None
    if not count or not is_sqlite:
        return ()
    if "delivery" in context.publication.active_parts() or lock_holder(context.root, "send"):
        return ()
    sending_count = report.deliveries.get(DeliveryState.SENDING, 0)
    message = f"a process ended before it finished sending {format_count(count, 'message')}"
    if sending_count:
        message += f"; the relay may have accepted {sending_count:,} of them"
    cure = (
        "Run `ketapress send` or `ketapress run` to continue. `relay.in_doubt` decides whether messages that may have "
        "been accepted are sent again."
    )
    return (
        Problem(
            code="delivery.left",
            severity=Severity.WARNING,
            needs_answer=True,
            message=f"{message}.",
            cure=cure,
        ),
    )


def _relay_problems(context: CommandContext, report: "Status") -> tuple[Problem, ...]:
    """Return a problem if the relay is not available: an error if messages wait for it, and otherwise a warning."""
    if report.relay.reachable:
        return ()
    reply = report.relay.last_reply.removeprefix("connect: ")
    message = f"the relay {context.publication.settings.relay.url} is not available: {reply}."
    cure = "Start the relay or correct `relay.url`; `ketapress doctor` shows which step fails."
    count = sum(report.deliveries.get(state, 0) for state in _UNSENT_STATES)
    if not count:
        cure += " Until then, no mail can be sent."
        return (Problem(code="relay.unreachable", severity=Severity.WARNING, message=message, cure=cure),)
    message = f"{format_count(count, 'message')} cannot be sent: {message}"
    return (Problem(code="relay.unreachable", message=message, cure=f"{cure} No message is lost."),)


def _folder_problems(root: Path) -> tuple[Problem, ...]:
    """Return a problem if a folder is not writable or the disk is almost full: then nothing is composed or sent."""
    from ketapress.doctor.system import check_disk_space, check_permissions

    problems = (finding.problem for finding in (check_permissions(root), check_disk_space(root)))
    return tuple(problem for problem in problems if problem and problem.needs_person)


def _status_data(context: CommandContext, report: "Status") -> dict[str, Any]:
    return {
        "newsletters": [
            {
                "name": item.newsletter.name,
                "next_slot": item.next_slot
                and context.format_iso(item.next_slot.at, context.newsletter_zone(item.newsletter.name)),
                "last_edition": item.last_edition
                and {"edition": item.last_edition.slot.edition, "state": str(item.last_edition.state)},
                "subscriptions": dict(item.subscriptions),
            }
            for item in report.newsletters
        ],
        "deliveries": {state.replace(" ", "_"): report.deliveries.get(state, 0) for state in DeliveryState},
        "doubtful": [{"edition": edition, "messages": count} for edition, count in report.in_doubt.items()],
        "waiting": [edition.slot.edition for edition in report.waiting_editions],
        "run": [
            {"part": part, "process": process} for part, process in context.publication.active_parts().items()
        ],
        "relay": {
            "url": str(context.publication.settings.relay.url),
            "reachable": report.relay.reachable,
            "last_reply": report.relay.last_reply,
        },
    }


def _screen_lines(
    context: CommandContext, report: "Status", problems: Sequence[Problem]
) -> list[str | Table]:
    settings = context.publication.settings
    counts = [(str(state), f"{count:,}") for state, count in report.deliveries.items() if count]
    relay_state = "accepts connections" if report.relay.reachable else "not available"
    return [
        make_table([(settings.site.title, context.format_time(context.now))]),
        *(line for item in report.newsletters for line in _newsletter_lines(context, item)),
        "run",
        make_table(_process_rows(context), indent=2),
        "deliveries",
        make_table(counts or [("none yet",)], indent=2),
        "relay",
        make_table([(str(settings.relay.url), relay_state)], indent=2),
        *_problem_lines(report, problems),
    ]


def _process_rows(context: CommandContext) -> list[tuple[str, ...]]:
    """Return the parts of `ketapress run` that are up in this folder, one row per process."""
    processes: dict[str, list[tuple[str, str]]] = {}
    for part, process in context.publication.active_parts().items():
        processes.setdefault(process.partition(",")[0], []).append((part, process))
    if not processes:
        return [("not running here: `ketapress publish` and `ketapress send` do what is due",)]
    return [(", ".join(part for part, _ in parts), f"process {parts[0][1]}") for parts in processes.values()]


def _newsletter_lines(context: CommandContext, item: "NewsletterStatus") -> list[str | Table]:
    name, edition = item.newsletter.name, item.last_edition
    send_time = "none"
    if item.next_slot:
        time = context.format_time(item.next_slot.at, context.newsletter_zone(name))
        send_time = f"{time} ({_format_wait(item.next_slot.at - context.now)})"
    facts = [
        (
            "subscribers",
            ", ".join(f"{count:,} {state}" for state, count in item.subscriptions.items()) or "none yet",
        ),
        ("next send time", send_time),
        ("last edition", f"{edition.slot.edition} ({edition.state})" if edition else "none yet"),
    ]
    return [name, make_table(facts, indent=2)]


def _format_wait(span: timedelta) -> str:
    """Format a time until a moment in its largest unit of which it has at least two."""
    texts = (f"in {span // unit} {name}" for unit, name in _UNITS if span >= 2 * unit)
    return next(texts, "in less than 2 minutes")


def _problem_lines(report: "Status", problems: Sequence[Problem]) -> list[str | Table]:
    """Return at most five problems in full, those that need a person first, then a relay that is not available.

    Other warnings are left to `ketapress check`.
    """
    errors = [
        *map(waiting_problem, report.waiting_editions),
        *(problem for problem in problems if problem.needs_person),
    ]
    warnings = [
        problem
        for problem in problems
        if problem.code == "relay.unreachable" and problem.severity is Severity.WARNING
    ]
    rows = []
    for problem in [*errors[:_MAX_PROBLEMS], *warnings]:
        mark = "!" if problem.needs_person else "warning"
        rows += [(mark, ": ".join(filter(None, (problem.where, problem.message)))), ("", problem.cure)]
    if len(errors) > _MAX_PROBLEMS:
        more = len(errors) - _MAX_PROBLEMS
        rows.append(("", f"… and {more} more: see `ketapress check` and `ketapress outbox list`."))
    if not rows:
        return ["no problems"]
    if not errors:
        return [make_table(rows)]
    verb = "needs" if len(errors) == 1 else "need"
    return [f"{format_count(len(errors), 'problem')} {verb} attention", make_table(rows, indent=2)]
