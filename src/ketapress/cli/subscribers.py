"""`ketapress subscribers …`: manage subscribers."""

import sys
from itertools import chain
from pathlib import Path
from typing import Any

import click

from ketapress.cli.context import CommandContext, CommandResult, format_count, operator_name
from ketapress.cli.decorators import command, group
from ketapress.cli.table import make_table
from ketapress.model.errors import Problem, Severity
from ketapress.model.subscriber import ImportResult, RejectedRow, Subscriber

_newsletters_option = click.option(
    "--newsletter",
    "newsletters",
    metavar="NAME",
    multiple=True,
    help="The newsletter; repeat for more. It may be left out if there is only one.",
)
_newsletter_option = click.option(
    "--newsletter", "newsletter", metavar="NAME", help="Only this newsletter (default: all)."
)


@command(
    "subscribers add",
    "Add active subscribers. Your user name is recorded as evidence of consent.",
    writes=True,
)
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@_newsletters_option
def add(context: CommandContext, addresses: tuple[str, ...], newsletters: tuple[str, ...]) -> CommandResult:
    from ketapress.subscribe import add_subscribers, select_newsletters

    publication = context.publication
    names = select_newsletters(publication.settings, newsletters)
    now = context.clock()
    return _import_result(
        add_subscribers(publication.store, addresses, names, operator_name(), now, dry_run=context.dry_run)
    )


@command(
    "subscribers import",
    "Import subscribers from a CSV file. Its columns are address, name, and lang; - reads stdin. Rejected lines are "
    "listed.",
    writes=True,
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@_newsletters_option
def import_(context: CommandContext, file: str, newsletters: tuple[str, ...]) -> CommandResult:
    from ketapress.subscribe import import_subscribers

    publication = context.publication
    report = import_subscribers(
        publication.store,
        sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes(),
        publication.settings,
        newsletters,
        operator_name(),
        context.clock(),
        dry_run=context.dry_run,
    )
    result = _import_result(report)
    if report == ImportResult():
        message, cure = "the file has no subscribers.", "Write one address per line, optionally with a name."
        problem = Problem("subscribers.none", message, cure, severity=Severity.WARNING)
        return result._replace(problems=[problem])
    return result


@command("subscribers list", "List subscribers and their subscriptions.")
@_newsletter_option
def list_(context: CommandContext, newsletter: str | None) -> CommandResult:
    subscribers = context.publication.store.subscribers.iter_subscribers(newsletter)
    first = next(subscribers, None)
    if first is None:
        line = "No subscribers yet. Add some with `ketapress subscribers import FILE.csv`."
        return CommandResult({}, [line], stream=("subscribers", ()))
    all_subscribers = chain((first,), subscribers)
    return CommandResult(
        {},
        map(_subscriber_line, all_subscribers),
        stream=("subscribers", map(_subscriber_data, all_subscribers)),
    )


@command("subscribers export", "Export subscribers as CSV. The list includes those who left.")
@_newsletter_option
@click.option("--to", "file", type=click.Path(dir_okay=False), help="The file to write (default: stdout).")
def export(context: CommandContext, newsletter: str | None, file: str | None) -> CommandResult:
    from ketapress.subscribe import export_subscribers
    from ketapress.system.atomic import open_atomic

    lines = export_subscribers(context.publication.store, newsletter)
    if file is None and context.as_json:
        return CommandResult({"csv": "".join(lines)})  # one value: lists larger than memory need --to
    if file is None:
        for line in lines:
            click.echo(line, nl=False)
        return CommandResult({}, silent=True)
    with (
        open_atomic(file) as handle,
        open(handle, "w", encoding="utf-8", newline="", closefd=False) as output,
    ):
        count = sum(1 for line in lines if output.write(line)) - 1
    line = f"Exported {format_count(count, 'subscription')} to {file}."
    return CommandResult({"file": file, "lines": count}, [line])


@command(
    "subscribers remove",
    "End the subscriptions of an ADDRESS. It stays on record, so that nothing is sent to it again.",
)
@click.argument("address")
@_newsletter_option
def remove(context: CommandContext, address: str, newsletter: str | None) -> CommandResult:
    from ketapress.subscribe import remove_subscriber

    count = remove_subscriber(
        context.publication.store, address, newsletter, operator_name(), context.clock()
    )
    return CommandResult({"ended": count}, [f"Ended {format_count(count, 'subscription')} of {address}."])


@command("subscribers erase", "Erase an ADDRESS and its history for good.")
@click.argument("address")
def erase(context: CommandContext, address: str) -> CommandResult:
    from ketapress.subscribe import erase_subscriber

    erase_subscriber(context.publication.store, address, operator_name(), context.clock())
    line = f"Erased {address}. Older backups still contain it."
    return CommandResult({"erased": True}, [line])


@command("subscribers history", "List the events of an ADDRESS. They include consent and mail.")
@click.argument("address")
def history(context: CommandContext, address: str) -> CommandResult:
    from ketapress.subscribe import get_subscriber_history

    events = get_subscriber_history(context.publication.store, address)
    data = [
        {
            "at": context.format_iso(event.time),
            "what": event.kind,
            "newsletter": event.newsletter,
            "edition": event.edition,
            "by": event.origin,
            "reply": event.reply,
        }
        for event in events
    ]
    rows = (
        (
            context.format_time(event.time),
            event.edition or event.newsletter,
            event.kind,
            event.origin or event.reply,
        )
        for event in events
    )
    return CommandResult({"address": address, "events": data}, [make_table(rows)])


subscribers = group(
    "subscribers",
    "Add, list, import, export, remove, or erase subscribers.",
    [add, list_, import_, export, remove, erase, history],
)


def _import_result(report: ImportResult) -> CommandResult:
    data = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": [{"line": row.line, "value": row.value, "why": row.reason} for row in report.refused],
    }
    counts = f"{report.added:,} added, {report.updated:,} updated, {report.unchanged:,} unchanged, {len(report.refused):,} rejected."
    return CommandResult(data, [counts], [_rejection_problem(row) for row in report.refused])


def _rejection_problem(row: RejectedRow) -> Problem:
    location = f"line {row.line}: " if row.line else ""
    verb = "import" if row.line else "add"
    return Problem(
        code="subscriber.refused",
        message=f"{location}{row.value!r} was rejected: {row.reason}.",
        cure=f"Correct it, if possible, and {verb} it again. The other addresses were accepted and are not added twice.",
    )


def _subscriber_data(subscriber: Subscriber) -> dict[str, Any]:
    return {
        "address": subscriber.address,
        "name": subscriber.name,
        "subscriptions": {item.newsletter: str(item.state) for item in subscriber.subscriptions},
    }


def _subscriber_line(subscriber: Subscriber) -> str:
    states = ", ".join(f"{item.newsletter}: {item.state}" for item in subscriber.subscriptions)
    return f"{subscriber.address}  {states}"
