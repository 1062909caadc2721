"""A file's text becomes a manuscript: everything its author said, before it has an id, an address or clean HTML.

In comes a path inside `posts/` and the file's text, out goes a `Manuscript` with warnings, or a `KetapressError`
whose problem names the line. It never looks at other posts, at records or at the clock.
"""

import re
from datetime import UTC, datetime
from hashlib import sha256
from posixpath import splitext
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.model.language import script_code, text_direction
from ketapress.model.urls import slugify
from ketapress.posts.dates.parse import DateRules, split_file_date
from ketapress.posts.dialects.admonitions import convert_admonitions
from ketapress.posts.dialects.placeholders import ForeignTag, expand_placeholders, insert_placeholders
from ketapress.posts.frontmatter import post_date as dating
from ketapress.posts.frontmatter.fields import Fields, parse_fields
from ketapress.posts.frontmatter.split import SourceParts, split_front_matter
from ketapress.posts.frontmatter.values import Value
from ketapress.posts.markup import markdown
from ketapress.posts.parsing.nesting import MAX_DEPTH, is_too_deep
from ketapress.posts.source.stem import post_stem
from ketapress.posts.source.suffixes import FORMAT_BY_SUFFIX, MDX_SUFFIX, Format
from ketapress.posts.text.excerpt import (
    MAX_TITLE_LENGTH,
    extract_first_sentence,
    html_to_text,
    to_single_line,
)
from ketapress.posts.text.strip_markdown import strip_markdown
from ketapress.posts.text.title import derive_title_from_name
from ketapress.posts.text.word_sketch import sketch_words

if TYPE_CHECKING:
    from ketapress.posts.parsing.body_date import BodyDate

_DRAFT_FOLDERS = {"_drafts", "drafts"}
_BLOCK_MARKERS = re.compile(r"^(?:[#>\s]+|[-*+]\s+|\d+[.)]\s+)+")
_LIST_MARKER = re.compile(r"[-*+]\s|\d+[.)]\s")
_DRAFT_DATE = datetime(
    9998, 12, 30, tzinfo=UTC
)  # of a draft without a date: whatever happens, it is not yet due


class ParseRules(NamedTuple):
    """What the settings say about reading: how a bare date becomes an instant, and the site's language."""

    dates: DateRules
    language: str


class ParsedPost(NamedTuple):
    """What an author wrote. `html` is the body, not sanitized yet, with tokens for its `marks`.

    `name` is what its address is made of; `explicit_slug` says that the author chose it.
    `sha256` is of the title where it is explicit, and the body. `words` is a sketch of the words of the body.
    """

    path: str
    title: str
    html: str
    foreign_tags: tuple[ForeignTag, ...]
    date: datetime
    expires: datetime | None
    slug: str
    has_explicit_slug: bool
    sha256: str
    words: str
    fields: Fields
    draft: bool
    lang: str | None
    dir: str | None


def parse_post(path: str, text: str, rules: ParseRules) -> tuple[ParsedPost, tuple[Problem, ...]]:
    """Return the manuscript in a file, and warnings about it. Raises `KetapressError` where it cannot be a post."""
    parts = split_front_matter(text)
    if path.endswith(MDX_SUFFIX):
        parts, text = _convert_mdx(parts, text)
    source_format, header, body = _unwrap(FORMAT_BY_SUFFIX[splitext(path)[1].lower()], parts)
    post_fields, field_problems = parse_fields(header, is_pelican=parts.is_pelican)
    problems = (*parts.problems, *field_problems)
    name_date, name = split_file_date(post_stem(path))
    heading, body = _split_heading(source_format, post_fields.title, body)
    date = dating.parse_header_date(parts, header, rules.dates, text)
    draft = post_fields.draft or not _DRAFT_FOLDERS.isdisjoint(path.split("/")[:-1])
    if date is None:
        body_date = _find_body_date(
            source_format, heading, body, parts, (path, name_date, post_fields.path), rules.dates
        )
        date, heading, body = body_date.date, body_date.title, body_date.body
    if date is None:
        missing_date = dating.missing_date_problem(header, parts, body)
        if not draft:
            raise KetapressError(missing_date)
        problems = (*problems, missing_date._replace(severity=Severity.WARNING))
    explicit_title = post_fields.title or heading
    title = explicit_title or derive_title_from_name(name) or _derive_title(source_format, body)
    digest = sha256(f"{explicit_title}\0{body}".encode(errors="backslashreplace")).hexdigest()
    lang, text_direction = _detect_language(post_fields, explicit_title, body, rules.language)
    explicit_slug = slugify(post_fields.slug)
    html, foreign_tags = _convert_body(
        source_format, body, explicit_title, 1 + text.count("\n", 0, len(text) - len(body))
    )
    post = ParsedPost(
        path=path,
        title=title,
        html=html,
        foreign_tags=foreign_tags,
        date=date or _DRAFT_DATE,
        expires=dating.parse_expiry(parts, header, rules.dates, text),
        slug=explicit_slug or slugify(unquote(name)) or slugify(title) or digest[:8],
        has_explicit_slug=bool(explicit_slug),
        sha256=digest,
        words=sketch_words(body),
        fields=post_fields,
        draft=draft,
        lang=lang,
        dir=text_direction,
    )
    return post, problems


def _convert_mdx(parts: SourceParts, text: str) -> tuple[SourceParts, str]:
    """The parts of an MDX file, and the file, as if it had been written in Markdown, line for line."""
    from ketapress.posts.dialects.mdx import convert_mdx, parse_metadata

    header = parse_metadata(parts.body) | parts.header
    body, problems = convert_mdx(parts.body, parts.body_line)
    head = text[: len(text) - len(parts.body)]
    return parts._replace(header=header, body=body, problems=(*parts.problems, *problems)), head + body


def _unwrap(source_format: Format, parts: SourceParts) -> tuple[Format, dict[str, Value], str]:
    """The format, header and body that are meant: a page without its head, plain text without its `<pre>`."""
    header, body = parts.header, parts.body
    if source_format is Format.TEXT or (source_format is Format.MARKDOWN and not _has_leading_pre(body)):
        return source_format, header, body
    from ketapress.posts.markup import html

    if source_format is Format.HTML:
        page = html.parse_page(body)
        header, body = page.header | header, page.body
    pre_text = html.extract_pre_text(body) if _has_leading_pre(body) else None
    return (source_format, header, body) if pre_text is None else (Format.TEXT, header, pre_text)


def _has_leading_pre(body: str) -> bool:
    return "<pre" in body[:200].lower()


def _split_heading(source_format: Format, title: str, body: str) -> tuple[str, str]:
    """The title that the body opens with, and the body without it: where there is no other title, or it is the same."""
    if source_format is Format.TEXT:
        return "", body
    if source_format is Format.HTML:
        from ketapress.posts.markup import html

        heading, rest = html.split_leading_heading(body)
    else:
        heading, rest = markdown.split_leading_heading(body)
    return (heading, rest) if heading and (not title or heading == title) else ("", body)


def _find_body_date(
    source_format: Format,
    heading: str,
    body: str,
    parts: SourceParts,
    path_sources: tuple[str, str, str],
    rules: DateRules,
) -> "BodyDate":
    """How the body opens; its date may stand in one of the `places` instead."""
    from ketapress.posts.parsing import body_date as opening

    result = opening.parse_body_date(source_format, heading, body, rules, parts.body_line)
    return result if result.date else result._replace(date=opening.parse_path_date(*path_sources, rules))


def _convert_body(
    source_format: Format, body: str, title: str, line: int
) -> tuple[str, tuple[ForeignTag, ...]]:
    """The body as HTML that is not sanitized yet, and its marks; what has no text is no post."""
    if not body.strip() and not title:
        raise _post_error(
            "post.empty", "the post has no text.", "Write some, or move the file out of `posts/`.", line
        )
    foreign_tags: tuple[ForeignTag, ...] = ()
    if source_format is not Format.TEXT:
        body, foreign_tags = insert_placeholders(body, line, is_html=source_format is Format.HTML)
    html = expand_placeholders(_convert_markup(source_format, body), foreign_tags)
    if is_too_deep(html):
        message = f"its elements are nested in each other more than {MAX_DEPTH} deep."
        raise _post_error("post.body", message, "Close those that were left open.", line)
    return html, foreign_tags


def _convert_markup(source_format: Format, body: str) -> str:
    if source_format is Format.HTML:
        return body
    if source_format is Format.MARKDOWN:
        return markdown.render_markdown(convert_admonitions(body))
    from ketapress.posts.markup import plaintext as article

    return article.render_plaintext(body)


def _derive_title(source_format: Format, body: str) -> str:
    """A title from how the text begins: its first run-in heading, else its first sentence."""
    if source_format is Format.HTML:
        return extract_first_sentence(html_to_text(body[: 20 * MAX_TITLE_LENGTH]))
    from ketapress.posts.markup import plaintext as article

    if heading := article.find_run_in_heading(body):
        return to_single_line(heading)
    first_block = next((block for block in body.split("\n\n") if block.strip()), "")[: 20 * MAX_TITLE_LENGTH]
    if source_format is Format.MARKDOWN:
        if _LIST_MARKER.match(first_block):
            first_block = first_block.partition("\n")[0]
        first_block = strip_markdown(_BLOCK_MARKERS.sub("", first_block))
    return extract_first_sentence(to_single_line(first_block))


def _detect_language(
    post_fields: Fields, title: str, body: str, site_language: str
) -> tuple[str | None, str | None]:
    """The language and direction of the post, None for the site's: as its author said, else as its letters tell."""
    if post_fields.lang:
        return post_fields.lang, post_fields.dir or text_direction(post_fields.lang)
    if script_code(site_language) == "latn" and title.isascii() and body.isascii():
        return None, post_fields.dir
    from ketapress.posts.text.script_language import detect_language

    lang, default_direction = detect_language(title, body, site_language)
    return lang, post_fields.dir or default_direction


def _post_error(code: str, message: str, cure: str, line: int) -> KetapressError:
    return KetapressError(Problem(code=code, message=message, cure=cure, line=line))
