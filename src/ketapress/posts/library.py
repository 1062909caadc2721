"""The content of `posts/`, as `load_posts` returns it."""

from collections.abc import Iterable, Mapping, Sized
from types import MappingProxyType
from typing import NamedTuple

from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Post
from ketapress.posts.cache.post_cache import NewEntry


class Library(NamedTuple):
    """All posts in the order of their paths, also drafts, held and future ones.

    `files` counts the files that should be posts: the posts, their copies, and the distinct paths of the problems that are errors.
    `new_ids` is the text that the file of ids has to get; None where it stays as it is. `problems_again` are those that
    the next reading finds, once the ids are written and if nothing changes until then: some are reported only once.
    None where that is not known. `new_entries` are what the cache does not have yet, by the paths of files.
    """

    posts: tuple[Post, ...]
    problems: tuple[Problem, ...]
    files: int
    new_ids: str | None
    problems_again: tuple[Problem, ...] | None = None
    new_entries: Mapping[str, NewEntry] = MappingProxyType({})


def file_count(posts: Sized, problems: Iterable[Problem]) -> int:
    """Return how many files should be posts."""
    return len(posts) + len({problem.path for problem in problems if is_error(problem)})


def sort_problems(*problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return all problems in the order of files and lines."""
    return tuple(
        sorted(
            (problem for group in problems for problem in group),
            key=lambda problem: (problem.path or "", problem.line or 0, problem.code, problem.message),
        )
    )


def is_error(problem: Problem) -> bool:
    """Return whether a problem is an error, and no warning."""
    return problem.severity is Severity.ERROR
