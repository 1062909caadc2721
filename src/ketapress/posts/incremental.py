"""A reading that goes on from the last one: where no more changed than the words of some posts, all others are as they were.

In: the folder as it was listed, its cache, the rules of pinning. Out: the library that a whole reading ends in, or None,
and then somebody has to read all of it. None for whatever may concern more than one post: a file that came, went or
cannot be read, another date, slug, id or draft mark, a question to a person, an instant at which other posts can be
seen. That both say the same is a property (`tests/posts/test_resuming.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ketapress.model.errors import KetapressError, Problem
from ketapress.model.output import text_sha256
from ketapress.model.post import FiledPost
from ketapress.posts.cache.codec import Kept, Row
from ketapress.posts.cache.sqlite_cache import Cache, Census, Learned
from ketapress.posts.identity.assign import Pinned, PinningRules, lasts, pinned
from ketapress.posts.identity.registry import read_ids, records_of, with_lines
from ketapress.posts.library import Library, file_count, in_order
from ketapress.posts.parsing.parse import Manuscript
from ketapress.posts.reader import File, Shelf
from ketapress.posts.rendering.link_targets import Pages
from ketapress.posts.rendering.render import post
from ketapress.posts.source.files import shown

MOST = 300
"""Files that changed: more are read in two halves, side by side, which a whole reading does."""


class _MoreChanged(Exception):  # noqa: N818 - no error: it never leaves this module
    """More changed than the words of some posts."""


def resumed(root: Path, shelf: Shelf, rules: PinningRules) -> Library | None:
    """All that is in the folder. Of `posts/` it reads the files that changed, and no others."""
    census = shelf.cache.census() if shelf.cache else None
    if shelf.cache is None or census is None:
        return None
    try:
        return _resumed(root, shelf, shelf.cache, census, rules)
    except (_MoreChanged, KetapressError):  # what is wrong is said by the whole reading
        return None


def _resumed(root: Path, shelf: Shelf, cache: Cache, census: Census, rules: PinningRules) -> Library:
    changed = _changed(shelf, census, cache.stamps(), rules.now)
    ids = read_ids(root) or ""
    _require(text_sha256(ids) == census.ids)
    filed = _Filed(shelf, cache, ids, rules.site_url)
    known, pages = filed.known, filed.pages
    _require(len(known) + len(census.unread) == len(shelf.stamps))
    lines = frozenset(ids.split("\n"))
    _require(all(_holds(each, lines, pages) for each in known.values()))
    editing = _Editing(shelf, cache, known, ids, rules, pages)
    edits, remarks = editing.edits(changed) if changed else ((), ())
    return _library(census, known, ids, edits, remarks)


class _Filed:
    """The posts that are known, and their HTML where somebody asks for it."""

    def __init__(self, shelf: Shelf, cache: Cache, ids: str, site_url: str) -> None:
        self._shelf = shelf
        self._cache = cache
        self._ids = ids
        self._site_url = site_url
        self.known = cache.posts(self._html)
        self.pages = shelf.pages({path: each.post.url for path, each in self.known.items()}, site_url)

    def _html(self, post: FiledPost) -> str:
        """As it was kept; where that is gone or broken, made anew. Raises `KetapressError` where the file is gone, too."""
        html = self._cache.html(post.path)
        if html is not None and text_sha256(html) == post.html_sha256:
            return html
        (record,) = records_of(self._ids, [self.known[post.path].line]).entries
        try:
            file = self._shelf.file(post.path)
        except KetapressError as error:
            raise KetapressError(*(problem.at(shown(post.path)) for problem in error.problems)) from None
        return self._shelf.body(Pinned(file.manuscript, record), self._site_url, self.pages).html


class _Edit(NamedTuple):
    """A post whose words changed: its row, and the line that its record had before."""

    path: str
    row: Row
    old_line: str


class _Editing(NamedTuple):
    """What the posts whose files changed are now, among all that stayed."""

    shelf: Shelf
    cache: Cache
    known: Mapping[str, Kept]
    ids: str
    rules: PinningRules
    pages: Pages

    def edits(self, changed: Sequence[str]) -> tuple[tuple[_Edit, ...], tuple[Problem, ...]]:
        """The edits, and what there is to say about how they are pinned."""
        files = {path: self._file(path) for path in changed}
        records = records_of(self.ids, (self.known[path].line for path in changed))
        for record in records.entries:
            _require(record.published is not None and not record.held and record.gone is None)
        manuscripts = (file.manuscript for file in files.values())
        decided = pinned(manuscripts, frozenset(), records, self.rules, self._instants(files))
        _require(all(map(lasts, decided.problems)) and len(decided.posts) == len(files))
        lines = with_lines(decided.records).lines
        edits = (
            self._edit(each, files[each.manuscript.path], lines[each.record.id][1]) for each in decided.posts
        )
        return tuple(edits), decided.problems

    def _file(self, path: str) -> File:
        """A file that says, but for its words, what it said before."""
        row, file = self.cache.row(path), self.shelf.file(path)
        _require(row is not None and _place(row.manuscript) == _place(file.manuscript))
        # The words of another post, also of one that is gone: this file may be that post now.
        words = file.manuscript.sha256
        _require(words == self.known[path].post.sha256 or words not in self.ids)
        return file

    def _instants(self, files: Mapping[str, File]) -> set[datetime]:
        """When posts changed last that are not among these, also those that are gone."""
        others = [each for path, each in self.known.items() if path not in files]
        own = {each.line for each in self.known.values()}
        left = (line for line in self.ids.split("\n")[1:] if line and line not in own)
        gone = records_of(self.ids, left).entries
        return {each.post.updated for each in others if each.post.published} | {
            each.updated for each in gone if each.updated
        }

    def _edit(self, written: Pinned, file: File, line: str) -> _Edit:
        path = written.manuscript.path
        body = self.shelf.body(written, self.rules.site_url, self.pages)
        _require(body.files == self.known[path].post.files)
        return _Edit(
            path, file.row(body)._replace(line=line, post=post(written, body)), self.known[path].line
        )


def _changed(shelf: Shelf, census: Census, stamps: Mapping[str, str], now: datetime) -> list[str]:
    """The paths of the posts whose files changed, where nothing else did."""
    _require(census.began <= now.timestamp() < census.until)
    _require((tuple(shelf.listed), shelf.beside) == (census.listed, census.beside))
    _require(shelf.stamps.keys() == stamps.keys() | census.unread.keys())
    _require(all(shelf.stamps[path] == stamp for path, stamp in census.unread.items()))
    changed = [path for path, stamp in stamps.items() if shelf.stamps[path] != stamp]
    _require(len(changed) <= MOST)
    return changed


def _holds(known: Kept, lines: frozenset[str], pages: Pages) -> bool:
    """Whether its record is what it was, and so are the pages that its body leads to."""
    return known.line in lines and all(pages.get(path) == url for path, url in known.asked)


def _place(each: Manuscript) -> tuple[object, ...]:
    """What decides, of all that a manuscript says, about other posts, too: its place in time and on the site."""
    said = each.fields
    return (each.date, each.expires, each.name, each.explicit_slug, each.draft, said.id, said.hold)


def _library(
    census: Census,
    known: Mapping[str, Kept],
    ids: str,
    edits: Sequence[_Edit],
    remarks: tuple[Problem, ...],
) -> Library:
    """All posts, those that changed among them."""
    posts = {path: each.post for path, each in known.items()}
    warnings = {path: each.warnings for path, each in known.items() if each.warnings}
    new_ids = ids
    for path, row, old_line in edits:
        assert row.post is not None  # `_edit` made it
        posts[path] = row.post
        warnings[path] = (*row.warnings, *row.body.problems)
        new_ids = new_ids.replace(f"\n{old_line}\n", f"\n{row.line}\n", 1)
    ordered = tuple(posts[path] for path in sorted(posts))
    rows = {edit.path: edit.row for edit in edits}
    edited = {f"posts/{path}" for path in rows}
    remarks = (*(each for each in census.remarks if each.path not in edited), *remarks)
    problems = in_order(census.problems, remarks, *warnings.values())
    counted = census._replace(ids=text_sha256(new_ids), remarks=remarks)
    return Library(
        posts=ordered,
        problems=problems,
        files=file_count(ordered, problems),
        new_ids=None if new_ids == ids else new_ids,
        learned=Learned(rows, frozenset(), counted, counted != census),
        problems_again=problems,
    )


def _require(holds: bool) -> None:
    if not holds:
        raise _MoreChanged
