"""A file's text becomes a manuscript: everything its author said, before it has an id, an address or clean HTML.

In comes a path inside `posts/` and the file's text, out goes a `Manuscript` with warnings, or a `KetapressError`
whose problem names the line. It never looks at other posts, at records or at the clock.
"""

from datetime import UTC, datetime
from hashlib import sha256
from posixpath import splitext
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.model.language import direction, script
from ketapress.model.lazy_regex import pattern
from ketapress.model.urls import slug
from ketapress.posts.dates.parse import DateRules, date_in_name
from ketapress.posts.dialects.admonitions import with_boxes
from ketapress.posts.dialects.placeholders import Mark, filled, with_tokens
from ketapress.posts.frontmatter import post_date as dating
from ketapress.posts.frontmatter.fields import Fields, fields
from ketapress.posts.frontmatter.split import Split, split
from ketapress.posts.frontmatter.values import Value
from ketapress.posts.markup import markdown
from ketapress.posts.parsing.nesting import DEEPEST, is_too_deep
from ketapress.posts.source.stem import stem
from ketapress.posts.source.suffixes import FORMATS, WITH_JSX, Format
from ketapress.posts.text.excerpt import TITLE_LENGTH, first_sentence, one_line, text_of
from ketapress.posts.text.strip_markdown import plain_text
from ketapress.posts.text.title import name_title

if TYPE_CHECKING:
    from ketapress.posts.parsing.body_date import Opening

_DRAFT_FOLDERS = {"_drafts", "drafts"}
_BLOCK_MARKS = pattern(r"^(?:[#>\s]+|[-*+]\s+|\d+[.)]\s+)+")
_LIST_MARK = pattern(r"[-*+]\s|\d+[.)]\s")
_SOME_DAY = datetime(
    9998, 12, 30, tzinfo=UTC
)  # of a draft without a date: whatever happens, it is not yet due


class ReadingRules(NamedTuple):
    """What the settings say about reading: how a bare date becomes an instant, and the site's language."""

    dates: DateRules
    language: str


class Manuscript(NamedTuple):
    """What an author wrote. `html` is the body, not sanitized yet, with tokens for its `marks`.

    `name` is what its address is made of; `explicit_slug` says that the author chose it.
    `sha256` is of the title where it is explicit, and the body.
    """

    path: str
    title: str
    html: str
    marks: tuple[Mark, ...]
    date: datetime
    expires: datetime | None
    name: str
    explicit_slug: bool
    sha256: str
    fields: Fields
    draft: bool
    lang: str | None
    dir: str | None


def parse_post(path: str, written: str, rules: ReadingRules) -> tuple[Manuscript, tuple[Problem, ...]]:
    """Return the manuscript in a file, and warnings about it. Raises `KetapressError` where it cannot be a post."""
    parts = split(written)
    if path.endswith(WITH_JSX):
        parts, written = _without_jsx(parts, written)
    form, header, body = _unwrapped(FORMATS[splitext(path)[1].lower()], parts)
    said, odd = fields(header, pelican=parts.pelican)
    problems = (*parts.problems, *odd)
    in_name, name = date_in_name(stem(path))
    heading, body = _heading(form, said.title, body)
    moment = dating.header_date(parts, header, rules.dates, written)
    draft = said.draft or not _DRAFT_FOLDERS.isdisjoint(path.split("/")[:-1])
    if moment is None:
        opened = _opening(form, heading, body, parts, (path, in_name, said.path), rules.dates)
        moment, heading, body = opened.date, opened.title, opened.body
    if moment is None:
        missing = dating.undated(header, parts, body)
        if not draft:
            raise KetapressError(missing)
        problems = (*problems, missing._replace(severity=Severity.WARNING))
    explicit = said.title or heading
    title = explicit or name_title(name) or _derived_title(form, body)
    digest = sha256(f"{explicit}\0{body}".encode(errors="backslashreplace")).hexdigest()
    lang, way = _spoken(said, explicit, body, rules.language)
    own_slug = slug(said.slug)
    source, marks = _html(form, body, explicit, 1 + written.count("\n", 0, len(written) - len(body)))
    found = Manuscript(
        path=path,
        title=title,
        html=source,
        marks=marks,
        date=moment or _SOME_DAY,
        expires=dating.expiry(parts, header, rules.dates, written),
        name=own_slug or slug(unquote(name)) or slug(title) or digest[:8],
        explicit_slug=bool(own_slug),
        sha256=digest,
        fields=said,
        draft=draft,
        lang=lang,
        dir=way,
    )
    return found, problems


def _without_jsx(parts: Split, written: str) -> tuple[Split, str]:
    """The parts of an MDX file, and the file, as if it had been written in Markdown, line for line."""
    from ketapress.posts.dialects.mdx import as_markdown, stated

    header = stated(parts.body) | parts.header
    body, problems = as_markdown(parts.body, parts.body_line)
    head = written[: len(written) - len(parts.body)]
    return parts._replace(header=header, body=body, problems=(*parts.problems, *problems)), head + body


def _unwrapped(form: Format, parts: Split) -> tuple[Format, dict[str, Value], str]:
    """The format, header and body that are meant: a page without its head, plain text without its `<pre>`."""
    header, body = parts.header, parts.body
    if form is Format.TEXT or (form is Format.MARKDOWN and not _opens_with_pre(body)):
        return form, header, body
    from ketapress.posts.markup import html

    if form is Format.HTML:
        page = html.page(body)
        header, body = page.header | header, page.body
    plain = html.preformatted(body) if _opens_with_pre(body) else None
    return (form, header, body) if plain is None else (Format.TEXT, header, plain)


def _opens_with_pre(body: str) -> bool:
    return "<pre" in body[:200].lower()


def _heading(form: Format, title: str, body: str) -> tuple[str, str]:
    """The title that the body opens with, and the body without it: where there is no other title, or it is the same."""
    if form is Format.TEXT:
        return "", body
    if form is Format.HTML:
        from ketapress.posts.markup import html

        found, rest = html.leading_heading(body)
    else:
        found, rest = markdown.leading_heading(body)
    return (found, rest) if found and (not title or found == title) else ("", body)


def _opening(
    form: Format, heading: str, body: str, parts: Split, places: tuple[str, str, str], rules: DateRules
) -> "Opening":
    """How the body opens; its date may stand in one of the `places` instead."""
    from ketapress.posts.parsing import body_date as opening

    opened = opening.opening(form, heading, body, rules, parts.body_line)
    return opened if opened.date else opened._replace(date=opening.path_date(*places, rules))


def _html(form: Format, body: str, title: str, line: int) -> tuple[str, tuple[Mark, ...]]:
    """The body as HTML that is not sanitized yet, and its marks; what has no text is no post."""
    if not body.strip() and not title:
        raise _fault(
            "post.empty", "the post has no text.", "Write some, or move the file out of `posts/`.", line
        )
    marks: tuple[Mark, ...] = ()
    if form is not Format.TEXT:
        body, marks = with_tokens(body, line, is_html=form is Format.HTML)
    source = filled(_source(form, body), marks)
    if is_too_deep(source):
        what = f"its elements are nested in each other more than {DEEPEST} deep."
        raise _fault("post.body", what, "Close those that were left open.", line)
    return source, marks


def _source(form: Format, body: str) -> str:
    if form is Format.HTML:
        return body
    if form is Format.MARKDOWN:
        return markdown.markdown_html(with_boxes(body))
    from ketapress.posts.markup import plaintext as article

    return article.article_html(body)


def _derived_title(form: Format, body: str) -> str:
    """A title from how the text begins: its first run-in heading, else its first sentence."""
    if form is Format.HTML:
        return first_sentence(text_of(body[: 20 * TITLE_LENGTH]))
    from ketapress.posts.markup import plaintext as article

    if lead := article.first_lead(body):
        return one_line(lead)
    first = next((block for block in body.split("\n\n") if block.strip()), "")[: 20 * TITLE_LENGTH]
    if form is Format.MARKDOWN:
        if _LIST_MARK.match(first):
            first = first.partition("\n")[0]
        first = plain_text(_BLOCK_MARKS.sub("", first))
    return first_sentence(one_line(first))


def _spoken(said: Fields, title: str, body: str, site_language: str) -> tuple[str | None, str | None]:
    """The language and direction of the post, None for the site's: as its author said, else as its letters tell."""
    if said.lang:
        return said.lang, said.dir or direction(said.lang)
    if script(site_language) == "latn" and title.isascii() and body.isascii():
        return None, said.dir
    from ketapress.posts.text.script_language import contradiction

    lang, way = contradiction(title, body, site_language)
    return lang, said.dir or way


def _fault(code: str, message: str, cure: str, line: int) -> KetapressError:
    return KetapressError(Problem(code=code, message=message, cure=cure, line=line))
