"""The folder `posts/`: every file in it becomes a `Post` or a named problem, and the counts add up.

This is the room's edge: it lists and reads, and `new_post` writes one file. A file counts when its ending says that it
holds writing: `.txt .md .html` and their like, and the endings of other writing tools, each of which is an error
because Ketapress cannot read it. Pictures and other files beside posts, names that begin with a full stop, and Hugo's
section pages (`_index.md`) are no posts and are not counted; section pages are mentioned.
"""

import errno
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from posixpath import splitext
from zoneinfo import ZoneInfo

from ketapress.model.errors import ConfigurationError, KetapressError, Problem, RefusedError, Severity
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.urls import joined, slug
from ketapress.posts.cache import Cache, Row
from ketapress.posts.dates import DateRules
from ketapress.posts.formats import FOREIGN, FORMATS
from ketapress.posts.ids import Records, read_records
from ketapress.posts.manuscript import Manuscript, manuscript
from ketapress.posts.pinning import Pinned, PinningRules, pinned
from ketapress.posts.prose import one_line
from ketapress.posts.rendering import Body, body, post

LARGEST_FILE = 5_000_000  # bytes; a thousand times an article
_COUNTED = FORMATS.keys() | FOREIGN
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Library:
    """What `posts/` holds: all posts, also drafts, held and future ones, in the order of their paths.

    `files` counts what should be a post: the posts and the distinct paths of the problems that are errors.
    `records` have to be written where `changed` says that they differ from the file. `learned` is what a cache may keep
    beside what it has: the rows of files that were read, and the paths of those that are gone.
    """

    posts: tuple[Post, ...]
    problems: tuple[Problem, ...]
    files: int
    records: Records
    changed: bool
    learned: tuple[Mapping[str, Row], frozenset[str]] = field(default=({}, frozenset()), compare=False)


def read_library(root: Path, settings: Settings, now: datetime, cache: Cache | None = None) -> Library:
    """Everything in `posts/` of the publication folder `root`, as of `now`. Reads only.

    What the cache has is the same as what would be read, and is not read again. Raises `ConfigurationError` where there
    is no such folder or the ids cannot be used.
    """
    records = read_records(root)
    zone = ZoneInfo(settings.site.timezone)
    site = settings.site.url
    shelf = _Shelf(root / "posts", DateRules(zone, settings.posts.publish_at), cache)
    manuscripts, problems = shelf.manuscripts()
    unread = frozenset(each.path.removeprefix("posts/") for each in problems if each.path and _is_error(each))
    rules = PinningRules(now=now, late_posts=settings.posts.late_posts, site_url=site, zone=zone)
    decided = pinned(manuscripts, unread, records, rules)
    pages = {each.manuscript.path: joined(site, each.record.url) for each in decided.posts}
    problems += decided.problems
    posts = []
    for each in decided.posts:
        try:
            shown = shelf.body(each, site, pages)
        except KetapressError as error:  # it became another file meanwhile
            problems += [problem.at(_shown(each.manuscript.path)) for problem in error.problems]
        else:
            posts.append(post(each, shown))
            problems += shown.problems
    problems.sort(key=lambda problem: (problem.path or "", problem.line or 0, problem.code, problem.message))
    bad = {problem.path for problem in problems if _is_error(problem)}
    return Library(
        tuple(posts),
        tuple(problems),
        len(posts) + len(bad),
        decided.records,
        decided.records != records,
        shelf.learned(),
    )


def new_post(root: Path, title: str, settings: Settings, now: datetime) -> Path:
    """Writes a draft with that title, dated today, and returns where. Raises `RefusedError` where the file is there."""
    day = now.astimezone(ZoneInfo(settings.site.timezone)).date()
    title = one_line(title)
    path = root / "posts" / f"{day}-{slug(title) or 'untitled'}.md"
    header = f"---\ntitle: {json.dumps(title, ensure_ascii=False)}\ndate: {day}\ndraft: true\n---\n\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(header)
    except OSError as error:
        why = "it is there already" if isinstance(error, FileExistsError) else _reason(error)
        raise RefusedError(
            Problem(
                code="post.new",
                message=f"the post is not written: {why}.",
                cure="Choose another title, or write on in that file.",
                path=f"posts/{path.name}",
            )
        ) from None
    return path


def _is_error(problem: Problem) -> bool:
    return problem.severity is Severity.ERROR


class _Shelf:
    """The files of the folder: each is read, unless the cache remembers it as it is."""

    def __init__(self, folder: Path, rules: DateRules, cache: Cache | None) -> None:
        self._folder = folder
        self._rules = rules
        self._cache = cache
        self._known = cache.rows() if cache else {}
        self._read: dict[str, Row | _File] = {}
        self._rows: dict[str, Row] = {}

    def manuscripts(self) -> tuple[list[Manuscript], list[Problem]]:
        """What the files say, and what is wrong with them."""
        problems: list[Problem] = []
        for path in _paths(self._folder, problems):
            try:
                self._read[path] = self._remembered(path) or self._file(path)
            except KetapressError as error:
                problems += [problem.at(_shown(path)) for problem in error.problems]
            else:
                problems += self._read[path].warnings
        return [each.manuscript for each in self._read.values()], problems

    def body(self, pinned: Pinned, site_url: str, pages: Mapping[str, str]) -> Body:
        """The body of a manuscript as it leaves. Raises `KetapressError` where its file has to be read again and cannot."""
        path = pinned.manuscript.path
        found = self._read[path]
        if isinstance(found, Row):
            if found.body.fits(pinned.record, pages):
                return found.body
            found = self._file(path)
        made = body(replace(pinned, manuscript=found.manuscript), site_url, pages)
        if found.stamp:
            without = replace(found.manuscript, html="", marks=())
            self._rows[path] = Row(found.stamp, without, found.warnings, made)
        return made

    def learned(self) -> tuple[Mapping[str, Row], frozenset[str]]:
        return self._rows, frozenset(self._known.keys() - self._read.keys())

    def _stamp(self, path: str) -> str:
        return self._cache.stamp(f"{self._folder}/{path}") if self._cache else ""

    def _remembered(self, path: str) -> Row | None:
        row = self._known.get(path)
        return row if row and row.stamp == self._stamp(path) else None

    def _file(self, path: str) -> "_File":
        stamp = self._stamp(path)
        made, warnings = manuscript(path, _text(self._folder, path), self._rules)
        return _File(stamp, made, tuple(problem.at(_shown(path)) for problem in warnings))


@dataclass(frozen=True, slots=True)
class _File:
    """A file that was read: the stamp that it had before, its manuscript, and warnings about it."""

    stamp: str
    manuscript: Manuscript
    warnings: tuple[Problem, ...]


def _paths(folder: Path, problems: list[Problem]) -> Iterator[str]:
    """The paths, inside `posts/`, of the files that count; problems of other entries go into the list."""
    try:
        waiting = [("", _entries(folder))]
    except OSError as error:
        raise _no_folder(error) from None
    while waiting:
        within, entries = waiting.pop()
        for entry in entries:
            path = within + entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((f"{path}/", _entries(folder / path)))
                elif entry.is_symlink() and entry.is_dir():
                    _link_target(folder, path)
                elif entry.name.lower().startswith("_index."):
                    problems.append(_section_page(path))
                elif splitext(entry.name)[1].lower() in _COUNTED:
                    yield path
            except OSError as error:
                problems += [problem.at(_shown(path)) for problem in _unreadable(error).problems]
            except KetapressError as error:
                problems += [problem.at(_shown(path)) for problem in error.problems]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scanned:
        return [entry for entry in scanned if not entry.name.startswith(".")]


def _text(folder: Path, path: str) -> str:
    """The text of a file in the folder, its lines ending in a line feed. Raises `KetapressError`."""
    name = path.rpartition("/")[2]
    if _CONTROL.search(name) or not _is_utf8(name):
        raise _fault("the file's name holds characters that cannot be printed.", "Give it another name.")
    ending = splitext(name)[1].lower()
    if ending in FOREIGN:
        raise _fault(f"Ketapress does not read {ending} files.", "Save it as Markdown, HTML or plain text.")
    data = _bytes(folder, path)
    if not data.strip():
        raise _fault("the file is empty.", "Write the post, or take the file out of `posts/`.")
    if b"\0" in data and not data.startswith(_UTF16_MARKS):
        line = _line(data, data.index(b"\0"))
        raise _fault("it holds a NUL byte, so it is no text.", "Save it as plain text in UTF-8.", line)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _misencoded(data, error) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _bytes(folder: Path, path: str) -> bytes:
    """What a regular file holds; it is read whole or not at all."""
    opened = _opened(folder, path)
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            raise _fault("it is no regular file.", "Take it out of `posts/`.")
        if status.st_size > LARGEST_FILE:
            size, most = f"{status.st_size / 1e6:.1f}", f"{LARGEST_FILE / 1e6:.0f}"
            raise _fault(
                f"it has {size} MB; a post has at most {most} MB.", "Split it, or take it out of `posts/`."
            )
        data = os.read(opened, status.st_size + 1)
    except OSError as error:
        raise _unreadable(error) from None
    finally:
        os.close(opened)
    if len(data) != status.st_size:
        raise _fault("it changed while it was read.", "Wait until it is written, and try again.")
    return data


def _opened(folder: Path, path: str) -> int:
    """The file's descriptor. A pipe does not block, and a link is followed only within the folder."""
    try:
        try:
            return os.open(f"{folder}/{path}", _READ)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        return os.open(_link_target(folder, path), _READ)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise _unreadable(error) from None


def _link_target(folder: Path, path: str) -> Path:
    """Where a link leads, if that is in the folder. Linked folders are not walked: their files are read where they are."""
    target = (folder / path).resolve(strict=True)
    if not target.is_relative_to(folder.resolve()):
        raise _fault("it is a link that leads out of `posts/`.", "Copy what it leads to to here instead.")
    return target


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(path: str) -> str:
    """The path of a file in `posts/` as it can be printed: bytes that are no UTF-8, and control characters, as escapes."""
    if path.isprintable():
        return f"posts/{path}"
    readable = path.encode(errors="backslashreplace").decode()
    return "posts/" + _CONTROL.sub(lambda found: repr(found[0])[1:-1], readable)


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _misencoded(data: bytes, error: UnicodeDecodeError) -> KetapressError:
    if data.startswith(_UTF16_MARKS):
        return _fault("it is encoded in UTF-16.", "Save it in UTF-8.", 1)
    column = error.start - data.rfind(b"\n", 0, error.start)
    return _fault(
        f"it is not UTF-8: byte {column} of the line is 0x{data[error.start]:02x}.",
        "Save it in UTF-8; an editor may say that it is in Windows-1252 or Latin-1 now.",
        _line(data, error.start),
    )


def _unreadable(error: OSError | RuntimeError) -> KetapressError:
    return _fault(f"it cannot be read: {_reason(error)}.", "Check that it is there and that you may read it.")


def _reason(error: OSError | RuntimeError) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()


def _fault(message: str, cure: str, line: int | None = None) -> KetapressError:
    return KetapressError(Problem(code="post.file", message=message, cure=cure, line=line))


def _no_folder(error: OSError) -> ConfigurationError:
    return ConfigurationError(
        Problem(
            code="posts.folder",
            message=f"the folder `posts/` cannot be read: {_reason(error)}.",
            cure="Go to the folder of a publication, name it with -C, or make one with `ketapress init DIR`.",
        )
    )


def _section_page(path: str) -> Problem:
    return Problem(
        code="post.section",
        severity=Severity.WARNING,
        message="it is the page of a section, as Hugo has them, and no post; it is left out.",
        cure="Give it another name if it is a post.",
        path=_shown(path),
    )
