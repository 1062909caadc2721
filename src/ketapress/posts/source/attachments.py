"""Files that lie beside posts: pictures, sounds, films and documents that a post shows or links to by a relative address.

In: their paths in `posts/`. Out: where their copies stand on the site, and what a copy holds, or what is wrong with a
file. An edge; it only reads. Only what a visible post names is copied: the picture of a draft is as secret as the draft.
"""

import re
from collections.abc import Iterable
from html import unescape
from pathlib import Path
from posixpath import splitext
from typing import NamedTuple

from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.model.urls import encode_path
from ketapress.posts.source.files import display_path, has_printable_name, read_bytes, read_size

ATTACHMENT_FOLDER = "files/"
"""Where copies stand under the site, by their paths in `posts/`: a post may move, its pictures keep their addresses."""

MAX_ATTACHMENT_SIZE = 64 * 1024 * 1024  # bytes; what is larger belongs to a host of films
_SVG_SUFFIX = ".svg"
ATTACHMENT_SUFFIXES = frozenset(
    {
        *(".apng", ".avif", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".webp", _SVG_SUFFIX),
        *(".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav"),
        *(".m4v", ".mov", ".mp4", ".ogv", ".vtt", ".webm"),
        *(".csv", ".docx", ".epub", ".ics", ".odp", ".ods", ".odt", ".pdf", ".pptx", ".xlsx", ".zip"),
    }
)
"""What a browser shows, plays or keeps. Not among them: whatever it would run as a page or a program of this site."""
# A vector picture is a document, which runs what is in it when somebody opens it by its own address (SVG 2, 15)
_ACTIVE_CONTENT = re.compile(
    r"<\s*/?\s*(?:[\w.-]+:)?(?:script|foreignobject|iframe|embed|object|handler|listener)\b"
    r"|\bon[a-z]+\s*=|<!entity|<\?xml-stylesheet"
)
_SCRIPT_URL = re.compile(r"(?:java|vb)script:|data:(?:text|image/svg|application)")
_URL_WHITESPACE = re.compile(
    r"[\x00-\x20\x7f-\xa0]+"
)  # in addresses (WHATWG URL, 4.4): `java\nscript:` runs, too


class Attachments(NamedTuple):
    """Files that may be copied, by their paths in `posts/`, and what is wrong with others that posts name."""

    paths: tuple[str, ...]
    problems: tuple[Problem, ...]


def public_path(path: str) -> str:
    """Where the copy of a file stands: a path under the site's URL, encoded."""
    return ATTACHMENT_FOLDER + encode_path(path)


def is_attachable(path: str) -> bool:
    """Whether a file of that name may be copied: also one whose name is no UTF-8 has no address."""
    return splitext(path)[1].lower() in ATTACHMENT_SUFFIXES and has_printable_name(path)


def find_attachments(folder: Path, paths: Iterable[str]) -> Attachments:
    """Which of the files in the folder that posts name can be copied. Films are looked at, not into."""
    valid_paths, problems = [], []
    for path in sorted(set(paths)):
        try:
            _check(folder, path)
        except KetapressError as error:
            problems += [_to_warning(problem.with_location(display_path(path))) for problem in error.problems]
        else:
            valid_paths.append(path)
    return Attachments(tuple(valid_paths), tuple(problems))


def read_attachment(folder: Path, path: str) -> bytes:
    """What the file holds. Raises `KetapressError` where it cannot be read any more."""
    return read_bytes(folder, path, MAX_ATTACHMENT_SIZE)


def _check(folder: Path, path: str) -> None:
    if read_size(folder, path) > MAX_ATTACHMENT_SIZE:
        max_megabytes = MAX_ATTACHMENT_SIZE // (1024 * 1024)
        raise _attachment_error(
            f"it has more than {max_megabytes} MB, so it is not copied to the site.",
            "Make it smaller, or put it where films are kept and link to it there.",
        )
    if splitext(path)[1].lower() == _SVG_SUFFIX and _has_active_content(read_attachment(folder, path)):
        raise _attachment_error(
            "it is a vector picture with a script, a link that runs one, or another document in it, so it is not copied.",
            "Save it as a plain SVG, or as PNG.",
        )


def _has_active_content(svg: bytes) -> bool:
    """Whether a vector picture could be more than a picture; one in an encoding of its own is not trusted."""
    try:
        text = svg.decode("utf-8-sig")
    except UnicodeDecodeError:
        return True
    unescaped_text = unescape(text).lower()
    if "\0" in text or _SCRIPT_URL.search(_URL_WHITESPACE.sub("", unescaped_text)):
        return True
    return any(_ACTIVE_CONTENT.search(variant) for variant in (unescaped_text, text.lower()))


def _to_warning(problem: Problem) -> Problem:
    return problem._replace(severity=Severity.WARNING)


def _attachment_error(message: str, cure: str) -> KetapressError:
    return KetapressError(Problem(code="post.attached", message=message, cure=cure))
