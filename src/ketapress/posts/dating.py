"""Where a post's date stands: in its header, on its first line, in its file's name, or in its folders.

In come the parts of a file, out goes an instant, or a `KetapressError` that names the line. How a date is written is
the matter of `dates`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ketapress.model.errors import KetapressError, Problem
from ketapress.posts import html
from ketapress.posts.dates import DateRules, instant
from ketapress.posts.fields import flag, text
from ketapress.posts.formats import Format
from ketapress.posts.frontmatter import Split
from ketapress.posts.prose import TITLE_LENGTH, one_line

_DATE_NAMES = (
    *(
        "date",
        "publishdate",
        "publish_date",
        "pubdate",
        "published",
        "publish_at",
        "created",
        "created_at",
        "datetime",
    ),
    *("lastmod", "modified", "updated"),
)
_EXPIRY_NAMES = ("expires", "expirydate", "expiry_date", "unpublishdate", "unpublish_date")
_NO_DATE = re.compile(
    r"(?:git )?(?:created|last modified)|\{[{%].*", re.IGNORECASE
)  # Eleventy's words, and templates
_LINE_MARKS = "#>*_` \t"
_IN_FOLDERS = re.compile(r"(?:^|/)(\d{4}[-/]\d{1,2}[-/]\d{1,2})(?=[-/_]|$)")


@dataclass(frozen=True, slots=True)
class Opening:
    """How a body opens: its date and its title, if they stand there, and what follows them."""

    date: datetime | None
    title: str
    body: str


def header_date(
    parts: Split, header: Mapping[str, object], rules: DateRules, written: str
) -> datetime | None:
    """The date that the header gives, by the first of its names that has one."""
    for name in _DATE_NAMES:
        value = text(header.get(name))
        if not value or flag(value) is not None or _NO_DATE.fullmatch(value):
            continue
        moment = _named(name, value, parts, rules, written, needed=name == "date")
        if moment is not None:
            return moment
    return None


def expiry(parts: Split, header: Mapping[str, object], rules: DateRules, written: str) -> datetime | None:
    """When the post is no longer shown."""
    for name in _EXPIRY_NAMES:
        if value := text(header.get(name)):
            return _named(name, value, parts, rules, written, needed=True)
    return None


def opening(form: Format, title: str, body: str, rules: DateRules, line: int) -> Opening:
    """The date on the body's first line, or on its second below a title; `title` is a heading that was found before.

    HTML may also say it in a `<time datetime>`.
    """
    if title and (moment := _read(title.strip(_LINE_MARKS), rules, line)):
        return Opening(moment, "", body)
    first, rest = _first_line(form, body)
    if moment := _read(first.strip(_LINE_MARKS), rules, line):
        return Opening(moment, title, rest)
    if form is Format.TEXT and 0 < len(first) <= TITLE_LENGTH:
        second, after = _first_line(form, rest)
        if moment := _read(second.strip(_LINE_MARKS), rules, line + 1):
            return Opening(moment, one_line(first), after)
    if form is Format.HTML and (said := html.first_time(body)):
        return Opening(_read(said, rules, line), title, body)
    return Opening(None, title, body)


def path_date(path: str, in_name: str, header_path: str, rules: DateRules) -> datetime | None:
    """The date of the file's name, of its folders (`2023/06/07/slug.md`), or of the header's `path`."""
    if in_name:
        return _read(in_name, rules, None)
    for place in (path, header_path):
        if found := _IN_FOLDERS.search(place):
            return _read(found[1], rules, None)
    return None


def undated(body: str, line: int) -> KetapressError:
    """What to raise for a post that names no date anywhere."""
    first = one_line(body.lstrip().partition("\n")[0])
    seen = f" Its first line `{first[:60]}` does not read as one." if first else ""
    return _fault("post.no-date", f"the post has no date.{seen}", line)


def _named(
    name: str, value: str, parts: Split, rules: DateRules, written: str, *, needed: bool
) -> datetime | None:
    """The date under a name of the header; a needed one has to be a date."""
    try:
        moment = instant(value, rules)
    except ValueError as error:
        raise _fault("post.date", f"{error}.", _line_of(name, written, parts)) from None
    if moment is None and needed:
        raise _fault(
            "post.date", f"`{name}: {value[:60]}` does not read as a date.", _line_of(name, written, parts)
        )
    return moment


def _read(value: str, rules: DateRules, line: int | None) -> datetime | None:
    try:
        return instant(value, rules)
    except ValueError as error:
        raise _fault("post.date", f"{error}.", line) from None


def _first_line(form: Format, body: str) -> tuple[str, str]:
    if form is Format.HTML:
        return html.first_line(body)
    first, _, rest = body.lstrip("\n\t ").partition("\n")
    return first.strip(), rest


def _line_of(name: str, written: str, parts: Split) -> int:
    """The line on which the header gives a name."""
    pattern = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*[:=]", re.IGNORECASE)
    for number, line in enumerate(written.split("\n")[: parts.body_line], 1):
        if pattern.match(line):
            return number
    return parts.line


def _fault(code: str, message: str, line: int | None) -> KetapressError:
    cure = "Write it as 2023-06-07, in the header (`date: …`), alone on the first line, or at the start of the file's name."
    return KetapressError(Problem(code=code, message=message, cure=cure, line=line))
