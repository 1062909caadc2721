"""`ketapress doctor`: whether everything that it stands on will hold. It changes nothing and sends nothing."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from ketapress.cli.decorators import Answer, Door, command
from ketapress.cli.table import Rows, rows
from ketapress.model.errors import KetapressError, Problem, UsageError

if TYPE_CHECKING:  # loaded when the command is called
    from ketapress.doctor.finding import Finding, Health


@command("doctor", "Look at settings, folder, clock, database, relay and DNS; each finding has its cure.")
@click.option(
    "--selector",
    "selectors",
    multiple=True,
    metavar="NAME",
    help="Look for this DKIM key of the relay's, too.",
)
@click.option("--dns", "server", metavar="ADDRESS[:PORT]", help="Ask this name server, not the system's.")
def doctor(door: Door, selectors: tuple[str, ...], server: str | None) -> Answer:
    from ketapress.check.invariants import invariant_problems
    from ketapress.doctor.resolver import DnsResolver
    from ketapress.doctor.run import run_checks

    publication = door.publication
    found = run_checks(
        door.root,
        publication.settings,
        (lambda: publication.store) if publication.has_store else None,
        lambda store: invariant_problems(store.find_invariant_violations(thorough=True)),
        DnsResolver(_server(server)),
        selectors,
        door.now,
        _newsletter_problems(door),
    )
    result = {
        "findings": [
            {"subject": each.subject, "health": str(each.health), "message": each.message, "cure": each.cure}
            for each in found
        ]
    }
    problems = [each.problem for each in found if each.problem]
    if door.as_json:
        return Answer(result, problems=problems)
    needs_person = any(each.needs_person for each in problems)
    return Answer(result, [_rows(found)], needs_person=needs_person)


def _newsletter_problems(door: Door) -> tuple[Problem, ...]:
    """Return what is wrong with newsletters; nothing where posts or database cannot be read, which other findings say."""
    from ketapress.check.newsletter_problems import newsletter_problems

    publication = door.publication
    try:
        posts = publication.load_library(door.now, save_ids=False).posts
        return newsletter_problems(
            publication.settings,
            publication.store.read_overview() if publication.has_store else None,
            lambda edition: publication.store.editions.get_message_template(edition.id).sender_domain,
            posts,
            door.now,
        )
    except (KetapressError, OSError):
        return ()


def _server(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    address, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "53")
    try:
        return str(ip_address(address)), int(port)
    except ValueError:
        message = f"--dns {text!r} is no address."
        cure = "Write it like 192.0.2.1 or 127.0.0.1:5353."
        raise UsageError(Problem(code="usage.dns", message=message, cure=cure)) from None


def _rows(findings: "Sequence[Finding]") -> Rows:
    """A row for each finding, and one below it for its cure."""
    return rows(
        row
        for each in findings
        for row in ((_MARKS[each.health], f"{each.subject}: {each.message}"), ("", each.cure))
        if any(row)
    )


_MARKS: "dict[Health | str, str]" = {"well": "ok"} | {word: word for word in ("warning", "error", "unseen")}
