"""Plain text becomes HTML as a careful typist meant it; the seed article is the model.

In comes text without its date line, out goes HTML with everything escaped. The rules, in this order, for each block
between blank lines:

- A line of three or more `-`, `*`, `_` or `=` alone is a rule; under a single line it makes that line a heading.
- Lines that begin with `-`, `*`, `+`, `•` or `1.` are a list; indented lines carry their item on.
- Lines that are all indented by four blanks or a tab are kept as they stand.
- A paragraph that opens with a run-in heading (`Topic: Text`, `__Topic.__ text`) gets it as a heading of its own, if
  the article has two or more of them; otherwise it is prose with a colon.
- Several lines of at most 55 columns are verse and keep their breaks; other lines are joined, without a blank
  between two ideographs.

Web addresses become links. Nothing else is markup.
"""

import re
import unicodedata
from collections.abc import Iterator
from html import escape

_BLANK_LINES = re.compile(r"\n[ \t\u3000]*(?:\n[ \t\u3000]*)*\n|\A[ \t]*\n")
_RULE = re.compile(r"([-*_=])(?:[ ]?\1){2,}")
_LIST_ITEM = re.compile(r"[ ]{0,3}(?:([-*+•])|(\d{1,4})[.)])[ \t]+(?=\S)")
_BOLD_HEADING = re.compile(r"(__|\*\*)(?=\S)(?P<lead>.{2,80}?)(?<=\S)[.:：]?\1[.:：]?\s+(?=\S)")
_COLON_HEADING = re.compile(r"(?P<lead>\S.{1,79}?)(?::\s+|：\s*)(?=\S)")
_SENTENCE_IN_HEADING = re.compile(r"[.!?。！？]\s|[,;，；]$")
_URL = re.compile(r"https?://[^\s<>\"“”]+", re.IGNORECASE)
_TRAILING_PUNCTUATION = ".,;:!?'’*_。，；：！？）】》」』"
_MAX_VERSE_COLUMNS = 55  # columns; text wrapped by machines is wider
_MAX_HEADING_WORDS = 8
_MIN_HEADINGS = 2
_MIN_MAJOR_WORD_LENGTH = 4  # letters; shorter words stay small in a title


def render_plaintext(text: str) -> str:
    """The text as HTML; headings are `<h2>`."""
    blocks = _split_blocks(text)
    has_headings = has_run_in_headings(blocks)
    return (
        "\n".join(_render_block(block, has_headings=has_headings) for block in blocks) + "\n"
        if blocks
        else ""
    )


def find_run_in_heading(text: str) -> str:
    """The first run-in heading, as it stands in the text; empty where the article has fewer than two."""
    blocks = _split_blocks(text)
    return (
        next((heading for heading, _ in map(_split_run_in_heading, blocks) if heading), "")
        if has_run_in_headings(blocks)
        else ""
    )


def has_run_in_headings(blocks: list[str]) -> bool:
    """Whether enough blocks open with a run-in heading for all of them to be headings."""
    count = 0
    for block in blocks:
        count += bool(_split_run_in_heading(block)[0])
        if count == _MIN_HEADINGS:
            return True
    return False


def _split_blocks(text: str) -> list[str]:
    return [block.rstrip() for block in _BLANK_LINES.split(text) if block.strip()]


def _render_block(block: str, *, has_headings: bool) -> str:
    lines = block.split("\n")
    if _RULE.fullmatch(lines[-1].strip()) and len(lines) <= 2:  # noqa: PLR2004 - a line and its underline
        return "<hr>" if len(lines) == 1 else f"<h2>{_render_inline(lines[0].strip())}</h2>"
    if _LIST_ITEM.match(lines[0]) and all(_LIST_ITEM.match(line) or line[:1] in " \t" for line in lines):
        return _render_list(lines)
    if all(line.startswith(("    ", "\t")) for line in lines):
        return f"<pre><code>{escape(_dedent(lines), quote=False)}\n</code></pre>"
    heading_text, rest = _split_run_in_heading(block) if has_headings else ("", block)
    heading_html = f"<h2>{_render_inline(heading_text)}</h2>\n" if heading_text else ""
    return f"{heading_html}<p>{_render_paragraph(rest)}</p>"


def _dedent(lines: list[str]) -> str:
    return "\n".join(line[1:] if line[:1] == "\t" else line[4:] for line in lines)


def _render_list(lines: list[str]) -> str:
    """A list, by the mark of its first item; an indented line belongs to the item before it."""
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
    """The run-in heading that a block opens with, and the rest of it; the heading is empty where it has none."""
    bold = _BOLD_HEADING.match(block)
    if bold and "\n" not in bold["lead"]:
        return bold["lead"].strip(), block[bold.end() :]
    match = _COLON_HEADING.match(block.partition("\n")[0])
    if match and _is_heading(match["lead"]) and _is_sentence_start(block[match.end() :]):
        return match["lead"], block[match.end() :]
    return "", block


def _is_heading(text: str) -> bool:
    """Whether words before a colon read as a heading: not a sentence, and short or in title case."""
    if _LIST_ITEM.match(text) or _SENTENCE_IN_HEADING.search(text) or text[:1].islower():
        return False
    words = text.split()
    major_words = [word for word in words if len(word) >= _MIN_MAJOR_WORD_LENGTH]
    return len(words) <= _MAX_HEADING_WORDS or not any(word[0].islower() for word in major_words)


def _is_sentence_start(text: str) -> bool:
    """Whether the text after a colon begins like a sentence, in any script: with a letter that is not small."""
    first_character = text.lstrip("\"'“„«‘‚¿¡(")[:1]
    return first_character.isalpha() and not first_character.islower()


def _render_paragraph(text: str) -> str:
    lines = [line.strip() for line in text.split("\n")]
    if len(lines) > 1 and all(_count_columns(line) <= _MAX_VERSE_COLUMNS for line in lines):
        return "<br>\n".join(_render_inline(line) for line in lines)
    return _render_inline(_join_lines(lines))


def _count_columns(line: str) -> int:
    return (
        len(line)
        if line.isascii()
        else sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)
    )


def _join_lines(lines: list[str]) -> str:
    """Lines of a paragraph as one: with a blank, except between two characters of scripts that write none."""
    text = lines[0]
    for line in lines[1:]:
        text += line if _is_ideographic(text[-1:]) and _is_ideographic(line[:1]) else " " + line
    return text


def _is_ideographic(character: str) -> bool:
    return "\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"


def _render_inline(text: str) -> str:
    """Text with its web addresses as links, everything escaped."""
    return "".join(_render_links(text)) if "://" in text else escape(text, quote=False)


def _render_links(text: str) -> Iterator[str]:
    position = 0
    for match in _URL.finditer(text):
        url = _trim_url(match[0])
        yield escape(text[position : match.start()], quote=False)
        yield f'<a href="{escape(url)}">{escape(url, quote=False)}</a>'
        position = match.start() + len(url)
    yield escape(text[position:], quote=False)


def _trim_url(url: str) -> str:
    """The address without what belongs to the sentence around it: its full stop, its closing bracket."""
    unmatched_parentheses = url.count(")") - url.count("(")
    end = len(url)
    while end and (
        url[end - 1] in _TRAILING_PUNCTUATION or (url[end - 1] == ")" and unmatched_parentheses > 0)
    ):
        end -= 1
        unmatched_parentheses -= url[end] == ")"
    return url[:end]
