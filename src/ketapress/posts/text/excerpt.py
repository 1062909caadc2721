"""Plain text for titles and summaries: without illegal characters and tags, truncated at the end of a sentence or word."""

import re
from html import unescape

from ketapress.model import illegal_characters

_ILLEGAL_CHARACTER = re.compile(f"[{illegal_characters.POST}]")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--(?:(?!<!--).)*?-->", re.DOTALL)
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|bdi|big|br|cite|code|del|em|font|i|img|ins|kbd|mark|p|q|s|samp|small|span|strong|sub|sup|u|wbr)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_PARAGRAPH = re.compile(r"<p(?: [^>]*)?>((?:[^<]++|<(?!/p>))*+)</p>")
_ONLY_STRONG = re.compile(r"<strong>[^<]*</strong>")  # the title of an admonition, or a heading
_ONLY_TEMPLATES = re.compile(r"(?:\{\{[^{}]*\}\}\s*|\{%[^{}]*%\}\s*)+")
_YEAR = re.compile(r"\d{4}|[〇零○一二三四五六七八九]{4}")
_MAX_DATE_LENGTH = 60  # characters
_NON_PROSE = re.compile(r"<(h[1-6]|pre|table)[ >].*?</\1>", re.DOTALL)
_FOOTNOTE_REFERENCE = re.compile(r'<sup class="footnote-ref">.*?</sup>', re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?…؟۔]+[\"'”’»)\]]*(?=\s+[^\sa-z]|\s*$)|[。！？]+[”’」』）]*")

_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z]+\d?);", re.IGNORECASE)

MAX_SUMMARY_LENGTH = 280
MAX_TITLE_LENGTH = 80


def remove_illegal_characters(text: str) -> str:
    """Return the text without characters that XML parsers, JSON parsers or mail programs reject."""
    if (
        text.isascii() and text.replace("\n", "").isprintable()
    ):  # true of most texts, and faster than the pattern
        return text
    return _ILLEGAL_CHARACTER.sub("", text)


def to_single_line(text: str) -> str:
    """Return the text on one line, with single spaces and without illegal characters."""
    return " ".join(remove_illegal_characters(text).split())


def clean_title(text: str) -> str:
    """Return an author's title without inline tags, and with entities decoded once; `Use <T> well` stays as it is."""
    if "<" in text:
        text = _INLINE_TAG.sub("", text)
    if "&" in text:
        text = _ENTITY.sub(lambda entity: unescape(entity[0]), text)
    return to_single_line(text)


def html_to_text(html: str) -> str:
    """Return the text of sanitized HTML, on one line."""
    return to_single_line(unescape(_TAG.sub("", html.replace("<br>", " "))))


def extract_first_paragraph(html: str) -> str:
    """Return the text of the first paragraph of sanitized HTML that is more than a heading, a date or a template tag.

    Without such a paragraph, return the text of the beginning: without headings, code and tables if there is any other.
    """
    for paragraph in _PARAGRAPH.finditer(html):
        if paragraph[1].startswith("<strong>") and _ONLY_STRONG.fullmatch(paragraph[1]):
            continue
        text = html_to_text(_FOOTNOTE_REFERENCE.sub("", paragraph[1]))
        if text and not (_ONLY_TEMPLATES.fullmatch(text) or _is_date(text)):
            return text
    head = html[: 20 * MAX_SUMMARY_LENGTH]
    return html_to_text(_NON_PROSE.sub(" ", head)) or html_to_text(head)


def _is_date(text: str) -> bool:
    """Whether a text is only a date, or only an impossible one such as June 31."""
    if len(text) > _MAX_DATE_LENGTH or not _YEAR.search(text):
        return False
    from ketapress.posts.dates.grammar import parse_date_parts

    try:
        return parse_date_parts(text) is not None
    except ValueError:
        return True


def truncate(text: str, length: int = MAX_SUMMARY_LENGTH) -> str:
    """Return at most `length` characters, up to the end of a sentence, or else of a word with `…`."""
    if len(text) <= length:
        return text
    ends = [end.end() for end in _SENTENCE_END.finditer(text, 0, length + 1) if end.end() <= length]
    if ends and ends[-1] >= length // 3:
        return text[: ends[-1]]
    return _truncate_at_word(text, length)


def extract_first_sentence(text: str, length: int = MAX_TITLE_LENGTH) -> str:
    """Return the first sentence without its full stop, truncated at a word with `…` if it is longer than `length`."""
    end = _SENTENCE_END.search(text, 0, length + 1)
    if end and end.end() <= length:
        return text[: end.end()].rstrip(".。")
    return text.rstrip(".。") if len(text) <= length else _truncate_at_word(text, length)


def _truncate_at_word(text: str, length: int) -> str:
    """Return the beginning of the text up to a space, or up to any character where spaces are rare, as in Chinese."""
    head = text[: length - 1]
    words = head.rpartition(" ")[0] if text[length - 1] != " " else head
    return (words if len(words) > length // 2 else head).rstrip(" ,;:–—-，、；：") + "…"
