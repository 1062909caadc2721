"""Attachments: pictures, sounds, videos and documents beside the posts that a post shows or links to by a relative URL.

Only what a visible post refers to is copied to the site: the picture of a draft is as secret as the draft.
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
"""The folder of the copies on the site. They keep their paths in `posts/`: where a post moves, its pictures keep their URLs."""

MAX_ATTACHMENT_SIZE = 64 * 1024 * 1024  # bytes; larger files belong on a video host
_SVG_SUFFIX = ".svg"
ATTACHMENT_SUFFIXES = frozenset(
    {
        *(".apng", ".avif", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".webp", _SVG_SUFFIX),
        *(".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav"),
        *(".m4v", ".mov", ".mp4", ".ogv", ".vtt", ".webm"),
        *(".csv", ".docx", ".epub", ".ics", ".odp", ".ods", ".odt", ".pdf", ".pptx", ".xlsx", ".zip"),
    }
)
"""Suffixes of files that a browser shows, plays or saves, and does not run as a page or script of the site."""
# An SVG image is a document: its scripts run when it is opened by its own URL (SVG 2, 15)
_ACTIVE_CONTENT = re.compile(
    r"<\s*/?\s*(?:[\w.-]+:)?(?:script|foreignobject|iframe|embed|object|handler|listener)\b"
    r"|\bon[a-z]+\s*=|<!entity|<\?xml-stylesheet"
)
_SCRIPT_URL = re.compile(r"(?:java|vb)script:|data:(?:text|image/svg|application)")
_URL_WHITESPACE = re.compile(
    r"[\x00-\x20\x7f-\xa0]+"
)  # ignored in URLs (WHATWG URL, 4.4): `java\nscript:` runs too


class Attachments(NamedTuple):
    """Paths in `posts/` of the files that can be copied, and warnings about those that cannot."""

    paths: tuple[str, ...]
    problems: tuple[Problem, ...]


def public_path(path: str) -> str:
    """Return the percent-encoded path of the copy under the site's URL."""
    return ATTACHMENT_FOLDER + encode_path(path)


def is_attachable(path: str) -> bool:
    """Whether a file of this name can be copied. A name that is not UTF-8 has no URL."""
    return splitext(path)[1].lower() in ATTACHMENT_SUFFIXES and has_printable_name(path)


def find_attachments(folder: Path, paths: Iterable[str]) -> Attachments:
    """Check the files in the folder that posts refer to. Only SVG images are read; the size is enough for the others."""
    valid_paths, problems = [], []
    for path in sorted(set(paths)):
        try:
            _check_attachment(folder, path)
        except KetapressError as error:
            problems += [
                problem.with_location(display_path(path))._replace(severity=Severity.WARNING)
                for problem in error.problems
            ]
        else:
            valid_paths.append(path)
    return Attachments(tuple(valid_paths), tuple(problems))


def read_attachment(folder: Path, path: str) -> bytes:
    """Return the file's bytes. Raises `KetapressError` if it can no longer be read."""
    return read_bytes(folder, path, MAX_ATTACHMENT_SIZE)


def _check_attachment(folder: Path, path: str) -> None:
    if read_size(folder, path) > MAX_ATTACHMENT_SIZE:
        raise _attachment_error(
            f"the file has more than {MAX_ATTACHMENT_SIZE // (1024 * 1024)} MB, so it is not copied to the site.",
            "Make it smaller, or upload it to a video or file host and link to it there.",
        )
    if splitext(path)[1].lower() == _SVG_SUFFIX and _has_active_content(read_attachment(folder, path)):
        raise _attachment_error(
            "the SVG image contains a script, a link that runs one, or another document, so it is not copied.",
            "Save it as a plain SVG, or as PNG.",
        )


def _has_active_content(svg: bytes) -> bool:
    """Whether an SVG image may run scripts. One that is not UTF-8 is not trusted."""
    try:
        text = svg.decode("utf-8-sig")
    except UnicodeDecodeError:
        return True
    unescaped_text = unescape(text).lower()
    if "\0" in text or _SCRIPT_URL.search(_URL_WHITESPACE.sub("", unescaped_text)):
        return True
    return any(_ACTIVE_CONTENT.search(variant) for variant in (unescaped_text, text.lower()))


def _attachment_error(message: str, cure: str) -> KetapressError:
    return KetapressError(Problem(code="post.attached", message=message, cure=cure))
