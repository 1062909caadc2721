"""The dates in a header: when the post is published, and when it expires.

`dates` knows how a date is written, and `parsing.body_date` where else it may stand.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain

from ketapress.model.errors import KetapressError, Problem
from ketapress.posts.dates.parse import DateRules, parse_instant
from ketapress.posts.frontmatter.split import SourceParts
from ketapress.posts.frontmatter.values import find_text, parse_flag, to_text
from ketapress.posts.text.excerpt import to_single_line

_DATE_NAMES = (
    *("publishdate", "pubdate", "published", "publishat", "pubdatetime", "publishedat", "publisheddate"),
    *("publishedon", "datepublished", "posted", "postdate", "created", "createdat", "datecreated"),
    *("datetime", "lastmod", "modified", "updated", "updatedat", "updateddate", "lastmodifiedat"),
)
"""Names without separators: `published_at`, `published-at` and `publishedAt` are one. The best come first."""
_EXPIRY_NAMES = ("expires", "expirydate", "expiry_date", "unpublishdate", "unpublish_date")
_CURE = "Write the date as 2023-06-07: in the header (`date: …`), alone on the first line, or at the start of the file name."
_PLACEHOLDER_DATE = re.compile(r"(?:git )?(?:created|last modified)|\{[{%].*", re.IGNORECASE)
"""Keywords of Eleventy, and template tags."""


def parse_header_date(
    parts: SourceParts, header: Mapping[str, object], rules: DateRules, source: str
) -> datetime | None:
    """Return the date of the post by the first name that has one; None where the header has none.

    `source` is the text of the file, for the line of a wrong date. Raises `KetapressError`.
    """
    for name in chain(("date",), _alternative_names(header)):
        field = header.get(name)
        value = find_text(field, "created", "published") if isinstance(field, dict) else to_text(field)
        if not value or parse_flag(value) is not None or _PLACEHOLDER_DATE.fullmatch(value):
            continue
        moment = _parse_named_date(name, value, parts, rules, source, is_required=name == "date")
        if moment is not None:
            return moment
    return None


def _alternative_names(header: Mapping[str, object]) -> Iterator[str]:
    """Yield the names in the header, as written, that stand for `date` in other tools."""
    names = {name.replace("_", "").replace("-", ""): name for name in header}
    yield from (names[name] for name in _DATE_NAMES if name in names)


def parse_expiry(
    parts: SourceParts, header: Mapping[str, object], rules: DateRules, source: str
) -> datetime | None:
    """Return the moment from which the post is no longer shown; None where it does not expire."""
    for name in _EXPIRY_NAMES:
        if value := to_text(header.get(name)):
            return _parse_named_date(name, value, parts, rules, source, is_required=True)
    return None


def _parse_named_date(
    name: str, value: str, parts: SourceParts, rules: DateRules, source: str, *, is_required: bool
) -> datetime | None:
    """Parse the date of a field. Raises `KetapressError` for a wrong date, and for no date where one is required."""
    try:
        moment = parse_instant(value, rules)
    except ValueError as error:
        raise invalid_date_error(error, _find_line(name, source, parts)) from None
    if moment is None and is_required:
        raise _date_error(f"`{name}: {value[:60]}` is not a date.", _find_line(name, source, parts))
    return moment


def _find_line(name: str, source: str, parts: SourceParts) -> int:
    """Return the line on which the header has the name, else its first line."""
    name_pattern = re.compile(rf"(?:\.\.)?\s*[\"']?{re.escape(name)}[\"']?\s*[:=]", re.IGNORECASE)
    for number, line in enumerate(source.split("\n")[: parts.body_line], 1):
        if name_pattern.match(line):
            return number
    return parts.header_line


def missing_date_problem(header: Mapping[str, object], parts: SourceParts, body: str) -> Problem:
    """Build the problem of a post without a date, with what looks like one. `body` is the text below the title."""
    first_line = to_single_line(body.lstrip().partition("\n")[0])
    detail = f" Its first line `{first_line[:60]}` is not a date." if first_line else ""
    field = header.get("date")
    if isinstance(field, dict):
        detail = f" Its `date` has {', '.join(f'`{name}`' for name in field)[:80]}, but no date."
    elif date_text := to_text(field):
        detail = f" Its `date: {date_text[:60]}` is not a date."
    prefix = parts.body.removesuffix(body.lstrip())
    line = parts.body_line + (prefix.count("\n") if len(prefix) < len(parts.body) else 0)
    return Problem(code="post.no-date", message=f"the post has no date.{detail}", cure=_CURE, line=line)


def invalid_date_error(error: ValueError, line: int | None) -> KetapressError:
    """Build the error for an impossible or ambiguous date; a `DateError` has a cure of its own."""
    return _date_error(f"{error}.", line, getattr(error, "cure", _CURE))


def _date_error(message: str, line: int | None, cure: str = _CURE) -> KetapressError:
    """Build the error for a value that should be a date."""
    return KetapressError(Problem(code="post.date", message=message, cure=cure, line=line))
