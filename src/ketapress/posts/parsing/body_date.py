"""A date where the header gives none: on the first line, in the file's name, or in its folders.

In come the body and the path, out goes an instant with what is left of the body, or a `KetapressError` that names the
line.
"""

from datetime import datetime
from typing import NamedTuple

from ketapress.model.lazy_regex import pattern
from ketapress.posts.dates.parse import DateRules, instant
from ketapress.posts.frontmatter.post_date import mistaken_date
from ketapress.posts.markup import html
from ketapress.posts.source.suffixes import Format
from ketapress.posts.text.excerpt import TITLE_LENGTH, one_line

_LINE_MARKS = "#>*_` \t"
_IN_FOLDERS = pattern(r"(?:^|/)(\d{4}[-/]\d{1,2}[-/]\d{1,2})(?=[-/_]|$)")


class Opening(NamedTuple):
    """How a body opens: its date and its title, if they stand there, and what follows them."""

    date: datetime | None
    title: str
    body: str


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
            return _read(found[1].replace("/", "-"), rules, None)
    return None


def _read(value: str, rules: DateRules, line: int | None) -> datetime | None:
    try:
        return instant(value, rules)
    except ValueError as error:
        raise mistaken_date(error, line) from None


def _first_line(form: Format, body: str) -> tuple[str, str]:
    if form is Format.HTML:
        return html.first_line(body)
    first, _, rest = body.lstrip("\n\t ").partition("\n")
    return first.strip(), rest
