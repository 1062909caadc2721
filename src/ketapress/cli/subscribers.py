"""`ketapress subscribers …`: who wants what."""

import sys
from itertools import chain
from pathlib import Path
from typing import Any

import click

from ketapress.cli.context import operator
from ketapress.cli.decorators import Answer, Door, command, group
from ketapress.cli.table import rows
from ketapress.model.errors import Problem, Severity
from ketapress.model.subscriber import ImportResult, RejectedRow, Subscriber

_newsletters = click.option(
    "--newsletter",
    "newsletters",
    metavar="NAME",
    multiple=True,
    help="Which newsletter; may be given more than once, and left out where there is only one.",
)
_newsletter = click.option(
    "--newsletter", "newsletter", metavar="NAME", help="Which newsletter; all where it is left out."
)


@command("subscribers add", "Add addresses, active at once, with your name as evidence.", writes=True)
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@_newsletters
def add(door: Door, addresses: tuple[str, ...], newsletters: tuple[str, ...]) -> Answer:
    from ketapress.subscribe import add_subscribers, select_newsletters

    publication = door.publication
    chosen = select_newsletters(publication.settings, newsletters)
    now = door.clock()
    return _added(
        add_subscribers(publication.store, addresses, chosen, operator(), now, dry_run=door.dry_run)
    )


@command(
    "subscribers import",
    "Import a CSV with the columns address, name, lang (- for stdin); the broken lines are named.",
    writes=True,
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@_newsletters
def import_(door: Door, file: str, newsletters: tuple[str, ...]) -> Answer:
    from ketapress.subscribe import import_subscribers

    publication, data = door.publication, _read(file)
    report = import_subscribers(
        publication.store,
        data,
        publication.settings,
        newsletters,
        operator(),
        door.clock(),
        dry_run=door.dry_run,
    )
    if report == ImportResult():
        return _added(report)._replace(problems=[_NOBODY])
    return _added(report)


@command("subscribers list", "List subscribers with their state.")
@_newsletter
def list_(door: Door, newsletter: str | None) -> Answer:
    people = door.publication.store.subscribers.iter_subscribers(newsletter)
    first = next(people, None)
    if first is None:
        nobody = "Nobody yet: `ketapress subscribers import FILE.csv`."
        return Answer({}, [nobody], streamed=("subscribers", ()))
    everybody = chain((first,), people)
    return Answer({}, map(_line, everybody), streamed=("subscribers", map(_listed, everybody)))


@command("subscribers export", "Write everybody as CSV, also those who left, to stdout or a file.")
@_newsletter
@click.option("--to", "file", type=click.Path(dir_okay=False), help="The file to write; stdout by default.")
def export(door: Door, newsletter: str | None, file: str | None) -> Answer:
    from ketapress.subscribe import export_subscribers
    from ketapress.system.atomic import open_atomic

    lines = export_subscribers(door.publication.store, newsletter)
    if file is None and door.as_json:
        return Answer({"csv": "".join(lines)})  # one value: for a list too long for memory there is --to
    if file is None:
        for line in lines:
            click.echo(line, nl=False)
        return Answer({}, silent=True)
    with open_atomic(file) as handle, open(handle, "w", encoding="utf-8", newline="", closefd=False) as out:
        count = sum(1 for line in lines if out.write(line)) - 1
    return Answer({"file": file, "lines": count}, [f"{count:,} lines are in {file}."])


@command(
    "subscribers remove",
    "End the consent of ADDRESS; the person stays known, so that nobody mails them again.",
)
@click.argument("address")
@_newsletter
def remove(door: Door, address: str, newsletter: str | None) -> Answer:
    from ketapress.subscribe import remove_subscriber

    ended = remove_subscriber(door.publication.store, address, newsletter, operator(), door.clock())
    return Answer({"ended": ended}, [f"{ended} subscription{'' if ended == 1 else 's'} of {address} ended."])


@command("subscribers erase", "Remove the person behind ADDRESS: no address of theirs stays anywhere.")
@click.argument("address")
def erase(door: Door, address: str) -> Answer:
    from ketapress.subscribe import erase_subscriber

    erase_subscriber(door.publication.store, address, operator(), door.clock())
    return Answer({"erased": True}, [f"{address} is erased; backups that were made before still know it."])


@command("subscribers history", "Everything that happened with ADDRESS: consent and mail, by time.")
@click.argument("address")
def history(door: Door, address: str) -> Answer:
    from ketapress.subscribe import get_subscriber_history

    found = get_subscriber_history(door.publication.store, address)
    events = [
        {
            "at": door.iso(each.time),
            "what": each.kind,
            "newsletter": each.newsletter,
            "edition": each.edition,
            "by": each.origin,
            "reply": each.reply,
        }
        for each in found
    ]
    told = rows(
        (door.day(each.time), each.edition or each.newsletter, each.kind, each.origin or each.reply)
        for each in found
    )
    return Answer({"address": address, "events": events}, [told])


subscribers = group(
    "subscribers",
    "Add, list, import, export, remove or erase subscribers.",
    [add, list_, import_, export, remove, erase, history],
)


_NOBODY = Problem(
    code="subscribers.none",
    severity=Severity.WARNING,
    message="nobody was in that file.",
    cure="It should have a line for each person: an address, and perhaps a name.",
)


def _read(file: str) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def _added(report: ImportResult) -> Answer:
    result = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": [{"line": each.line, "value": each.value, "why": each.reason} for each in report.refused],
    }
    counts = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {len(report.refused)} refused."
    return Answer(result, [counts], [_refused(each) for each in report.refused])


def _refused(refusal: RejectedRow) -> Problem:
    place = f"line {refusal.line}: " if refusal.line else ""
    again = "import" if refusal.line else "add it"
    return Problem(
        code="subscriber.refused",
        message=f"{place}{refusal.value!r} was not taken: {refusal.reason}.",
        cure=f"Mend it if it can be mended, and {again} again: the others are in, and are not added twice.",
    )


def _listed(person: Subscriber) -> dict[str, Any]:
    return {
        "address": person.address,
        "name": person.name,
        "subscriptions": {each.newsletter: str(each.state) for each in person.subscriptions},
    }


def _line(person: Subscriber) -> str:
    states = ", ".join(f"{each.newsletter}: {each.state}" for each in person.subscriptions)
    return f"{person.address}  {states}"
