"""Find the date of a post whose header has none: on the first lines of the body, in the file's name, in its folders."""

import re
from datetime import datetime
from typing import NamedTuple

from ketapress.posts.dates.parse import DateRules, parse_instant
from ketapress.posts.frontmatter.post_date import invalid_date_error
from ketapress.posts.markup import html
from ketapress.posts.source.suffixes import Format
from ketapress.posts.text.excerpt import MAX_TITLE_LENGTH, to_single_line

_MARKUP_CHARACTERS = "#>*_` \t"
_FOLDER_DATE = re.compile(r"(?:^|/)(\d{4}[-/]\d{1,2}[-/]\d{1,2})(?=[-/_]|$)")


class BodyDate(NamedTuple):
    """The date and title on the first lines of a body, as far as they are there, and the rest."""

    date: datetime | None
    title: str
    body: str


def parse_body_date(source_format: Format, title: str, body: str, rules: DateRules, line: int) -> BodyDate:
    """Return the date on the body's first line, or on its second below a title; in HTML also that of `<time datetime>`.

    `title` is the heading that was removed from the body. Raises `KetapressError` for an impossible date.
    """
    if title and (date := _parse_date(title.strip(_MARKUP_CHARACTERS), rules, line)):
        return BodyDate(date, "", body)
    first_line, rest = _split_first_line(source_format, body)
    if date := _parse_date(first_line.strip(_MARKUP_CHARACTERS), rules, line):
        return BodyDate(date, title, rest)
    if source_format is Format.TEXT and 0 < len(first_line) <= MAX_TITLE_LENGTH:
        second_line, remainder = _split_first_line(source_format, rest)
        if date := _parse_date(second_line.strip(_MARKUP_CHARACTERS), rules, line + 1):
            return BodyDate(date, to_single_line(first_line), remainder)
    if source_format is Format.HTML and (time_text := html.find_first_time(body)):
        return BodyDate(_parse_date(time_text, rules, line), title, body)
    return BodyDate(None, title, body)


def parse_path_date(path: str, name_date: str, header_path: str, rules: DateRules) -> datetime | None:
    """Return the date in the file's name, in its folders (`2023/06/07/slug.md`), or in the header's `path`."""
    if name_date:
        return _parse_date(name_date, rules, None)
    for candidate in (path, header_path):
        if match := _FOLDER_DATE.search(candidate):
            return _parse_date(match[1].replace("/", "-"), rules, None)
    return None


def _parse_date(value: str, rules: DateRules, line: int | None) -> datetime | None:
    try:
        return parse_instant(value, rules)
    except ValueError as error:
        raise invalid_date_error(error, line) from None


def _split_first_line(source_format: Format, body: str) -> tuple[str, str]:
    if source_format is Format.HTML:
        return html.split_first_line(body)
    first, _, rest = body.lstrip("\n\t ").partition("\n")
    return first.strip(), rest
