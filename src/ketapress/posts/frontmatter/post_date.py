"""The dates that a header gives: the post's own, and when it is no longer shown.

In come the parts of a file, out goes an instant, or a `KetapressError` that names the line. How a date is written is
the matter of `dates`; where else it may stand, of `opening`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain

from ketapress.model.errors import KetapressError, Problem
from ketapress.model.lazy_regex import pattern
from ketapress.posts.dates.parse import DateRules, instant
from ketapress.posts.frontmatter.split import Split
from ketapress.posts.frontmatter.values import first_text, flag, text
from ketapress.posts.text.excerpt import one_line

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
_NO_DATE = pattern(
    r"(?:git )?(?:created|last modified)|\{[{%].*", re.IGNORECASE
)  # Eleventy's words, and templates


def header_date(
    parts: Split, header: Mapping[str, object], rules: DateRules, written: str
) -> datetime | None:
    """The date that the header gives, by the first of its names that has one."""
    for name in chain(("date",), _other_names(header)):
        said = header.get(name)
        value = first_text(said, "created", "published") if isinstance(said, dict) else text(said)
        if not value or flag(value) is not None or _NO_DATE.fullmatch(value):
            continue
        moment = _named(name, value, parts, rules, written, needed=name == "date")
        if moment is not None:
            return moment
    return None


def _other_names(header: Mapping[str, object]) -> Iterator[str]:
    """The names in the header under which a date may stand where `date` has none, the most telling first."""
    named = {name.replace("_", "").replace("-", ""): name for name in header}
    yield from (named[name] for name in _DATE_NAMES if name in named)


def expiry(parts: Split, header: Mapping[str, object], rules: DateRules, written: str) -> datetime | None:
    """When the post is no longer shown."""
    for name in _EXPIRY_NAMES:
        if value := text(header.get(name)):
            return _named(name, value, parts, rules, written, needed=True)
    return None


def _named(
    name: str, value: str, parts: Split, rules: DateRules, written: str, *, needed: bool
) -> datetime | None:
    """The date under a name of the header; a needed one has to be a date."""
    try:
        moment = instant(value, rules)
    except ValueError as error:
        raise mistaken_date(error, _line_of(name, written, parts)) from None
    if moment is None and needed:
        raise date_fault(
            "post.date", f"`{name}: {value[:60]}` does not read as a date.", _line_of(name, written, parts)
        )
    return moment


def _line_of(name: str, written: str, parts: Split) -> int:
    """The line on which the header gives a name."""
    wanted = re.compile(rf"(?:\.\.)?\s*[\"']?{re.escape(name)}[\"']?\s*[:=]", re.IGNORECASE)
    for number, line in enumerate(written.split("\n")[: parts.body_line], 1):
        if wanted.match(line):
            return number
    return parts.line


def undated(header: Mapping[str, object], parts: Split, body: str) -> Problem:
    """What is wrong with a post that names no date anywhere; `body` is what follows the title."""
    first = one_line(body.lstrip().partition("\n")[0])
    seen = f" Its first line `{first[:60]}` does not read as one." if first else ""
    said = header.get("date")
    if isinstance(said, dict):
        seen = f" Its `date` holds {', '.join(f'`{name}`' for name in said)[:80]} and no date itself."
    elif named := text(said):
        seen = f" Its `date: {named[:60]}` names no day."
    before = parts.body.removesuffix(body.lstrip())
    line = parts.body_line + (before.count("\n") if len(before) < len(parts.body) else 0)
    return Problem(code="post.no-date", message=f"the post has no date.{seen}", cure=_CURE, line=line)


def mistaken_date(error: ValueError, line: int | None) -> KetapressError:
    """What to raise for a date that cannot be; some such errors bring a cure of their own."""
    return date_fault("post.date", f"{error}.", line, getattr(error, "cure", _CURE))


def date_fault(code: str, message: str, line: int | None, cure: str = _CURE) -> KetapressError:
    return KetapressError(Problem(code=code, message=message, cure=cure, line=line))
