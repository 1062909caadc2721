"""Plain text for readers: cleaned of what no format may carry, stripped of tags, cut where a reader would pause."""

import re
from html import unescape

# XML 1.0, 2.2, and what feed validators call bad characters: C1 controls, U+FFFD, non-characters, lone surrogates
ILLEGAL_CHARACTERS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff"
"""What `legal` takes away, as ranges of a pattern's set."""
_ILLEGAL = re.compile(f"[{ILLEGAL_CHARACTERS}]")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--(?:(?!<!--).)*?-->", re.DOTALL)
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|bdi|big|br|cite|code|del|em|font|i|img|ins|kbd|mark|p|q|s|samp|small|span|strong|sub|sup|u|wbr)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_PARAGRAPH = re.compile(r"<p(?: [^>]*)?>((?:[^<]++|<(?!/p>))*+)</p>")
_ONLY_STRONG = re.compile(r"<strong>[^<]*</strong>")  # the heading of a box, or of what follows
_ONLY_TEMPLATES = re.compile(r"(?:\{\{[^{}]*\}\}\s*|\{%[^{}]*%\}\s*)+")
_YEAR = re.compile(r"\d{4}|[〇零○一二三四五六七八九]{4}")
_MAX_DATE_LENGTH = 60  # characters
_NON_PROSE = re.compile(r"<(h[1-6]|pre|table)[ >].*?</\1>", re.DOTALL)
_FOOTNOTE_REFERENCE = re.compile(r'<sup class="footnote-ref">.*?</sup>', re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?…؟۔]+[\"'”’»)\]]*(?=\s+[^\sa-z]|\s*$)|[。！？]+[”’」』）]*")
_ASCII_SENTENCE_END = re.compile(r"[.!?]+[\"')\]]*(?=\s+[^\sa-z]|\s*$)")  # the same, and three times as fast
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z]+\d?);", re.IGNORECASE)

MAX_SUMMARY_LENGTH = 280
MAX_TITLE_LENGTH = 80


def remove_illegal_characters(text: str) -> str:
    """The text without the characters that XML, JSON readers or mail would choke on."""
    if text.isascii() and text.replace("\n", "").isprintable():  # as nearly all short texts are
        return text
    return _ILLEGAL.sub("", text)


def to_single_line(text: str) -> str:
    """The text on one line, cleaned, with single blanks."""
    return " ".join(remove_illegal_characters(text).split())


def clean_title(text: str) -> str:
    """A title as somebody wrote it: inline tags taken away, entities decoded once; `Use <T> well` stays as it is."""
    if "<" in text:
        text = _INLINE_TAG.sub("", text)
    if "&" in text:
        text = _ENTITY.sub(lambda entity: unescape(entity[0]), text)
    return to_single_line(text)


def html_to_text(html: str) -> str:
    """What a reader sees of sanitised HTML, on one line."""
    return to_single_line(unescape(_TAG.sub("", html.replace("<br>", " "))))


def extract_first_paragraph(html: str) -> str:
    """The text of the first paragraph that says something, not a date or a template alone, of sanitised HTML; where there is none, all of its text, if it can be without headings."""
    for paragraph in _PARAGRAPH.finditer(html):
        if paragraph[1].startswith("<strong>") and _ONLY_STRONG.fullmatch(paragraph[1]):
            continue
        text = html_to_text(_FOOTNOTE_REFERENCE.sub("", paragraph[1]))
        if text and not (_ONLY_TEMPLATES.fullmatch(text) or _is_date(text)):
            return text
    head = html[: 20 * MAX_SUMMARY_LENGTH]
    return html_to_text(_NON_PROSE.sub(" ", head)) or html_to_text(head)


def _is_date(text: str) -> bool:
    """Whether a line is a date and nothing else; also one that cannot be."""
    if len(text) > _MAX_DATE_LENGTH or not _YEAR.search(text):
        return False
    from ketapress.posts.dates.grammar import parse_date_parts

    try:
        return parse_date_parts(text) is not None
    except ValueError:
        return True


def truncate(text: str, length: int = MAX_SUMMARY_LENGTH) -> str:
    """The text, or its beginning of at most `length` characters up to the end of a sentence, else of a word with `…`."""
    if len(text) <= length:
        return text
    sentence_end = _ASCII_SENTENCE_END if text.isascii() else _SENTENCE_END
    ends = [end.end() for end in sentence_end.finditer(text, 0, length + 1) if end.end() <= length]
    if ends and ends[-1] >= length // 3:
        return text[: ends[-1]]
    return _truncate_at_word(text, length)


def extract_first_sentence(text: str, length: int = MAX_TITLE_LENGTH) -> str:
    """The first sentence without its full stop, cut at a word with `…` where it is longer than `length`."""
    end = _SENTENCE_END.search(text, 0, length + 1)
    if end and end.end() <= length:
        return text[: end.end()].rstrip(".。")
    return text.rstrip(".。") if len(text) <= length else _truncate_at_word(text, length)


def _truncate_at_word(text: str, length: int) -> str:
    """The beginning of the text up to a blank; up to any character where blanks are rare, as in Chinese."""
    head = text[: length - 1]
    words = head.rpartition(" ")[0] if text[length - 1] != " " else head
    return (words if len(words) > length // 2 else head).rstrip(" ,;:–—-，、；：") + "…"
