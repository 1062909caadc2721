"""Everything that is wrong with a letter, in one list: errors hold its edition, warnings are shown.

In: the edition, its digest, a whole message, the newsletter's limit. Out: Problems, each kind once for each post.
"""

from collections.abc import Iterable

from ketapress.mail.lint.clients import client_problems
from ketapress.mail.lint.content import heading_problems, leftover_problems, structure_problems
from ketapress.mail.lint.contrast import contrast_problems
from ketapress.mail.lint.document import Source, parsed_page
from ketapress.mail.lint.headers import header_problems, unsubscribe_address
from ketapress.mail.lint.images import picture_problems
from ketapress.mail.lint.links import leaving_problems, link_problems
from ketapress.mail.lint.size import size_problems
from ketapress.mail.lint.styles import style_problems
from ketapress.model.edition import Edition
from ketapress.model.errors import Problem
from ketapress.model.message import Digest


def letter_problems(
    edition: Edition, digest: Digest, message: bytes, most: int, source: Source = lambda _: ""
) -> tuple[Problem, ...]:
    """What clients, filters and readers would object to. `most` is `max_bytes` of the newsletter.

    `source` is what an author wrote, by the path of the post: it is asked only where a post is to blame, for the line.
    """
    page = parsed_page(digest.html, edition, source)
    return _gathered(
        [
            *size_problems(digest, message, most),
            *structure_problems(page),
            *heading_problems(page),
            *picture_problems(page),
            *link_problems(page),
            *leaving_problems(page, digest.text, unsubscribe_address(message)),
            *leftover_problems(page, digest.text, edition),
            *contrast_problems(page),
            *style_problems(page),
            *client_problems(page),
            *header_problems(message),
        ]
    )


def _gathered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The first of each kind in each place, with the number of the others."""
    first: dict[tuple[str, str, str | None], Problem] = {}
    more: dict[tuple[str, str, str | None], int] = {}
    for problem in problems:
        kind = (problem.code, problem.severity, problem.path)
        if kind in first:
            more[kind] = more.get(kind, 0) + 1
        first.setdefault(kind, problem)
    return tuple(
        each._replace(message=f"{each.message} ({more[kind]} more like it.)") if kind in more else each
        for kind, each in first.items()
    )
