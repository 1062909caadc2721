"""The results of publish, build, and compose, which have one form, for scripts and for people."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ketapress.cli.context import CommandContext, format_count, format_problem, problem_document
from ketapress.model.edition import Decision, EditionState

if TYPE_CHECKING:  # a no-change build must not load what composes
    from ketapress.builder.builder import BuildReport
    from ketapress.compose import ComposedEdition, ComposeReport


def publish_data(
    context: CommandContext, compose_report: "ComposeReport | None", build_report: "BuildReport | None"
) -> Mapping[str, Any]:
    """Return the `result` of publish, build, and compose."""
    return {
        "posts": build_report.posts if build_report else None,
        "written": build_report.written if build_report else 0,
        "unchanged": build_report.unchanged if build_report else 0,
        "removed": build_report.removed if build_report else 0,
        "editions": [edition_data(edition) for edition in compose_report.editions] if compose_report else [],
        "slots": [
            {"newsletter": slot.newsletter, "slot": slot.key, "decided": str(decision)}
            for slot, decision in (compose_report.slots if compose_report else ())
        ],
        "dry_run": context.dry_run,
    }


def format_skipped(counts: Mapping[str, int]) -> str:
    """Return the subscriptions that an edition skipped, by state, to append to its counts; empty if there are none."""
    return (
        f"; skipped: {', '.join(f'{count:,} {state}' for state, count in counts.items())}" if counts else ""
    )


def has_waiting_editions(report: "ComposeReport") -> bool:
    """Return whether an edition is held or awaits approval."""
    return any(edition.state is not EditionState.READY for edition in report.editions)


def compose_lines(context: CommandContext, report: "ComposeReport") -> list[str]:
    lines = [line for edition in report.editions for line in edition_lines(context, edition)]
    counts = Counter((slot.newsletter, decision) for slot, decision in report.slots)
    for (newsletter, decision), count in counts.items():
        if decision is Decision.EMPTY:
            lines.append(f"{newsletter}: no new posts since the last edition, so no edition was composed.")
        elif decision is Decision.MERGED and not counts[newsletter, Decision.EMPTY]:
            lines.append(
                f"{newsletter}: this edition also covers {format_count(count, 'earlier send time')}."
            )
    return lines


def build_lines(context: CommandContext, report: "BuildReport") -> list[str]:
    written = f"{format_count(report.written, 'file')} {'to write' if context.dry_run else 'written'}"
    removed = f"{report.removed:,} {'to remove' if context.dry_run else 'removed'}"
    counts = f"public/: {format_count(report.posts, 'post')}; {written}, {report.unchanged:,} unchanged, {removed}."
    return (
        [counts] if context.dry_run else [counts, f"Open {context.root / 'public/index.html'} in a browser."]
    )


def edition_data(edition: "ComposedEdition") -> dict[str, Any]:
    return {
        "edition": edition.edition.slot.edition,
        "state": str(edition.state),
        "subject": edition.digest.subject,
        "posts": [post.id for post in edition.edition.posts],
        "bytes": edition.digest.sizes["html"],
        "problems": [problem_document(problem) for problem in edition.problems],
    }


def edition_lines(context: CommandContext, edition: "ComposedEdition") -> list[str]:
    slot = edition.edition.slot
    posts, size = format_count(len(edition.edition.posts), "post"), edition.digest.sizes["html"] / 1024
    state = f"{'It would be' if context.dry_run else 'It is'} {edition.state}."
    lines = [f"{slot.edition}: “{edition.digest.subject}”, {posts}, {size:.0f} KB. {state}"]
    lines += [f"  {format_problem(problem)}" for problem in edition.problems]
    if edition.reason:
        command = "approve" if edition.state is EditionState.AWAITING_APPROVAL else "release"
        lines.append(
            f"  Reason: {edition.reason}. To send it, run `ketapress outbox {command} {slot.edition}`."
        )
    if not context.dry_run:
        lines.append(f"  Open {context.root / 'outbox' / slot.edition / 'digest.html'} in a browser.")
    return lines
