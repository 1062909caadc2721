"""The files of `posts/`: which of them are posts, and their content. Nothing is written.

A file counts as a post when its suffix is that of a format (`suffixes.py`), or of a document that Ketapress cannot
read: then it is reported as an error. Other files, which may be attachments (`attachments.py`), and names that begin
with a dot do not count; Hugo's section pages (`_index.md`) do not either, and are reported as warnings.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from posixpath import splitext

from ketapress.model import illegal_characters
from ketapress.model.errors import ConfigurationError, KetapressError, Problem, Severity
from ketapress.posts.source.suffixes import FORMAT_BY_SUFFIX, UNSUPPORTED_SUFFIXES

MAX_FILE_SIZE = 5_000_000  # bytes; a thousand times the size of an article
_POST_SUFFIXES = FORMAT_BY_SUFFIX.keys() | UNSUPPORTED_SUFFIXES
_CONTROL_CHARACTER = re.compile(f"[{illegal_characters.LINE}]")
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def find_paths(folder: Path, problems: list[Problem], other_paths: list[str]) -> Iterator[str]:
    """Yield the paths, relative to `posts/`, of the files that count as posts.

    Problems, and the paths of all files in no format of ours, are appended to the lists. A document that Ketapress
    cannot read is yielded and appended: it may be meant as a post, or a post may link to it.
    """
    try:
        stack = [("", _list_entries(folder))]
    except OSError as error:
        raise ConfigurationError(
            Problem(
                code="posts.folder",
                message=f"the folder `posts/` cannot be read: {error_reason(error)}.",
                cure="Change to the folder of a publication, name it with -C, or create one with `ketapress init FOLDER`.",
            )
        ) from None
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
                    suffix = splitext(path)[1].lower()
                    if suffix not in FORMAT_BY_SUFFIX:
                        other_paths.append(path)
                    if suffix in _POST_SUFFIXES:
                        yield path
            except (OSError, KetapressError) as error:
                file_error = _read_error(error) if isinstance(error, OSError) else error
                problems += [problem.with_location(display_path(path)) for problem in file_error.problems]


def _list_entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scandir:
        return [entry for entry in scandir if not entry.name.startswith(".")]


def _section_problem(path: str) -> Problem:
    return Problem(
        code="post.section",
        severity=Severity.WARNING,
        message="the file is a section page of Hugo and not a post, so it is skipped.",
        cure="Rename it if it is a post.",
        path=display_path(path),
    )


def read_text(folder: Path, path: str) -> str:
    """Return the text of a file in the folder, its lines ending in a line feed. Raises `KetapressError`."""
    if not has_printable_name(path):
        raise _file_error("the file name contains characters that cannot be printed.", "Rename the file.")
    suffix = splitext(path)[1].lower()
    if suffix in UNSUPPORTED_SUFFIXES:
        raise _file_error(
            f"Ketapress does not read {suffix} files.", "Save it as Markdown, HTML or plain text."
        )
    data = read_bytes(folder, path, MAX_FILE_SIZE)
    if not data.strip():
        raise _file_error("the file is empty.", "Write the post, or move the file out of `posts/`.")
    if b"\0" in data and not data.startswith(_UTF16_BOMS):
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise _file_error(
            "the file contains a NUL byte, so it is not text.", "Save it as plain text in UTF-8.", line
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _encoding_error(data, error.start) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _encoding_error(data: bytes, position: int) -> KetapressError:
    if data.startswith(_UTF16_BOMS):
        return _file_error("the file is encoded in UTF-16.", "Save it in UTF-8.", 1)
    column = position - data.rfind(b"\n", 0, position)
    return _file_error(
        f"the file is not UTF-8: byte {column} of the line is 0x{data[position]:02x}.",
        "Save it in UTF-8; it may be in Windows-1252 or Latin-1 now.",
        data.count(b"\n", 0, position) + 1,
    )


def read_size(folder: Path, path: str) -> int:
    """Return the size in bytes of a regular file in the folder. Raises `KetapressError`."""
    with _open_file(folder, path) as (_, size):
        return size


def read_bytes(folder: Path, path: str, max_bytes: int) -> bytes:
    """Return the whole content of a regular file in the folder. Raises `KetapressError`, also for a larger file."""
    with _open_file(folder, path) as (descriptor, size):
        if size > max_bytes:
            raise _file_error(
                f"the file has {size / 1e6:.1f} MB; the limit is {max_bytes / 1e6:.0f} MB.",
                "Split it, or move it out of `posts/`.",
            )
        data = os.read(descriptor, size + 1)
    if len(data) != size:
        raise _file_error(
            "the file changed while it was being read.",
            "Wait until the program that writes it is done, then try again.",
        )
    return data


@contextmanager
def _open_file(folder: Path, path: str) -> Iterator[tuple[int, int]]:
    """Open a regular file and yield its descriptor and its size in bytes.

    A pipe does not block, and a symbolic link is followed only within the folder.
    """
    try:
        try:
            descriptor = os.open(f"{folder}/{path}", _OPEN_FLAGS)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            descriptor = os.open(_resolve_link(folder, path), _OPEN_FLAGS)
        try:
            file_stat = os.fstat(descriptor)
            if not stat.S_ISREG(file_stat.st_mode):
                raise _file_error("this is not a regular file.", "Move it out of `posts/`.")
            yield descriptor, file_stat.st_size
        finally:
            os.close(descriptor)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        raise _read_error(error) from None


def _resolve_link(folder: Path, path: str) -> Path:
    """Return the target of a link. Raises `KetapressError` where it is outside the folder.

    Folders behind links are checked and not read: what is in them is read at its own path.
    """
    target = (folder / path).resolve(strict=True)
    if not target.is_relative_to(folder.resolve()):
        raise _file_error("the link points outside `posts/`.", "Copy its target into `posts/` instead.")
    return target


def has_printable_name(path: str) -> bool:
    """Whether a file's name is UTF-8 without control characters, so that it can be printed and linked to."""
    name = path.rpartition("/")[2]
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return not _CONTROL_CHARACTER.search(name)


def display_path(path: str) -> str:
    """Return the path of a file in `posts/` for messages: bytes that are not UTF-8 and control characters as escapes."""
    if path.isprintable():
        return f"posts/{path}"
    text = path.encode(errors="backslashreplace").decode()
    return "posts/" + _CONTROL_CHARACTER.sub(lambda match: repr(match[0])[1:-1], text)


def error_reason(error: OSError | RuntimeError) -> str:
    """Return what the system says about an error, in lower case: `permission denied`."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()


def _read_error(error: OSError | RuntimeError) -> KetapressError:
    return _file_error(
        f"the file cannot be read: {error_reason(error)}.",
        "Check that it exists and that you have permission to read it.",
    )


def _file_error(message: str, cure: str, line: int | None = None) -> KetapressError:
    return KetapressError(Problem(code="post.file", message=message, cure=cure, line=line))
