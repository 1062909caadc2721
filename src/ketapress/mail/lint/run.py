"""Run all rules on a message. Errors hold its edition, warnings are shown; each kind occurs once for each post."""

from collections.abc import Iterable

from ketapress.mail.lint.clients import client_problems
from ketapress.mail.lint.content import heading_problems, structure_problems, template_tag_problems
from ketapress.mail.lint.contrast import contrast_problems
from ketapress.mail.lint.document import ReadSource, parse_page
from ketapress.mail.lint.headers import header_problems, unsubscribe_address
from ketapress.mail.lint.images import image_problems
from ketapress.mail.lint.links import link_problems, unsubscribe_problems
from ketapress.mail.lint.size import size_problems
from ketapress.mail.lint.styles import style_problems
from ketapress.model.edition import Edition
from ketapress.model.errors import Problem
from ketapress.model.message import Digest


def message_problems(
    edition: Edition, digest: Digest, message: bytes, max_bytes: int, read_source: ReadSource = lambda _: ""
) -> tuple[Problem, ...]:
    """Return the problems of a digest and of a complete message of it. `max_bytes` is the newsletter's setting.

    `read_source` is called only for a problem in a post, to find its line.
    """
    page = parse_page(digest.html, edition, read_source)
    return _merge_similar(
        [
            *size_problems(digest, message, max_bytes),
            *structure_problems(page),
            *heading_problems(page),
            *image_problems(page),
            *link_problems(page),
            *unsubscribe_problems(page, digest.text, unsubscribe_address(message)),
            *template_tag_problems(page, digest.text, edition),
            *contrast_problems(page),
            *style_problems(page),
            *client_problems(page),
            *header_problems(message),
        ]
    )


def _merge_similar(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Keep the first problem of each kind in each file, with the number of the others in its message."""
    first: dict[tuple[str, str, str | None], Problem] = {}
    repeats: dict[tuple[str, str, str | None], int] = {}
    for problem in problems:
        kind = (problem.code, problem.severity, problem.path)
        if kind in first:
            repeats[kind] = repeats.get(kind, 0) + 1
        first.setdefault(kind, problem)
    return tuple(
        first_problem._replace(message=f"{first_problem.message} ({repeats[kind]} more like it.)")
        if kind in repeats
        else first_problem
        for kind, first_problem in first.items()
    )
