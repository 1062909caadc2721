"""`ketapress subscribers …`: who wants what."""

import getpass
import sys
from pathlib import Path
from typing import Any

import click

from ketapress.cli.door import Answer, Door, command, group
from ketapress.model.errors import Problem, UsageError
from ketapress.model.subscriber import Refusal

_newsletter = click.option(
    "--newsletter", "newsletter", metavar="NAME", help="Which newsletter; all where it is left out."
)


@command("subscribers add", "Add addresses, active at once, with your name as evidence.")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@_newsletter
def add(door: Door, addresses: tuple[str, ...], newsletter: str | None) -> Answer:
    from ketapress.subscribe import add as add_people

    return _added(
        add_people(
            door.publication.store, addresses, _names(door, newsletter), by=_operator(), now=door.clock()
        )
    )


@command(
    "subscribers import", "Import a CSV with the columns address, name, lang; the broken lines are named."
)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@_newsletter
def import_(door: Door, file: str, newsletter: str | None) -> Answer:
    from ketapress.subscribe import import_people

    data = _read(file)
    return _added(
        import_people(
            door.publication.store, data, _names(door, newsletter), by=_operator(), now=door.clock()
        )
    )


@command("subscribers list", "List subscribers with their state.")
@_newsletter
def list_(door: Door, newsletter: str | None) -> Answer:
    people = [
        {
            "address": person.address,
            "name": person.name,
            "subscriptions": {each.newsletter: str(each.state) for each in person.subscriptions},
        }
        for person in door.publication.store.subscribers.by_newsletter(newsletter)
    ]
    lines = [f"{each['address']}  {_states(each['subscriptions'])}" for each in people]
    return Answer({"subscribers": people}, lines or ["Nobody yet: `ketapress subscribers import FILE.csv`."])


@command("subscribers export", "Write everybody as CSV, also those who left, to stdout or a file.")
@click.option("--to", "file", type=click.Path(dir_okay=False), help="The file to write; stdout by default.")
def export(door: Door, file: str | None) -> Answer:
    from ketapress.subscribe import export as exported

    lines = list(exported(door.publication.store))
    if file is None and not door.as_json:
        return Answer({}, [line.rstrip("\r\n") for line in lines])
    if file is None:
        raise UsageError(
            Problem(code="usage.export", message="--json and CSV cannot share stdout.", cure="Add --to FILE.")
        )
    Path(file).write_text("".join(lines), encoding="utf-8", newline="")
    return Answer({"file": file, "subscribers": len(lines) - 1}, [f"{len(lines) - 1} lines are in {file}."])


@command(
    "subscribers remove",
    "End the consent of ADDRESS; the person stays known, so that nobody mails them again.",
)
@click.argument("address")
@_newsletter
def remove(door: Door, address: str, newsletter: str | None) -> Answer:
    ended = door.publication.store.subscribers.remove(address, newsletter, _operator(), door.clock())
    return _about(
        address, {"ended": ended}, f"{ended} subscription(s) of {address} ended.", known=bool(ended)
    )


@command("subscribers erase", "Remove the person behind ADDRESS: no address of theirs stays anywhere.")
@click.argument("address")
def erase(door: Door, address: str) -> Answer:
    erased = door.publication.store.subscribers.erase(address, _operator(), door.clock())
    return _about(address, {"erased": erased}, f"{address} is erased.", known=erased)


@command("subscribers history", "Everything that happened with ADDRESS: consent and mail, by time.")
@click.argument("address")
def history(door: Door, address: str) -> Answer:
    events = door.publication.store.subscribers.history(address)
    result = {
        "address": address,
        "events": [
            {"at": door.iso(each.at), "newsletter": each.newsletter, "what": each.what} for each in events
        ],
    }
    lines = [f"{door.day(each.at)}  {each.newsletter}: {each.what}" for each in events]
    return Answer(result, lines or [f"{address} is not known here."])


subscribers = group(
    "subscribers",
    "Add, list, import, export, remove or erase subscribers.",
    [add, list_, import_, export, remove, erase, history],
)


def _names(door: Door, newsletter: str | None) -> list[str]:
    return [each.name for each in door.publication.newsletters(newsletter)]


def _operator() -> str:
    """Who is at the keyboard: the evidence behind a consent that somebody else entered."""
    return f"operator {getpass.getuser()}"


def _read(file: str) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def _added(report: Any) -> Answer:
    result = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": [{"line": each.line, "value": each.value, "why": each.why} for each in report.refused],
    }
    counts = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {len(report.refused)} refused."
    return Answer(result, [counts], [_refused(each) for each in report.refused])


def _refused(refusal: Refusal) -> Problem:
    place = f"line {refusal.line}: " if refusal.line else ""
    return Problem(
        code="subscriber.refused",
        message=f"{place}{refusal.value!r} was not taken: {refusal.why}.",
        cure="Mend it and import again; the others are in, and are not added twice.",
    )


def _about(address: str, result: dict[str, Any], done: str, *, known: bool) -> Answer:
    if known:
        return Answer(result, [done])
    problem = Problem(
        code="subscriber.unknown",
        message=f"{address} has nothing here that could end.",
        cure="`ketapress subscribers list` shows everybody.",
    )
    return Answer(result, problems=[problem])


def _states(subscriptions: dict[str, str]) -> str:
    return ", ".join(f"{name}: {state}" for name, state in subscriptions.items())
