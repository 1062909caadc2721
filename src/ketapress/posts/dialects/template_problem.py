"""The warning about tags and components of other tools that Ketapress does not run."""

from collections.abc import Sequence

from ketapress.model.errors import Problem, Severity

_MAX_EXAMPLES = 3


def build_template_problem(message: str, tags: Sequence[tuple[str, int]], cure: str) -> Problem:
    """Build a warning that names the first tags with their lines, and counts the others."""
    examples = ", ".join(
        f"`{' '.join(source.split())[:60]}` (line {line})" for source, line in tags[:_MAX_EXAMPLES]
    )
    remainder = f" and {len(tags) - _MAX_EXAMPLES} more" if len(tags) > _MAX_EXAMPLES else ""
    return Problem(
        code="post.template",
        severity=Severity.WARNING,
        message=f"{message}: {examples}{remainder}.",
        cure=cure,
        line=tags[0][1],
    )
