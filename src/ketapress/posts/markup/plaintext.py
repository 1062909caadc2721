"""Render plain text as HTML, by the conventions of typed text; the seed article is the model.

The text comes without its date line. The rules, in this order, for each block between blank lines:

- A line of only three or more `-`, `*`, `_` or `=` is a rule; under a single line it makes that line a heading.
- Lines that begin with `-`, `*`, `+`, `•` or `1.` are a list; indented lines continue their item.
- Lines that are all indented by four spaces or a tab are preformatted.
- A run-in heading at the start of a paragraph (`Topic: Text`, `__Topic.__ text`) becomes a heading of its own if the
  text has two or more of them; otherwise it is prose with a colon.
- Several lines of at most 55 columns are verse and keep their line breaks; other lines are joined, with a space except
  between two ideographs.

URLs become links. Everything is escaped.
"""

import re
import unicodedata
from html import escape
from itertools import islice

_BLANK_LINES = re.compile(r"\n[ \t\u3000]*(?:\n[ \t\u3000]*)*\n|\A[ \t]*\n")
_RULE = re.compile(r"([-*_=])(?:[ ]?\1){2,}")
_LIST_ITEM = re.compile(r"[ ]{0,3}(?:([-*+•])|(\d{1,4})[.)])[ \t]+(?=\S)")
_BOLD_HEADING = re.compile(r"(__|\*\*)(?=\S)(?P<heading>.{2,80}?)(?<=\S)[.:：]?\1[.:：]?\s+(?=\S)")
_COLON_HEADING = re.compile(r"(?P<heading>\S.{1,79}?)(?::\s+|：\s*)(?=\S)")
_SENTENCE_IN_HEADING = re.compile(r"[.!?。！？]\s|[,;，；]$")
_URL = re.compile(r"https?://[^\s<>\"“”]+", re.IGNORECASE)
_TRAILING_PUNCTUATION = ".,;:!?'’*_。，；：！？）】》」』"
_MAX_VERSE_COLUMNS = 55  # text that an editor wrapped is wider
_MAX_HEADING_WORDS = 8
_MIN_HEADINGS = 2
_MIN_MAJOR_WORD_LENGTH = 4  # characters; shorter words are in lower case in titles, too


def render_plaintext(text: str) -> str:
    """Return the text as HTML; its headings are `<h2>`."""
    blocks = _split_blocks(text)
    has_headings = bool(_find_run_in_headings(blocks))
    return "".join(_render_block(block, has_headings=has_headings) + "\n" for block in blocks)


def find_run_in_heading(text: str) -> str:
    """Return the first run-in heading; an empty string if the text has fewer than two."""
    return next(iter(_find_run_in_headings(_split_blocks(text))), "")


def _find_run_in_headings(blocks: list[str]) -> list[str]:
    """Return the first two run-in headings; an empty list if there are fewer, which may be prose with a colon."""
    headings = (heading for heading, _ in map(_split_run_in_heading, blocks) if heading)
    first_headings = list(islice(headings, _MIN_HEADINGS))
    return first_headings if len(first_headings) == _MIN_HEADINGS else []


def _split_blocks(text: str) -> list[str]:
    return [block.rstrip() for block in _BLANK_LINES.split(text) if block.strip()]


def _render_block(block: str, *, has_headings: bool) -> str:
    lines = block.split("\n")
    if _RULE.fullmatch(lines[-1].strip()) and len(lines) <= 2:  # noqa: PLR2004 - a line and its underline
        return "<hr>" if len(lines) == 1 else f"<h2>{_render_inline(lines[0].strip())}</h2>"
    if _LIST_ITEM.match(lines[0]) and all(_LIST_ITEM.match(line) or line[:1] in " \t" for line in lines):
        return _render_list(lines)
    if all(line.startswith(("    ", "\t")) for line in lines):
        code = "\n".join(line[1:] if line[:1] == "\t" else line[4:] for line in lines)
        return f"<pre><code>{escape(code, quote=False)}\n</code></pre>"
    heading_text, rest = _split_run_in_heading(block) if has_headings else ("", block)
    heading_html = f"<h2>{_render_inline(heading_text)}</h2>\n" if heading_text else ""
    return f"{heading_html}<p>{_render_paragraph(rest)}</p>"


def _render_list(lines: list[str]) -> str:
    """Return a list, numbered if its first item is; an indented line belongs to the item before it."""
    first_item = _LIST_ITEM.match(lines[0])
    number = first_item[2] if first_item else None
    name, start = ("ol", f' start="{int(number)}"' if int(number) != 1 else "") if number else ("ul", "")
    items: list[list[str]] = []
    for line in lines:
        match = _LIST_ITEM.match(line)
        if match:
            items.append([])
        items[-1].append(line[match.end() if match else 0 :].strip())
    rows = "\n".join(f"<li>{_render_inline(_join_lines(item))}</li>" for item in items)
    return f"<{name}{start}>\n{rows}\n</{name}>"


def _split_run_in_heading(block: str) -> tuple[str, str]:
    """Return the run-in heading at the start of a block, empty if there is none, and the rest."""
    bold = _BOLD_HEADING.match(block)
    if bold and "\n" not in bold["heading"]:
        return bold["heading"].strip(), block[bold.end() :]
    match = _COLON_HEADING.match(block.partition("\n")[0])
    if match and _is_heading(match["heading"]) and _is_sentence_start(block[match.end() :]):
        return match["heading"], block[match.end() :]
    return "", block


def _is_heading(text: str) -> bool:
    """Whether the text before a colon is a heading: not a sentence, and short or in title case."""
    if _LIST_ITEM.match(text) or _SENTENCE_IN_HEADING.search(text) or text[:1].islower():
        return False
    words = text.split()
    major_words = [word for word in words if len(word) >= _MIN_MAJOR_WORD_LENGTH]
    return len(words) <= _MAX_HEADING_WORDS or not any(word[0].islower() for word in major_words)


def _is_sentence_start(text: str) -> bool:
    """Whether the text after a colon begins a sentence: with a letter that is not lower case, in any script."""
    first_character = text.lstrip("\"'“„«‘‚¿¡(")[:1]
    return first_character.isalpha() and not first_character.islower()


def _render_paragraph(text: str) -> str:
    lines = [line.strip() for line in text.split("\n")]
    if len(lines) > 1 and all(_count_columns(line) <= _MAX_VERSE_COLUMNS for line in lines):
        return "<br>\n".join(_render_inline(line) for line in lines)
    return _render_inline(_join_lines(lines))


def _count_columns(line: str) -> int:
    """Return the width of a line in a fixed-width font, in which East Asian characters take two columns."""
    if line.isascii():
        return len(line)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def _join_lines(lines: list[str]) -> str:
    """Join the lines of a paragraph with spaces, except between two ideographs."""
    text = lines[0]
    for line in lines[1:]:
        text += line if _is_ideographic(text[-1:]) and _is_ideographic(line[:1]) else " " + line
    return text


def _is_ideographic(character: str) -> bool:
    return "\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"


def _render_inline(text: str) -> str:
    """Return escaped text with its URLs as links."""
    pieces, position = [], 0
    for match in _URL.finditer(text) if "://" in text else ():
        url = _trim_url(match[0])
        pieces += [escape(text[position : match.start()], quote=False)]
        pieces += [f'<a href="{escape(url)}">{escape(url, quote=False)}</a>']
        position = match.start() + len(url)
    return "".join([*pieces, escape(text[position:], quote=False)])


def _trim_url(url: str) -> str:
    """Remove the punctuation of the sentence from the end of a URL, such as a full stop or a closing parenthesis."""
    unmatched_parentheses = url.count(")") - url.count("(")
    end = len(url)
    while end and (
        url[end - 1] in _TRAILING_PUNCTUATION or (url[end - 1] == ")" and unmatched_parentheses > 0)
    ):
        end -= 1
        unmatched_parentheses -= url[end] == ")"
    return url[:end]
