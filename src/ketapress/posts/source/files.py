"""The files of `posts/`: which of them count, and their texts. An edge; it only reads.

In: the folder. Out: paths and texts, or what is wrong with a file. A file counts when its ending says that it holds
writing: `.txt .md .markdown .mdx .html .htm`, and the endings of other writing tools, each of which is an error because
Ketapress cannot read it. Pictures and other files beside posts (`beside.py`), names that begin with a full stop, and
Hugo's section pages (`_index.md`) are no posts and are not counted; section pages are mentioned.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from posixpath import splitext

from ketapress.model.errors import ConfigurationError, KetapressError, Problem, Severity
from ketapress.posts.source.suffixes import FORMAT_BY_SUFFIX, UNSUPPORTED_SUFFIXES

MAX_FILE_SIZE = 5_000_000  # bytes; a thousand times an article
_POST_SUFFIXES = FORMAT_BY_SUFFIX.keys() | UNSUPPORTED_SUFFIXES
_CONTROL_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def find_paths(folder: Path, problems: list[Problem], other_paths: list[str]) -> Iterator[str]:
    """The paths, inside `posts/`, of the files that count; of those that are no writing of ours, and problems, into the lists.

    A file of another writing tool is in both: it may be meant as a post, or a post may link to it.
    """
    try:
        stack = [("", _list_entries(folder))]
    except OSError as error:
        raise _folder_error(error) from None
    while stack:
        prefix, entries = stack.pop()
        for entry in entries:
            path = prefix + entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    stack.append((f"{path}/", _list_entries(folder / path)))
                elif entry.is_symlink() and entry.is_dir():
                    _resolve_link(folder, path)
                elif entry.name.lower().startswith("_index."):
                    problems.append(_section_problem(path))
                else:
                    yield from _filter_path(path, other_paths)
            except OSError as error:
                problems += [
                    problem.with_location(display_path(path)) for problem in _read_error(error).problems
                ]
            except KetapressError as error:
                problems += [problem.with_location(display_path(path)) for problem in error.problems]


def _filter_path(path: str, other_paths: list[str]) -> Iterator[str]:
    suffix = splitext(path)[1].lower()
    if suffix not in FORMAT_BY_SUFFIX:
        other_paths.append(path)
    if suffix in _POST_SUFFIXES:
        yield path


def _list_entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scandir:
        return [entry for entry in scandir if not entry.name.startswith(".")]


def read_text(folder: Path, path: str) -> str:
    """The text of a file in the folder, its lines ending in a line feed. Raises `KetapressError`."""
    name = path.rpartition("/")[2]
    if not has_printable_name(path):
        raise _file_error("the file's name holds characters that cannot be printed.", "Give it another name.")
    suffix = splitext(name)[1].lower()
    if suffix in UNSUPPORTED_SUFFIXES:
        raise _file_error(
            f"Ketapress does not read {suffix} files.", "Save it as Markdown, HTML or plain text."
        )
    data = read_bytes(folder, path, MAX_FILE_SIZE)
    if not data.strip():
        raise _file_error("the file is empty.", "Write the post, or take the file out of `posts/`.")
    if b"\0" in data and not data.startswith(_UTF16_BOMS):
        line = _line_number(data, data.index(b"\0"))
        raise _file_error("it holds a NUL byte, so it is no text.", "Save it as plain text in UTF-8.", line)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _encoding_error(data, error) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_size(folder: Path, path: str) -> int:
    """The bytes of a regular file in the folder. Raises `KetapressError`."""
    descriptor = _open_file(folder, path)
    try:
        file_stat = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(file_stat.st_mode):
        raise _file_error("it is no regular file.", "Take it out of `posts/`.")
    return file_stat.st_size


def read_bytes(folder: Path, path: str, max_bytes: int) -> bytes:
    """What a regular file in the folder holds, of `most` bytes; it is read whole or not at all. Raises `KetapressError`."""
    descriptor = _open_file(folder, path)
    try:
        file_stat = os.fstat(descriptor)
        if not stat.S_ISREG(file_stat.st_mode):
            raise _file_error("it is no regular file.", "Take it out of `posts/`.")
        if file_stat.st_size > max_bytes:
            raise _file_error(
                f"it has {file_stat.st_size / 1e6:.1f} MB; a post has at most {max_bytes / 1e6:.0f} MB.",
                "Split it, or take it out of `posts/`.",
            )
        data = os.read(descriptor, file_stat.st_size + 1)
    except OSError as error:
        raise _read_error(error) from None
    finally:
        os.close(descriptor)
    if len(data) != file_stat.st_size:
        raise _file_error("it changed while it was read.", "Wait until it is written, and try again.")
    return data


def _open_file(folder: Path, path: str) -> int:
    """The file's descriptor. A pipe does not block, and a link is followed only within the folder."""
    try:
        try:
            return os.open(f"{folder}/{path}", _OPEN_FLAGS)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        return os.open(_resolve_link(folder, path), _OPEN_FLAGS)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise _read_error(error) from None


def _resolve_link(folder: Path, path: str) -> Path:
    """Where a link leads, if that is in the folder. Linked folders are not walked: their files are read where they are."""
    target = (folder / path).resolve(strict=True)
    if not target.is_relative_to(folder.resolve()):
        raise _file_error(
            "it is a link that leads out of `posts/`.", "Copy what it leads to to here instead."
        )
    return target


def has_printable_name(path: str) -> bool:
    """Whether a file's name is UTF-8 without control characters, so that it can be told and linked to."""
    name = path.rpartition("/")[2]
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return not _CONTROL_CHARACTER.search(name)


def display_path(path: str) -> str:
    """The path of a file in `posts/` as it can be printed: bytes that are no UTF-8, and control characters, as escapes."""
    if path.isprintable():
        return f"posts/{path}"
    text = path.encode(errors="backslashreplace").decode()
    return "posts/" + _CONTROL_CHARACTER.sub(lambda found: repr(found[0])[1:-1], text)


def _line_number(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _encoding_error(data: bytes, error: UnicodeDecodeError) -> KetapressError:
    if data.startswith(_UTF16_BOMS):
        return _file_error("it is encoded in UTF-16.", "Save it in UTF-8.", 1)
    column = error.start - data.rfind(b"\n", 0, error.start)
    return _file_error(
        f"it is not UTF-8: byte {column} of the line is 0x{data[error.start]:02x}.",
        "Save it in UTF-8; an editor may say that it is in Windows-1252 or Latin-1 now.",
        _line_number(data, error.start),
    )


def _read_error(error: OSError | RuntimeError) -> KetapressError:
    return _file_error(
        f"it cannot be read: {error_reason(error)}.", "Check that it is there and that you may read it."
    )


def error_reason(error: OSError | RuntimeError) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()


def _file_error(message: str, cure: str, line: int | None = None) -> KetapressError:
    return KetapressError(Problem(code="post.file", message=message, cure=cure, line=line))


def _folder_error(error: OSError) -> ConfigurationError:
    return ConfigurationError(
        Problem(
            code="posts.folder",
            message=f"the folder `posts/` cannot be read: {error_reason(error)}.",
            cure="Go to the folder of a publication, name it with -C, or make one with `ketapress init FOLDER`.",
        )
    )


def _section_problem(path: str) -> Problem:
    return Problem(
        code="post.section",
        severity=Severity.WARNING,
        message="it is the page of a section, as Hugo has them, and no post; it is left out.",
        cure="Give it another name if it is a post.",
        path=display_path(path),
    )
