"""Split an HTML file into the fields of its head and the fragment that is the post.

The file is a whole page or a fragment, as people and tools write it. The fragment is not sanitized yet. Patterns are
enough, because nothing here decides what is safe.
"""

import re
from html import unescape
from typing import NamedTuple

from ketapress.posts.frontmatter.values import Value
from ketapress.posts.text.excerpt import html_to_text

_BODY = re.compile(r"<body(?:\s[^<>]*)?>(.*?)(?:</body\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_PAGE_START = re.compile(r"\s*(?:<!doctype|<html|<head|<meta|<title|<body)\b", re.IGNORECASE)
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_TITLE = re.compile(r"<title(?:\s[^<>]*)?>([^<]*)", re.IGNORECASE)
_LANG = re.compile(r"<(?:html|body)\s[^<>]*?\blang\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_DIR = re.compile(r"<(?:html|body)\s[^<>]*?\bdir\s*=\s*[\"']?(ltr|rtl)", re.IGNORECASE)
_CANONICAL = re.compile(r"<link\s[^<>]*?\brel\s*=\s*[\"']?canonical\b[^<>]*>", re.IGNORECASE)
_HREF = re.compile(r"\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_META = re.compile(r"<meta\s([^<>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))")
_HEADING = re.compile(
    r"\s*(?:<header(?:\s[^<>]*)?>\s*)?<h1(?:\s[^>]*)?>(.*?)</h1\s*>", re.IGNORECASE | re.DOTALL
)
_BLOCK_TAG = r"(?:p|div|header|h\d)"
_FIRST_LINE = re.compile(
    rf"\s*(?:<{_BLOCK_TAG}(?:\s[^<>]*)?>\s*)*([^\n]{{1,200}}?)[ \t]{{0,9}}(?:</{_BLOCK_TAG}\s*>|<br\s*/?>|\n|\Z)",
    re.IGNORECASE,
)
_TIME = re.compile(r"<time\s[^<>]*?\bdatetime\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE)
_H_ENTRY_DATE = re.compile(  # of an h-entry, as Medium exports them
    r"<time\s(?=[^<>]*\bdt-published\b)[^<>]*?\bdatetime\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE
)
_MAIN_TAGS = {name: re.compile(rf"<{name}(?:\s[^<>]*)?>", re.IGNORECASE) for name in ("article", "main")}
_BOILERPLATE = re.compile(
    r"<(nav|footer|aside)(?:\s[^<>]*)?>(?:(?!<\1[\s>]).)*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_PRE = re.compile(r"\s*<pre(?:\s[^>]*)?>\n?(.*?)(?:</pre\s*>\s*|\Z)", re.IGNORECASE | re.DOTALL)

_MAX_HEAD_LENGTH = 50_000  # characters; fields after them are ignored

# Names of the fields in Open Graph, Dublin Core and Pelican
_META_NAMES = {
    "article:published_time": "date",
    "dc.date": "date",
    "dcterms.date": "date",
    "dcterms.created": "date",
    "og:title": "title",
    "og:image": "image",
    "keywords": "tags",
}
_META_FIELDS = {
    *(
        "author",
        "authors",
        "category",
        "date",
        "description",
        "id",
        "image",
        "lang",
        "modified",
        "slug",
        "status",
    ),
    *("summary", "tags", "title"),
}


class HtmlPage(NamedTuple):
    """The fields of a page's head, and its body, which begins at `offset` in the text."""

    header: dict[str, Value]
    body: str
    offset: int


def parse_page(text: str) -> HtmlPage:
    """Return a page; a fragment has an empty header."""
    if not _PAGE_START.match(text):
        return HtmlPage({}, text, 0)
    body = _BODY.search(text)
    head_end = _HEAD_END.search(text)
    offset = body.start(1) if body else head_end.end() if head_end else 0
    head = (text[:offset] or text)[:_MAX_HEAD_LENGTH]
    header = _parse_head(head)
    full_body = body[1] if body else text[offset:]
    if "dt-published" in text and "date" not in header and (date_match := _H_ENTRY_DATE.search(text)):
        header["date"] = unescape(date_match[1])
    start, end = _find_main_part(full_body)
    main = _BOILERPLATE.sub("", full_body[start:end])
    heading, _ = split_leading_heading(main)
    if heading and str(header.get("title", "")).startswith(heading):
        header["title"] = heading  # without the name of the site, which follows in the head
    return HtmlPage(header, main, offset + start)


def _find_main_part(body: str) -> tuple[int, int]:
    """Return start and end of the content of the only `<article>` or `<main>`; those of the body if there is none."""
    for name, start_pattern in _MAIN_TAGS.items():
        start_tags = start_pattern.findall(body)
        end = body.lower().rfind(f"</{name}")
        if len(start_tags) == 1 and (match := start_pattern.search(body)) and end > match.end():
            return match.end(), end
    return 0, len(body)


def split_leading_heading(fragment: str) -> tuple[str, str]:
    """Return the text of the level-one heading at the start of a fragment, empty if there is none, and the rest."""
    match = _HEADING.match(fragment)
    return (html_to_text(match[1]), fragment[match.end() :]) if match else ("", fragment)


def split_first_line(fragment: str) -> tuple[str, str]:
    """Return the text of the first line or paragraph, empty if there is none, and the rest."""
    match = _FIRST_LINE.match(fragment)
    return (html_to_text(match[1]), fragment[match.end() :]) if match else ("", fragment)


def find_first_time(fragment: str) -> str:
    """Return the value of the first `<time datetime>`; an empty string if there is none."""
    match = _TIME.search(fragment)
    return unescape(match[1]) if match else ""


def extract_pre_text(fragment: str) -> str | None:
    """Return the plain text of a fragment that is one `<pre>` without tags inside; None for any other fragment."""
    match = _PRE.fullmatch(fragment)
    return None if match is None or "<" in match[1] else unescape(match[1])


def _parse_head(head: str) -> dict[str, Value]:
    """Return the fields in the head of a page."""
    header: dict[str, Value] = {}
    if title := _TITLE.search(head):
        header["title"] = html_to_text(title[1])
    for attribute_pattern, name in ((_LANG, "lang"), (_DIR, "dir")):
        if match := attribute_pattern.search(head):
            header[name] = match[1]
    if (link := _CANONICAL.search(head)) and (href := _HREF.search(link[0])):
        header["canonical"] = unescape(href[1] or href[2] or "")
    for tag in _META.finditer(head):
        attributes = {
            name.lower(): unescape(double or single or unquoted)
            for name, double, single, unquoted in _ATTRIBUTE.findall(tag[1])
        }
        name = (attributes.get("name") or attributes.get("property") or "").lower()
        name = _META_NAMES.get(name, name)
        if name in _META_FIELDS and attributes.get("content"):
            header.setdefault(name, attributes["content"])
    return header
