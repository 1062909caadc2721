"""The files of `posts/`: which of them count, and their texts. An edge; it only reads.

In: the folder. Out: paths and texts, or what is wrong with a file. A file counts when its ending says that it holds
writing: `.txt .md .markdown .mdx .html .htm`, and the endings of other writing tools, each of which is an error because
Ketapress cannot read it. Pictures and other files beside posts (`beside.py`), names that begin with a full stop, and
Hugo's section pages (`_index.md`) are no posts and are not counted; section pages are mentioned.
"""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from posixpath import splitext

from ketapress.model.errors import ConfigurationError, KetapressError, Problem, Severity
from ketapress.model.lazy_regex import pattern
from ketapress.posts.source.suffixes import FOREIGN, FORMATS

LARGEST_FILE = 5_000_000  # bytes; a thousand times an article
_COUNTED = FORMATS.keys() | FOREIGN
_CONTROL = pattern("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def paths(folder: Path, problems: list[Problem], others: list[str]) -> Iterator[str]:
    """The paths, inside `posts/`, of the files that count; of those that are no writing of ours, and problems, into the lists.

    A file of another writing tool is in both: it may be meant as a post, or a post may link to it.
    """
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
                else:
                    yield from _counted(path, others)
            except OSError as error:
                problems += [problem.at(shown(path)) for problem in _unreadable(error).problems]
            except KetapressError as error:
                problems += [problem.at(shown(path)) for problem in error.problems]


def _counted(path: str, others: list[str]) -> Iterator[str]:
    ending = splitext(path)[1].lower()
    if ending not in FORMATS:
        others.append(path)
    if ending in _COUNTED:
        yield path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scanned:
        return [entry for entry in scanned if not entry.name.startswith(".")]


def text(folder: Path, path: str) -> str:
    """The text of a file in the folder, its lines ending in a line feed. Raises `KetapressError`."""
    name = path.rpartition("/")[2]
    if not has_plain_name(path):
        raise _fault("the file's name holds characters that cannot be printed.", "Give it another name.")
    ending = splitext(name)[1].lower()
    if ending in FOREIGN:
        raise _fault(f"Ketapress does not read {ending} files.", "Save it as Markdown, HTML or plain text.")
    data = content(folder, path, LARGEST_FILE)
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


def size(folder: Path, path: str) -> int:
    """The bytes of a regular file in the folder. Raises `KetapressError`."""
    opened = _opened(folder, path)
    try:
        status = os.fstat(opened)
    finally:
        os.close(opened)
    if not stat.S_ISREG(status.st_mode):
        raise _fault("it is no regular file.", "Take it out of `posts/`.")
    return status.st_size


def content(folder: Path, path: str, most: int) -> bytes:
    """What a regular file in the folder holds, of `most` bytes; it is read whole or not at all. Raises `KetapressError`."""
    opened = _opened(folder, path)
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            raise _fault("it is no regular file.", "Take it out of `posts/`.")
        if status.st_size > most:
            raise _fault(
                f"it has {status.st_size / 1e6:.1f} MB; a post has at most {most / 1e6:.0f} MB.",
                "Split it, or take it out of `posts/`.",
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


def has_plain_name(path: str) -> bool:
    """Whether a file's name is UTF-8 without control characters, so that it can be told and linked to."""
    name = path.rpartition("/")[2]
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return not _CONTROL.search(name)


def shown(path: str) -> str:
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
    return _fault(f"it cannot be read: {reason(error)}.", "Check that it is there and that you may read it.")


def reason(error: OSError | RuntimeError) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()


def _fault(message: str, cure: str, line: int | None = None) -> KetapressError:
    return KetapressError(Problem(code="post.file", message=message, cure=cure, line=line))


def _no_folder(error: OSError) -> ConfigurationError:
    return ConfigurationError(
        Problem(
            code="posts.folder",
            message=f"the folder `posts/` cannot be read: {reason(error)}.",
            cure="Go to the folder of a publication, name it with -C, or make one with `ketapress init FOLDER`.",
        )
    )


def _section_page(path: str) -> Problem:
    return Problem(
        code="post.section",
        severity=Severity.WARNING,
        message="it is the page of a section, as Hugo has them, and no post; it is left out.",
        cure="Give it another name if it is a post.",
        path=shown(path),
    )
