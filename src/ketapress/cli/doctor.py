"""`ketapress doctor`: check the environment. It changes nothing and sends nothing."""

from ipaddress import ip_address

import click

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command
from ketapress.cli.table import make_table
from ketapress.model.errors import Problem, UsageError

_MARKS = {"well": "ok", "unseen": "skipped"}
"""Words for people, where they differ from `Health`."""


@command(
    "doctor", "Check settings, folder, clock, database, relay, and DNS, and say how to fix each problem."
)
@click.option(
    "--selector",
    "selectors",
    multiple=True,
    metavar="NAME",
    help="Also check the DKIM key with this selector; repeat for more.",
)
@click.option(
    "--dns", "server", metavar="ADDRESS[:PORT]", help="Ask this name server instead of the system's."
)
def doctor(context: CommandContext, selectors: tuple[str, ...], server: str | None) -> CommandResult:
    from ketapress.check.invariants import invariant_problems
    from ketapress.doctor.resolver import DnsResolver
    from ketapress.doctor.run import run_checks

    publication = context.publication
    findings = run_checks(
        context.root,
        publication.settings,
        (lambda: publication.store) if publication.has_store else None,
        lambda store: invariant_problems(store.find_invariant_violations(thorough=True)),
        DnsResolver(_parse_server(server) if server else None),
        selectors,
        context.now,
    )
    problems = [finding.problem for finding in findings if finding.problem]
    if context.as_json:
        data = {
            "findings": [
                {
                    "subject": finding.subject,
                    "health": str(finding.health),
                    "message": finding.message,
                    "cure": finding.cure,
                }
                for finding in findings
            ]
        }
        return CommandResult(data, problems=problems)
    rows = []
    for finding in findings:
        rows.append((_MARKS.get(finding.health, finding.health), f"{finding.subject}: {finding.message}"))
        if finding.cure:
            rows.append(("", finding.cure))
    needs_person = any(problem.needs_person for problem in problems)
    return CommandResult({}, [make_table(rows)], needs_person=needs_person)


def _parse_server(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "53")
    try:
        return str(ip_address(address)), int(port)
    except ValueError:
        message = f"--dns {text!r} is not an IP address."
        cure = "Write it like 192.0.2.1 or 127.0.0.1:5353."
        raise UsageError(Problem(code="usage.dns", message=message, cure=cure)) from None
