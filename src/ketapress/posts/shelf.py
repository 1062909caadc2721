"""What is known of the files of `posts/`: each is read, unless it is remembered as it is.

In: the folder, a cache, pinned posts. Out: manuscripts, then bodies, with what is wrong; and what a cache may keep. Much
is read in two halves, side by side.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from ketapress.model.errors import KetapressError, Problem
from ketapress.model.urls import joined
from ketapress.posts.beside import is_attachable, url_path
from ketapress.posts.cache import Cache, Row
from ketapress.posts.files import paths, shown, text
from ketapress.posts.manuscript import Manuscript, ReadingRules, manuscript
from ketapress.posts.pages import Pages
from ketapress.posts.pinning import Pinned
from ketapress.posts.rendering import Body, body

_MANY = 300  # files; of fewer, what a second process found takes as long to hand over as to find
_T = TypeVar("_T")
_R = TypeVar("_R")


class SideBySide(Protocol):
    """Does the same work for the things of two lists, which need nothing of each other."""

    def __call__(
        self, work: Callable[[Iterable[_T]], Iterator[_R]], first: Sequence[_T], second: Sequence[_T], /
    ) -> tuple[list[_R], list[_R]]: ...


def in_turn(
    work: Callable[[Iterable[_T]], Iterator[_R]], first: Sequence[_T], second: Sequence[_T], /
) -> tuple[list[_R], list[_R]]:
    """One list after the other."""
    return list(work(first)), list(work(second))


class Shelf:
    """The files of the folder: each is read, unless the cache remembers it as it is."""

    def __init__(
        self, folder: Path, rules: ReadingRules, cache: Cache | None, side_by_side: SideBySide
    ) -> None:
        self._folder = folder
        self._rules = rules
        self._cache = cache
        self._side_by_side = side_by_side
        self._known = cache.rows() if cache else {}
        self._read: dict[str, Row | File] = {}
        self._beside: list[str] = []
        self._rows: dict[str, Row] = {}

    def manuscripts(self) -> tuple[list[Manuscript], list[Problem]]:
        """What the files say, and what is wrong with them."""
        problems: list[Problem] = []
        there = list(paths(self._folder, problems, self._beside))
        self._read = {path: row for path in there if (row := self._remembered(path))}
        unread = [path for path in there if path not in self._read]
        for path, found in zip(unread, self._halved(self._files, unread), strict=True):
            if isinstance(found, File):
                self._read[path] = found
            else:
                problems += found
        problems += [problem for each in self._read.values() for problem in each.warnings]
        return [each.manuscript for each in self._read.values()], problems

    def bodies(self, posts: Iterable[Pinned], site_url: str) -> tuple[dict[str, Body], list[Problem]]:
        """The bodies of posts as they leave, by the posts' paths; of files that became others meanwhile, what is wrong."""
        written = {each.manuscript.path: each for each in posts}
        pages = Pages(
            {path: joined(site_url, each.record.url) for path, each in written.items()},
            {path: joined(site_url, url_path(path)) for path in self._beside if is_attachable(path)},
        )
        bodies: dict[str, Body] = {}
        for path, each in written.items():
            known = self._read[path]
            if isinstance(known, Row) and known.body.fits(each.record, pages):
                bodies[path] = known.body
        unmade = [path for path in written if path not in bodies]
        made = self._halved(partial(self._bodies, written, site_url, pages), unmade)
        problems: list[Problem] = []
        for path, found in zip(unmade, made, strict=True):
            if isinstance(found, Body):
                bodies[path] = found
                self._learn(path, found)
            else:
                problems += found
        return bodies, problems

    def learned(self) -> tuple[Mapping[str, Row], frozenset[str]]:
        return self._rows, frozenset(self._known.keys() - self._read.keys())

    def _learn(self, path: str, body: Body) -> None:
        found = self._read[path]
        if found.stamp:
            self._rows[path] = Row(
                found.stamp, found.manuscript._replace(html="", marks=()), found.warnings, body
            )

    def _halved(self, work: Callable[[Iterable[str]], Iterator[_R]], paths: Sequence[str]) -> list[_R]:
        """What comes of the paths, of which there may be many, in their order."""
        middle = len(paths) // 2 if len(paths) >= _MANY else 0
        first, second = self._side_by_side(work, paths[:middle], paths[middle:])
        return [*first, *second]

    def _stamp(self, path: str) -> str:
        return self._cache.stamp(f"{self._folder}/{path}") if self._cache else ""

    def _remembered(self, path: str) -> Row | None:
        row = self._known.get(path)
        return row if row and row.stamp == self._stamp(path) else None

    def _files(self, paths: Iterable[str]) -> Iterator["File | tuple[Problem, ...]"]:
        """Each file, or what is wrong with it."""
        for path in paths:
            try:
                yield self._file(path)
            except KetapressError as error:
                yield tuple(problem.at(shown(path)) for problem in error.problems)

    def _file(self, path: str) -> "File":
        stamp = self._stamp(path)
        made, warnings = manuscript(path, text(self._folder, path), self._rules)
        return File(stamp, made, tuple(problem.at(shown(path)) for problem in warnings))

    def _bodies(
        self, posts: Mapping[str, Pinned], site_url: str, pages: Mapping[str, str], paths: Iterable[str]
    ) -> Iterator[Body | tuple[Problem, ...]]:
        """The body of each post. What is remembered without its text is read once more."""
        for path in paths:
            found = self._read[path]
            try:
                file = self._file(path) if isinstance(found, Row) else found
            except KetapressError as error:
                yield tuple(problem.at(shown(path)) for problem in error.problems)
            else:
                written = posts[path]._replace(manuscript=file.manuscript)
                yield body(written, site_url, pages, partial(self._again, path))

    def _again(self, path: str) -> str:
        """The text of a file that was read before; empty where it was taken away meanwhile."""
        try:
            return text(self._folder, path)
        except KetapressError:
            return ""


class File(NamedTuple):
    """A file that was read: the stamp that it had before, its manuscript, and warnings about it."""

    stamp: str
    manuscript: Manuscript
    warnings: tuple[Problem, ...]
