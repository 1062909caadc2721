"""What is known of the files of `posts/`: each is read, unless it is remembered as it is.

In: the folder, a cache, pinned posts. Out: manuscripts, then bodies, with what is wrong; and what a cache may keep. Much
is read in two halves, side by side.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ketapress.model.errors import KetapressError, Problem
from ketapress.model.output import text_sha256
from ketapress.model.post import Post
from ketapress.posts.cache.codec import Row
from ketapress.posts.cache.sqlite_cache import Cache, Census, Learned
from ketapress.posts.identity.assign import Pinned
from ketapress.posts.parsing.parse import Manuscript, ReadingRules, manuscript
from ketapress.posts.rendering.link_targets import Pages
from ketapress.posts.rendering.render import Body, body
from ketapress.posts.source.attachments import is_attachable, url_path
from ketapress.posts.source.files import paths, shown, text

_MANY = 300  # files; of fewer, what a second process found takes as long to hand over as to find


class Companion(Protocol):
    """A second process that knows what this one knew when it began, and works in rounds.

    What it does not answer is done here.
    """

    def ask(self, question: Any) -> None: ...
    def answers(self) -> list[Any]: ...
    def end(self) -> None: ...


Begin = Callable[[Callable[[Iterator[Any]], Iterator[Iterable[Any]]]], Companion | None]
"""Begins a companion with its work: from the questions that are asked between rounds, the results of each round."""


def alone(_work: Callable[[Iterator[Any]], Iterator[Iterable[Any]]]) -> None:
    """No companion."""


class Shelf:
    """The files of the folder, as they were listed once: each is read, unless the cache remembers it as it is.

    `listed` is what is wrong with the listing, `stamps` are those of the files that count, by their paths.
    """

    def __init__(self, folder: Path, rules: ReadingRules, cache: Cache | None, begin: Begin) -> None:
        self.cache = cache
        self.listed: list[Problem] = []
        self._folder = folder
        self._rules = rules
        self._begin = begin
        self._companion: Companion | None = None
        self._held: frozenset[str] = frozenset()
        self._beside: list[str] = []
        there, place = paths(folder, self.listed, self._beside), str(folder)
        self.stamps = {path: cache.stamp(f"{place}/{path}") if cache else "" for path in there}
        self._known: Mapping[str, Row] = {}
        self._read: dict[str, Row | File] = {}
        self._rows: dict[str, Row] = {}

    @property
    def beside(self) -> str:
        """Stands for the paths of files that are no writing."""
        return text_sha256("\0".join(sorted(self._beside)))

    def manuscripts(self) -> tuple[list[Manuscript], list[Problem]]:
        """What the files say, and what is wrong with those that say nothing."""
        self._known = self.cache.rows() if self.cache else {}
        self._read = {path: row for path in self.stamps if (row := self._remembered(path))}
        unread = [path for path in self.stamps if path not in self._read]
        problems = self.listed.copy()
        for path, found in zip(unread, self._found(unread), strict=True):
            if isinstance(found, File):
                self._read[path] = found
            else:
                problems += found
        return [each.manuscript for each in self._read.values()], problems

    def warnings(self) -> list[Problem]:
        """What was noticed in the files that say something."""
        return [problem for each in self._read.values() for problem in each.warnings]

    def pages(self, urls: Mapping[str, str], site_url: str) -> Pages:
        """The pages that links may lead to: of posts whose `urls` under the site are these, and of files beside them."""
        return Pages(site_url, urls, {path: url_path(path) for path in self._beside if is_attachable(path)})

    def bodies(self, posts: Iterable[Pinned], site_url: str) -> tuple[dict[str, Body], list[Problem]]:
        """The bodies of posts as they leave, by the posts' paths; of files that became others meanwhile, what is wrong."""
        written = {each.manuscript.path: each for each in posts}
        pages = self.pages({path: each.record.url for path, each in written.items()}, site_url)
        bodies: dict[str, Body] = {}
        for path, each in written.items():
            known = self._read[path]
            if isinstance(known, Row) and known.body.fits(each.record, pages):
                bodies[path] = known.body
        unmade = [path for path in written if path not in bodies]
        problems: list[Problem] = []
        for path, found in self._made(unmade, written, site_url, pages):
            if isinstance(found, Body):
                bodies[path] = found
                self._learn(path, found)
            else:
                problems += found
        return bodies, problems

    def close(self) -> None:
        """Lets the companion go."""
        if self._companion:
            self._companion.end()
            self._companion = None

    def learned(self, lines: Mapping[str, str], posts: Mapping[str, Post], census: Census | None) -> Learned:
        """What the cache does not have: with the lines of the posts' records and the posts, by their paths."""
        if not self.cache:
            return Learned()
        kept = ((path, self._read[path]) for path in lines.keys() - self._rows.keys())
        rows = self._rows | {
            path: row for path, row in kept if isinstance(row, Row) and row.line != lines[path]
        }
        return Learned(
            {
                path: row._replace(line=lines[path], post=posts[path])
                for path, row in rows.items()
                if path in lines
            },
            frozenset(self._known.keys() - self._read.keys()),
            census,
            census != self.cache.census(),
        )

    def unread(self) -> dict[str, str]:
        """The files that say nothing, with their stamps."""
        return {path: stamp for path, stamp in self.stamps.items() if path not in self._read}

    def _learn(self, path: str, body: Body) -> None:
        found = self._read[path]
        if found.stamp:
            self._rows[path] = found.row(body)

    def _found(self, unread: Sequence[str]) -> "list[File | tuple[Problem, ...]]":
        """What is in each of the files. Of many the companion reads half, and keeps the texts to itself."""
        middle = len(unread) // 2 if len(unread) >= _MANY else len(unread)
        mine, theirs = unread[:middle], unread[middle:]
        self._companion = self._begin(partial(self._accompany, theirs)) if theirs else None
        found = list(self._files(mine))
        told = self._companion.answers() if self._companion else []
        self._held = frozenset(theirs[: len(told)])
        return [*found, *told, *self._files(theirs[len(told) :])]

    def _made(
        self, unmade: Iterable[str], written: Mapping[str, Pinned], site_url: str, pages: Pages
    ) -> "Iterator[tuple[str, Body | tuple[Problem, ...]]]":
        """The body of each post: the companion makes those of the files that it has read."""
        mine: list[str] = []
        theirs: list[str] = []
        for path in unmade:
            (theirs if path in self._held else mine).append(path)
        if self._companion and theirs:
            self._companion.ask(({path: written[path].record for path in theirs}, site_url, pages))
        make = partial(self._bodies, written, site_url, pages)
        made = list(make(mine))
        told = self._companion.answers() if self._companion and theirs else []
        return zip([*mine, *theirs], [*made, *told, *make(theirs[len(told) :])], strict=True)

    def _accompany(self, paths: Iterable[str], questions: Iterator[Any]) -> Iterator[Iterable[Any]]:
        """What the companion does: reads these files, then makes the bodies of posts that they became."""
        yield self._kept(paths)
        for records, site_url, pages in questions:
            files = {path: self._read[path].manuscript for path in records}
            written = {path: Pinned(files[path], record) for path, record in records.items()}
            yield self._bodies(written, site_url, pages, written)

    def _kept(self, paths: Iterable[str]) -> "Iterator[File | tuple[Problem, ...]]":
        """Each file without its text, which is kept here."""
        for path in paths:
            (found,) = self._files([path])
            if isinstance(found, File):
                self._read[path] = found
                found = found._replace(manuscript=found.manuscript._replace(html="", marks=()))
            yield found

    def _remembered(self, path: str) -> Row | None:
        row = self._known.get(path)
        return row if row and row.stamp == self.stamps[path] else None

    def _files(self, paths: Iterable[str]) -> Iterator["File | tuple[Problem, ...]"]:
        """Each file, or what is wrong with it."""
        for path in paths:
            try:
                yield self.file(path)
            except KetapressError as error:
                yield tuple(problem.at(shown(path)) for problem in error.problems)

    def file(self, path: str) -> "File":
        """What a file says. Raises `KetapressError` where that is nothing."""
        made, warnings = manuscript(path, text(self._folder, path), self._rules)
        return File(self.stamps[path], made, tuple(problem.at(shown(path)) for problem in warnings))

    def body(self, written: Pinned, site_url: str, pages: Mapping[str, str]) -> Body:
        """The body of a post whose text was read just now."""
        return body(written, site_url, pages, partial(self._again, written.manuscript.path))

    def _bodies(
        self, posts: Mapping[str, Pinned], site_url: str, pages: Mapping[str, str], paths: Iterable[str]
    ) -> Iterator[Body | tuple[Problem, ...]]:
        """The body of each post. What is known without its text is read once more."""
        for path in paths:
            found = self._read[path]
            try:
                file = self.file(path) if isinstance(found, Row) or path in self._held else found
            except KetapressError as error:
                yield tuple(problem.at(shown(path)) for problem in error.problems)
            else:
                yield self.body(posts[path]._replace(manuscript=file.manuscript), site_url, pages)

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

    def row(self, body: Body) -> Row:
        """What may be kept of it, once its body was made."""
        return Row(self.stamp, self.manuscript._replace(html="", marks=()), self.warnings, body)
