"""The dates that a header gives: the post's own, and when it is no longer shown.

In come the parts of a file, out goes an instant, or a `KetapressError` that names the line. How a date is written is
the matter of `dates`; where else it may stand, of `opening`.
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
    *(
        "publishedon",
        "datepublished",
        "posted",
        "postdate",
        "created",
        "createdat",
        "datecreated",
        "datetime",
    ),
    *("lastmod", "modified", "updated", "updatedat", "updateddate", "lastmodifiedat"),
)
"""As they are compared: `published_at`, `published-at` and `publishedAt` are one."""
_EXPIRY_NAMES = ("expires", "expirydate", "expiry_date", "unpublishdate", "unpublish_date")
_CURE = "Write it as 2023-06-07, in the header (`date: …`), alone on the first line, or at the start of the file's name."
_PLACEHOLDER_DATE = re.compile(
    r"(?:git )?(?:created|last modified)|\{[{%].*", re.IGNORECASE
)  # Eleventy's words, and templates


def parse_header_date(
    parts: SourceParts, header: Mapping[str, object], rules: DateRules, source: str
) -> datetime | None:
    """The date that the header gives, by the first of its names that has one."""
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
    """The names in the header under which a date may stand where `date` has none, the most telling first."""
    names = {name.replace("_", "").replace("-", ""): name for name in header}
    yield from (names[name] for name in _DATE_NAMES if name in names)


def parse_expiry(
    parts: SourceParts, header: Mapping[str, object], rules: DateRules, source: str
) -> datetime | None:
    """When the post is no longer shown."""
    for name in _EXPIRY_NAMES:
        if value := to_text(header.get(name)):
            return _parse_named_date(name, value, parts, rules, source, is_required=True)
    return None


def _parse_named_date(
    name: str, value: str, parts: SourceParts, rules: DateRules, source: str, *, is_required: bool
) -> datetime | None:
    """The date under a name of the header; a needed one has to be a date."""
    try:
        moment = parse_instant(value, rules)
    except ValueError as error:
        raise invalid_date_error(error, _find_line(name, source, parts)) from None
    if moment is None and is_required:
        raise date_error(
            "post.date", f"`{name}: {value[:60]}` does not read as a date.", _find_line(name, source, parts)
        )
    return moment


def _find_line(name: str, source: str, parts: SourceParts) -> int:
    """The line on which the header gives a name."""
    name_pattern = re.compile(rf"(?:\.\.)?\s*[\"']?{re.escape(name)}[\"']?\s*[:=]", re.IGNORECASE)
    for number, line in enumerate(source.split("\n")[: parts.body_line], 1):
        if name_pattern.match(line):
            return number
    return parts.header_line


def missing_date_problem(header: Mapping[str, object], parts: SourceParts, body: str) -> Problem:
    """What is wrong with a post that names no date anywhere; `body` is what follows the title."""
    first_line = to_single_line(body.lstrip().partition("\n")[0])
    detail = f" Its first line `{first_line[:60]}` does not read as one." if first_line else ""
    field = header.get("date")
    if isinstance(field, dict):
        detail = f" Its `date` holds {', '.join(f'`{name}`' for name in field)[:80]} and no date itself."
    elif date_text := to_text(field):
        detail = f" Its `date: {date_text[:60]}` names no day."
    prefix = parts.body.removesuffix(body.lstrip())
    line = parts.body_line + (prefix.count("\n") if len(prefix) < len(parts.body) else 0)
    return Problem(code="post.no-date", message=f"the post has no date.{detail}", cure=_CURE, line=line)


def invalid_date_error(error: ValueError, line: int | None) -> KetapressError:
    """What to raise for a date that cannot be; some such errors bring a cure of their own."""
    return date_error("post.date", f"{error}.", line, getattr(error, "cure", _CURE))


def date_error(code: str, message: str, line: int | None, cure: str = _CURE) -> KetapressError:
    return KetapressError(Problem(code=code, message=message, cure=cure, line=line))
