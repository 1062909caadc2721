"""Find files that are copies of a post: what programs that sync folders leave beside it, and links inside `posts/`."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ketapress.model.errors import Problem, Severity
from ketapress.posts.identity.registry_entry import Registry
from ketapress.posts.parsing.parse import ParsedPost

_CONFLICT_NAME = re.compile(
    # Syncthing, Dropbox and Nextcloud, file managers
    r"\.sync-conflict-\d|conflicted copy|case conflict|\((?:copy|\d+)\)\.\w+$| copy(?: \d+)?\.\w+$",
    re.IGNORECASE,
)


class Originals(NamedTuple):
    """The posts without the copies, and a warning about each copy."""

    posts: tuple[ParsedPost, ...]
    problems: tuple[Problem, ...]


def remove_copies(
    parsed_posts: Iterable[ParsedPost], registry: Registry, is_link: Callable[[str], bool]
) -> Originals:
    """Return the posts without those that have the title and the words of another one.

    They are copies where they also have its date, are links, or have the name of a copy: the same words on another day may be
    meant. What was published before, and what has an `id:` of its own, is never a copy. `is_link` tells whether a path is a link.
    """
    posts = tuple(parsed_posts)
    groups: dict[tuple[str, str], list[ParsedPost]] = {}
    for post in posts:
        if post.fields.id is None and not post.draft:
            groups.setdefault((post.sha256, post.title), []).append(post)
    published_paths = frozenset[str]()
    if len(groups) < len(posts):
        published_paths = frozenset(
            entry.path for entry in registry.entries if entry.published and entry.has_own_path
        )
    copies: dict[str, str] = {}
    for group in groups.values():
        if len(group) == 1:
            continue
        suspects = {post.path: is_link(post.path) or bool(_CONFLICT_NAME.search(post.path)) for post in group}
        original = min(
            group,
            key=lambda post: (
                post.path not in published_paths,
                suspects[post.path],
                len(post.path),
                post.path,
            ),
        )
        for post in group:
            is_alike = suspects[post.path] or post.date == original.date
            if post is not original and post.path not in published_paths and is_alike:
                copies[post.path] = original.path
    return Originals(
        tuple(post for post in posts if post.path not in copies),
        tuple(
            Problem(
                code="post.copy",
                severity=Severity.WARNING,
                message=f"the file has the title and the words of `posts/{original}`, so it is not published as another post.",
                cure="Remove the file, or give it a title or an `id:` of its own.",
                path=f"posts/{path}",
            )
            for path, original in copies.items()
        ),
    )
