"""What `posts/` holds: the value that a reading of it ends in."""

from collections.abc import Iterable, Sized
from typing import NamedTuple

from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Post
from ketapress.posts.cache.sqlite_cache import Learned


class Library(NamedTuple):
    """What `posts/` holds: all posts, also drafts, held and future ones, in the order of their paths.

    `files` counts what should be a post: the posts and the distinct paths of the problems that are errors. `new_ids` is
    what the file of ids has to hold, where it holds something else. `learned` is what a cache may keep beside what it has.
    `problems_again` is what the next reading finds, once the ids are written and if nothing changes until then: a post is
    asked about its address once. None where that is not known.
    """

    posts: tuple[Post, ...]
    problems: tuple[Problem, ...]
    files: int
    new_ids: str | None
    learned: Learned = Learned()
    problems_again: tuple[Problem, ...] | None = None


def file_count(posts: Sized, problems: Iterable[Problem]) -> int:
    """How many files should be posts."""
    return len(posts) + len({problem.path for problem in problems if is_error(problem)})


def in_order(*problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems in the order of files and lines."""
    return tuple(
        sorted(
            (each for some in problems for each in some),
            key=lambda problem: (problem.path or "", problem.line or 0, problem.code, problem.message),
        )
    )


def is_error(problem: Problem) -> bool:
    return problem.severity is Severity.ERROR
