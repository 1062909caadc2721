"""Parse the text of a file into a post, before it has an id, a URL or sanitized HTML.

Nothing here depends on other posts, on the registry of ids or on the clock.
"""

import re
from datetime import UTC, datetime
from hashlib import sha256
from posixpath import splitext
from typing import NamedTuple
from urllib.parse import unquote

from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.model.language import script_code, text_direction
from ketapress.model.urls import slugify
from ketapress.posts.dates.parse import DateRules, split_file_date
from ketapress.posts.dialects.admonitions import convert_admonitions
from ketapress.posts.dialects.placeholders import ForeignTag, expand_placeholders, insert_placeholders
from ketapress.posts.frontmatter.fields import Fields, parse_fields
from ketapress.posts.frontmatter.post_date import missing_date_problem, parse_expiry, parse_header_date
from ketapress.posts.frontmatter.split import SourceParts, split_front_matter
from ketapress.posts.frontmatter.values import Value
from ketapress.posts.markup import html, markdown, plaintext
from ketapress.posts.parsing.body_date import parse_body_date, parse_path_date
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

_DRAFT_FOLDERS = {"_drafts", "drafts"}
_BLOCK_MARKERS = re.compile(r"^(?:[#>\s]+|[-*+]\s+|\d+[.)]\s+)+")
_LIST_MARKER = re.compile(r"[-*+]\s|\d+[.)]\s")
_DRAFT_DATE = datetime(9998, 12, 30, tzinfo=UTC)  # of a draft without a date, which must never be due


class ParseRules(NamedTuple):
    """The settings that parsing depends on: how a bare date becomes an instant, and the site's language."""

    dates: DateRules
    language: str


class ParsedPost(NamedTuple):
    """The content of a post's file.

    `html` is the body, not sanitized yet, with placeholders for `foreign_tags`. `slug` is the author's own if
    `has_explicit_slug`. `sha256` is that of the explicit title and the body, `words` a sketch of the body. `lang` and `dir` are None for the site's.
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
    """Return the post in a file, and warnings about it. `path` is relative to `posts/`.

    Raises `KetapressError` with the line of the problem if the file is no post.
    """
    parts = split_front_matter(text)
    if path.endswith(MDX_SUFFIX):
        parts, text = _convert_mdx(parts, text)
    source_format, header, body = _unwrap(FORMAT_BY_SUFFIX[splitext(path)[1].lower()], parts)
    fields, field_problems = parse_fields(header, is_pelican=parts.is_pelican)
    problems = (*parts.problems, *field_problems)
    name_date, name = split_file_date(post_stem(path))
    heading, body = _split_heading(source_format, fields.title, body)
    date = parse_header_date(parts, header, rules.dates, text)
    draft = fields.draft or not _DRAFT_FOLDERS.isdisjoint(path.split("/")[:-1])
    if date is None:
        date, heading, body = parse_body_date(source_format, heading, body, rules.dates, parts.body_line)
        date = date or parse_path_date(path, name_date, fields.path, rules.dates)
    if date is None:
        missing_date = missing_date_problem(header, parts, body)
        if not draft:
            raise KetapressError(missing_date)
        problems = (*problems, missing_date._replace(severity=Severity.WARNING))
    explicit_title = fields.title or heading
    title = explicit_title or derive_title_from_name(name) or _derive_title(source_format, body)
    digest = sha256(f"{explicit_title}\0{body}".encode(errors="backslashreplace")).hexdigest()
    lang, direction = _detect_language(fields, explicit_title, body, rules.language)
    explicit_slug = slugify(fields.slug)
    body_line = 1 + text.count("\n", 0, len(text) - len(body))
    if not body.strip() and not explicit_title:
        cure = "Add text, or move the file out of `posts/`."
        raise KetapressError(
            Problem(code="post.empty", message="the post has no text.", cure=cure, line=body_line)
        )
    body_html, foreign_tags = _render_body(source_format, body, body_line)
    post = ParsedPost(
        path=path,
        title=title,
        html=body_html,
        foreign_tags=foreign_tags,
        date=date or _DRAFT_DATE,
        expires=parse_expiry(parts, header, rules.dates, text),
        slug=explicit_slug or slugify(unquote(name)) or slugify(title) or digest[:8],
        has_explicit_slug=bool(explicit_slug),
        sha256=digest,
        words=sketch_words(body),
        fields=fields,
        draft=draft,
        lang=lang,
        dir=direction,
    )
    return post, problems


def _convert_mdx(parts: SourceParts, text: str) -> tuple[SourceParts, str]:
    """Return the parts of an MDX file and its text as if it had been written in Markdown, line for line."""
    from ketapress.posts.dialects.mdx import (
        convert_mdx,
        parse_metadata,
    )  # few folders have MDX; its patterns take 3 ms

    header = parse_metadata(parts.body) | parts.header
    body, problems = convert_mdx(parts.body, parts.body_line)
    head = text[: len(text) - len(parts.body)]
    return parts._replace(header=header, body=body, problems=(*parts.problems, *problems)), head + body


def _unwrap(source_format: Format, parts: SourceParts) -> tuple[Format, dict[str, Value], str]:
    """Return format, header and body: those inside an HTML page, or the plain text inside a `<pre>`."""
    header, body = parts.header, parts.body
    if source_format is Format.TEXT:
        return source_format, header, body
    if source_format is Format.HTML:
        page = html.parse_page(body)
        header, body = page.header | header, page.body
    pre_text = html.extract_pre_text(body) if "<pre" in body[:200].lower() else None
    return (source_format, header, body) if pre_text is None else (Format.TEXT, header, pre_text)


def _split_heading(source_format: Format, title: str, body: str) -> tuple[str, str]:
    """Return the heading that is the post's title, and the rest; no heading if `title` is another one."""
    if source_format is Format.TEXT:
        return "", body
    markup = html if source_format is Format.HTML else markdown
    heading, rest = markup.split_leading_heading(body)
    return (heading, rest) if heading and (not title or heading == title) else ("", body)


def _render_body(source_format: Format, body: str, line: int) -> tuple[str, tuple[ForeignTag, ...]]:
    """Return the body as HTML that is not sanitized, with placeholders, and their tags."""
    if source_format is Format.TEXT:
        return plaintext.render_plaintext(body), ()
    body, foreign_tags = insert_placeholders(body, line, is_html=source_format is Format.HTML)
    if source_format is Format.MARKDOWN:
        body = markdown.render_markdown(convert_admonitions(body))
    body_html = expand_placeholders(body, foreign_tags)
    if is_too_deep(body_html):
        message = f"its HTML elements are nested more than {MAX_DEPTH} levels deep."
        cure = "Close the elements that were left open."
        raise KetapressError(Problem(code="post.body", message=message, cure=cure, line=line))
    return body_html, foreign_tags


def _derive_title(source_format: Format, body: str) -> str:
    """Return the first run-in heading of the body, else its first sentence."""
    if source_format is Format.HTML:
        return extract_first_sentence(html_to_text(body[: 20 * MAX_TITLE_LENGTH]))
    if heading := plaintext.find_run_in_heading(body):
        return to_single_line(heading)
    first_block = next((block for block in body.split("\n\n") if block.strip()), "")[: 20 * MAX_TITLE_LENGTH]
    if source_format is Format.MARKDOWN:
        if _LIST_MARKER.match(first_block):
            first_block = first_block.partition("\n")[0]
        first_block = strip_markdown(_BLOCK_MARKERS.sub("", first_block))
    return extract_first_sentence(to_single_line(first_block))


def _detect_language(
    fields: Fields, title: str, body: str, site_language: str
) -> tuple[str | None, str | None]:
    """Return the author's language and direction, else those that the script of the text shows."""
    if fields.lang:
        return fields.lang, fields.dir or text_direction(fields.lang)
    if script_code(site_language) == "latn" and title.isascii() and body.isascii():
        return None, fields.dir
    from ketapress.posts.text.script_language import (
        detect_language,
    )  # few texts need its tables, which take 4 ms

    lang, direction = detect_language(title, body, site_language)
    return lang, fields.dir or direction
