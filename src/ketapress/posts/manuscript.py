"""A file's text becomes a manuscript: everything its author said, before it has an id, an address or HTML.

In comes a path inside `posts/` and the file's text, out goes a `Manuscript` with warnings, or a `KetapressError`
whose problem names the line. It never looks at other posts, at records or at the clock.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import PurePosixPath
from urllib.parse import unquote

from ketapress.model.errors import KetapressError, Problem
from ketapress.model.language import direction
from ketapress.model.urls import slug
from ketapress.posts import article, html, markdown
from ketapress.posts.dates import DateRules, date_in_name, instant
from ketapress.posts.fields import DATE_NAMES, EXPIRY_NAMES, Fields, fields, flag, text
from ketapress.posts.frontmatter import Split, Value, split
from ketapress.posts.prose import TITLE_LENGTH, first_sentence, one_line, text_of
from ketapress.posts.sanitise import DEEPEST, is_too_deep
from ketapress.posts.titles import name_title


class Format(StrEnum):
    """What a body is written in."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


FORMATS = {
    ".txt": Format.TEXT,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".html": Format.HTML,
    ".htm": Format.HTML,
}
"""The endings of posts, in lower case."""

_SOURCES: dict[Format, Callable[[str], str]] = {
    Format.TEXT: article.article_html,
    Format.MARKDOWN: markdown.markdown_html,
    Format.HTML: str,
}
_DRAFT_FOLDERS = {"_drafts", "drafts"}
_NO_DATE = re.compile(
    r"(?:git )?(?:created|last modified)|\{[{%].*", re.IGNORECASE
)  # Eleventy's words, and templates
_LINE_MARKS = re.compile(r"^[#>*_`\s]+|[#*_`\s]+$")
_DATE_IN_FOLDERS = re.compile(r"(?:^|/)(\d{4}[-/]\d{1,2}[-/]\d{1,2})(?=[-/_]|$)")
_RTL_LETTER = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LTR_LETTER = re.compile("[A-Za-z\u00c0-\u058f\u0900-\u1fff\u2c00-\ud7ff]")
_LOOK_AT = 2_000  # characters tell which way a text runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Manuscript:
    """What an author wrote. `html` is the body, not sanitised yet; `name` is what its address is made of.

    `sha256` is of the title where it is explicit, and the body. `explicit_slug` says that the author chose `name`.
    """

    path: str
    title: str
    html: str
    date: datetime
    expires: datetime | None
    name: str
    explicit_slug: bool
    sha256: str
    fields: Fields
    draft: bool
    dir: str | None


def manuscript(path: str, written: str, rules: DateRules) -> tuple[Manuscript, tuple[Problem, ...]]:
    """The manuscript in a file, and warnings about it. Raises `KetapressError` where it cannot be a post."""
    parts = split(written)
    form, header, body = _unwrapped(FORMATS[PurePosixPath(path).suffix.lower()], parts)
    said, problems = fields(header, pelican=parts.pelican)
    in_name, name = date_in_name(_stem(path))
    heading, body = _heading(form, said.title, body)
    moment = _header_date(header, rules, written, parts)
    if moment is None:
        moment, heading, body = _dated_line(form, heading, body, rules, parts.body_line)
    moment = moment or _path_date(path, in_name, said.path, rules)
    if moment is None:
        raise _undated(body, parts.body_line)
    explicit = said.title or heading
    title = explicit or name_title(name) or _derived_title(form, body)
    digest = sha256(f"{explicit}\0{body}".encode(errors="backslashreplace")).hexdigest()
    own_slug = slug(said.slug)
    found = Manuscript(
        path=path,
        title=title,
        html=_html(form, body, explicit, parts.body_line),
        date=moment,
        expires=_expiry(header, rules, written, parts),
        name=own_slug or slug(unquote(name)) or slug(title) or digest[:8],
        explicit_slug=bool(own_slug),
        sha256=digest,
        fields=said,
        draft=said.draft or not _DRAFT_FOLDERS.isdisjoint(path.split("/")[:-1]),
        dir=said.dir or _direction(said.lang, body),
    )
    return found, problems


def _html(form: Format, body: str, title: str, line: int) -> str:
    """The body as HTML that is not sanitised yet; a post has a body, or at least a title that somebody gave it."""
    if not body.strip() and not title:
        raise KetapressError(
            Problem(
                code="post.empty",
                message="the post has no text.",
                cure="Write some, or move the file out of `posts/`.",
                line=line,
            )
        )
    html = _SOURCES[form](body)
    if is_too_deep(html):
        raise KetapressError(
            Problem(
                code="post.body",
                message=f"its elements are nested in each other more than {DEEPEST} deep.",
                cure="Close those that were left open.",
                line=line,
            )
        )
    return html


def _unwrapped(form: Format, parts: Split) -> tuple[Format, dict[str, Value], str]:
    """The format, header and body that are meant: a page without its head, plain text without its `<pre>`."""
    header, body = parts.header, parts.body
    if form is Format.HTML:
        page = html.page(body)
        header, body = page.header | header, page.body
    if (
        form is not Format.TEXT
        and "<pre" in body[:200].lower()
        and (plain := html.preformatted(body)) is not None
    ):
        return Format.TEXT, header, plain
    return form, header, body


def _stem(path: str) -> str:
    """The file's name without its ending; the folder's, where the file is the `index` of a bundle."""
    pure = PurePosixPath(path)
    return pure.parent.name if pure.stem.lower() == "index" and pure.parent.name else pure.stem


def _heading(form: Format, title: str, body: str) -> tuple[str, str]:
    """The title that the body opens with, and the body without it: where there is no other title, or it is the same."""
    if form is Format.TEXT:
        return "", body
    found, rest = (html if form is Format.HTML else markdown).leading_heading(body)
    return (found, rest) if found and (not title or found == title) else ("", body)


def _header_date(header: dict[str, Value], rules: DateRules, written: str, parts: Split) -> datetime | None:
    """The date that the header gives, by the first of its names that has one."""
    for name in DATE_NAMES:
        value = text(header.get(name))
        if not value or flag(value) is not None or _NO_DATE.fullmatch(value):
            continue
        moment = _read(value, rules, _line_of(name, written, parts))
        if moment is None and name == "date":
            raise _fault(
                "post.date", f"`date: {value[:60]}` does not read as a date.", _line_of(name, written, parts)
            )
        if moment is not None:
            return moment
    return None


def _dated_line(
    form: Format, heading: str, body: str, rules: DateRules, line: int
) -> tuple[datetime | None, str, str]:
    """The date, the title and the body of a text whose first line is a date, or whose second is, after its title."""
    if heading and (moment := _read(_LINE_MARKS.sub("", heading), rules, line)):
        return moment, "", body
    first, rest = _first_line(form, body)
    if moment := _read(_LINE_MARKS.sub("", first), rules, line):
        return moment, heading, rest
    if form is Format.TEXT and 0 < len(first) <= TITLE_LENGTH:
        second, after = _first_line(form, rest)
        if moment := _read(_LINE_MARKS.sub("", second), rules, line + 1):
            return moment, one_line(first), after
    if form is Format.HTML and (said := html.first_time(body)):
        return _read(said, rules, line), heading, body
    return None, heading, body


def _first_line(form: Format, body: str) -> tuple[str, str]:
    if form is Format.HTML:
        return html.first_line(body)
    first, _, rest = body.lstrip("\n\t ").partition("\n")
    return first.strip(), rest


def _path_date(path: str, in_name: str, header_path: str, rules: DateRules) -> datetime | None:
    """The date of the file's name, of its folders (`2023/06/07/slug.md`), or of the header's `path`."""
    if in_name:
        return _read(in_name, rules, None)
    for place in (path, header_path):
        if found := _DATE_IN_FOLDERS.search(place):
            return _read(found[1], rules, None)
    return None


def _expiry(header: dict[str, Value], rules: DateRules, written: str, parts: Split) -> datetime | None:
    for name in EXPIRY_NAMES:
        if value := text(header.get(name)):
            line = _line_of(name, written, parts)
            moment = _read(value, rules, line)
            if moment is None:
                raise _fault("post.date", f"`{name}: {value[:60]}` does not read as a date.", line)
            return moment
    return None


def _read(value: str, rules: DateRules, line: int | None) -> datetime | None:
    try:
        return instant(value, rules)
    except ValueError as error:
        raise _fault("post.date", f"{error}.", line) from None


def _line_of(name: str, written: str, parts: Split) -> int:
    """The line on which the header gives a name."""
    pattern = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*[:=]", re.IGNORECASE)
    for number, line in enumerate(written.split("\n")[: parts.body_line], 1):
        if pattern.match(line):
            return number
    return parts.line


def _derived_title(form: Format, body: str) -> str:
    """A title from how the text begins: its first run-in heading, else its first sentence."""
    if form is Format.HTML:
        return first_sentence(text_of(body[: 20 * TITLE_LENGTH]))
    if lead := article.first_lead(body):
        return one_line(lead)
    first = next((block for block in body.split("\n\n") if block.strip()), "")
    return first_sentence(
        one_line(markdown.plain_text(_LINE_MARKS.sub("", first)) if form is Format.MARKDOWN else first)
    )


def _direction(lang: str | None, body: str) -> str | None:
    """`rtl` where the language runs so, or most letters do where no language is named; None for the site's way."""
    if lang:
        return direction(lang)
    head = body[:_LOOK_AT]
    if head.isascii():
        return None
    return "rtl" if len(_RTL_LETTER.findall(head)) > len(_LTR_LETTER.findall(head)) else None


def _undated(body: str, line: int) -> KetapressError:
    first = one_line(body.lstrip().partition("\n")[0])
    seen = f" Its first line `{first[:60]}` does not read as one." if first else ""
    return _fault("post.no-date", f"the post has no date.{seen}", line)


def _fault(code: str, message: str, line: int | None) -> KetapressError:
    cure = "Write it as 2023-06-07, in the header (`date: …`), alone on the first line, or at the start of the file's name."
    return KetapressError(Problem(code=code, message=message, cure=cure, line=line))
