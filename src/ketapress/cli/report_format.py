"""Reports of publish, build and compose, for scripts and for people. One shape for the three."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ketapress.cli.context import Door, document, shown
from ketapress.model.edition import Decision, EditionState
from ketapress.model.errors import Problem

if TYPE_CHECKING:  # a build that finds nothing changed must not pay for composing
    from ketapress.builder.builder import BuildReport
    from ketapress.compose import ComposedEdition, ComposeReport


def published(door: Door, composed: "ComposeReport | None", built: "BuildReport | None") -> Mapping[str, Any]:
    """The `result` of publish, build and compose."""
    return {
        "posts": built.posts if built else None,
        "written": built.written if built else 0,
        "unchanged": built.unchanged if built else 0,
        "removed": built.removed if built else 0,
        "editions": [edition_result(each) for each in composed.editions] if composed else [],
        "slots": [
            {"newsletter": slot.newsletter, "slot": slot.key, "decided": str(decision)}
            for slot, decision in (composed.slots if composed else ())
        ],
        "dry_run": door.dry_run,
    }


def left_out_words(left_out: Mapping[str, int]) -> str:
    """For whom an edition was not frozen, to be put behind its counts; empty where it was for everybody."""
    reasons = " and ".join(f"{count:,} {state}" for state, count in left_out.items())
    return f"; not for {reasons}" if reasons else ""


def needs_person(composed: "ComposeReport") -> bool:
    """Whether an edition waits for somebody: held, or for approval."""
    return any(each.state is not EditionState.READY for each in composed.editions)


def has_template_error(problems: Iterable[Problem]) -> bool:
    """Whether a template of the publication or of its settings could not be used."""
    return any(problem.code.startswith("template.") and problem.needs_person for problem in problems)


def compose_lines(door: Door, composed: "ComposeReport") -> list[str]:
    lines = [line for each in composed.editions for line in edition_lines(door, each)]
    for (newsletter, decision), count in Counter(
        (slot.newsletter, what) for slot, what in composed.slots
    ).items():
        if decision is Decision.EMPTY:
            lines.append(f"{newsletter}: nothing new since the last edition, so none was composed.")
        elif decision is Decision.MERGED:
            lines.append(
                f"{newsletter}: {count} earlier slot{'s' if count > 1 else ''} went by without an edition; "
                "what was new then is in the newest one."
            )
    return lines


def build_lines(door: Door, built: "BuildReport") -> list[str]:
    would = "would be " if door.dry_run else ""
    index = door.root / "public" / "index.html"
    return [
        (
            f"public/: {built.posts} post{'' if built.posts == 1 else 's'}; {built.written} files {would}written, "
            f"{built.unchanged} unchanged, {built.removed} {would}removed."
        ),
        *([] if door.dry_run else [f"Open {index} in a browser."]),
    ]


def edition_result(each: "ComposedEdition") -> dict[str, Any]:
    return {
        "edition": each.edition.slot.edition,
        "state": str(each.state),
        "subject": each.digest.subject,
        "posts": [post.id for post in each.edition.posts],
        "bytes": each.digest.sizes["html"],
        "problems": [document(problem) for problem in each.problems],
    }


def edition_lines(door: Door, each: "ComposedEdition") -> list[str]:
    slot, count = each.edition.slot, len(each.edition.posts)
    made = "would be" if door.dry_run else "is"
    lines = [
        (
            f"{slot.edition}: “{each.digest.subject}”, {count} post{'' if count == 1 else 's'}, "
            f"{each.digest.sizes['html'] / 1024:.0f} KB; it {made} {each.state}."
        )
    ]
    lines += [f"  {shown(problem)}" for problem in each.problems]
    if each.reason:
        lines.append(
            f"  Because {each.reason}. `ketapress outbox {next_command(each.state)} {slot.edition}` lets it go."
        )
    if not door.dry_run:
        lines.append(f"  Read it: {door.root / 'outbox' / slot.newsletter / slot.key / 'digest.html'}")
    return lines


def next_command(state: EditionState | None) -> str:
    """The word of `ketapress outbox` that lets an edition go which waits for a person."""
    return "approve" if state is EditionState.AWAITING_APPROVAL else "release"
