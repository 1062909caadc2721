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

from ketapress.model.lazy_regex import pattern

_BLANK_LINES = pattern(r"\n[ \t\u3000]*(?:\n[ \t\u3000]*)*\n|\A[ \t]*\n")
_RULER = pattern(r"([-*_=])(?:[ ]?\1){2,}")
_ITEM = pattern(r"[ ]{0,3}(?:([-*+•])|(\d{1,4})[.)])[ \t]+(?=\S)")
_BOLD_LEAD = pattern(r"(__|\*\*)(?=\S)(?P<lead>.{2,80}?)(?<=\S)[.:：]?\1[.:：]?\s+(?=\S)")
_COLON_LEAD = pattern(r"(?P<lead>\S.{1,79}?)(?::\s+|：\s*)(?=\S)")
_SENTENCE_IN_LEAD = pattern(r"[.!?。！？]\s|[,;，；]$")
_URL = pattern(r"https?://[^\s<>\"“”]+", re.IGNORECASE)
_AFTER_URL = ".,;:!?'’*_。，；：！？）】》」』"
_LONGEST_VERSE = 55  # columns; text wrapped by machines is wider
_MOST_WORDS_IN_LEAD = 8
_FEWEST_LEADS = 2
_SHORTEST_WEIGHTY = 4  # letters; shorter words stay small in a title


def article_html(text: str) -> str:
    """The text as HTML; headings are `<h2>`."""
    blocks = _blocks(text)
    leads = has_leads(blocks)
    return "\n".join(_block_html(block, leads=leads) for block in blocks) + "\n" if blocks else ""


def first_lead(text: str) -> str:
    """The first run-in heading, as it stands in the text; empty where the article has fewer than two."""
    blocks = _blocks(text)
    return next((lead for lead, _ in map(_lead_and_rest, blocks) if lead), "") if has_leads(blocks) else ""


def has_leads(blocks: list[str]) -> bool:
    """Whether enough blocks open with a run-in heading for all of them to be headings."""
    found = 0
    for block in blocks:
        found += bool(_lead_and_rest(block)[0])
        if found == _FEWEST_LEADS:
            return True
    return False


def _blocks(text: str) -> list[str]:
    return [block.rstrip() for block in _BLANK_LINES.split(text) if block.strip()]


def _block_html(block: str, *, leads: bool) -> str:
    lines = block.split("\n")
    if _RULER.fullmatch(lines[-1].strip()) and len(lines) <= 2:  # noqa: PLR2004 - a line and its underline
        return "<hr>" if len(lines) == 1 else f"<h2>{_inline(lines[0].strip())}</h2>"
    if _ITEM.match(lines[0]) and all(_ITEM.match(line) or line[:1] in " \t" for line in lines):
        return _list_html(lines)
    if all(line.startswith(("    ", "\t")) for line in lines):
        return f"<pre><code>{escape(_dedented(lines), quote=False)}\n</code></pre>"
    lead, rest = _lead_and_rest(block) if leads else ("", block)
    heading = f"<h2>{_inline(lead)}</h2>\n" if lead else ""
    return f"{heading}<p>{_paragraph(rest)}</p>"


def _dedented(lines: list[str]) -> str:
    return "\n".join(line[1:] if line[:1] == "\t" else line[4:] for line in lines)


def _list_html(lines: list[str]) -> str:
    """A list, by the mark of its first item; an indented line belongs to the item before it."""
    first = _ITEM.match(lines[0])
    number = first[2] if first else None
    name, start = ("ol", f' start="{int(number)}"' if int(number) != 1 else "") if number else ("ul", "")
    items: list[list[str]] = []
    for line in lines:
        found = _ITEM.match(line)
        if found:
            items.append([])
        items[-1].append(line[found.end() if found else 0 :].strip())
    rows = "\n".join(f"<li>{_inline(_joined(item))}</li>" for item in items)
    return f"<{name}{start}>\n{rows}\n</{name}>"


def _lead_and_rest(block: str) -> tuple[str, str]:
    """The run-in heading that a block opens with, and the rest of it; the heading is empty where it has none."""
    bold = _BOLD_LEAD.match(block)
    if bold and "\n" not in bold["lead"]:
        return bold["lead"].strip(), block[bold.end() :]
    found = _COLON_LEAD.match(block.partition("\n")[0])
    if found and _is_heading(found["lead"]) and _opens_sentence(block[found.end() :]):
        return found["lead"], block[found.end() :]
    return "", block


def _is_heading(lead: str) -> bool:
    """Whether words before a colon read as a heading: not a sentence, and short or in title case."""
    if _ITEM.match(lead) or _SENTENCE_IN_LEAD.search(lead) or lead[:1].islower():
        return False
    words = lead.split()
    weighty = [word for word in words if len(word) >= _SHORTEST_WEIGHTY]
    return len(words) <= _MOST_WORDS_IN_LEAD or not any(word[0].islower() for word in weighty)


def _opens_sentence(rest: str) -> bool:
    """Whether the text after a colon begins like a sentence, in any script: with a letter that is not small."""
    first = rest.lstrip("\"'“„«‘‚¿¡(")[:1]
    return first.isalpha() and not first.islower()


def _paragraph(text: str) -> str:
    lines = [line.strip() for line in text.split("\n")]
    if len(lines) > 1 and all(_columns(line) <= _LONGEST_VERSE for line in lines):
        return "<br>\n".join(_inline(line) for line in lines)
    return _inline(_joined(lines))


def _columns(line: str) -> int:
    return (
        len(line)
        if line.isascii()
        else sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
    )


def _joined(lines: list[str]) -> str:
    """Lines of a paragraph as one: with a blank, except between two characters of scripts that write none."""
    text = lines[0]
    for line in lines[1:]:
        text += line if _ideographic(text[-1:]) and _ideographic(line[:1]) else " " + line
    return text


def _ideographic(character: str) -> bool:
    return "\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"


def _inline(text: str) -> str:
    """Text with its web addresses as links, everything escaped."""
    return "".join(_linked(text)) if "://" in text else escape(text, quote=False)


def _linked(text: str) -> Iterator[str]:
    position = 0
    for found in _URL.finditer(text):
        url = _without_trail(found[0])
        yield escape(text[position : found.start()], quote=False)
        yield f'<a href="{escape(url)}">{escape(url, quote=False)}</a>'
        position = found.start() + len(url)
    yield escape(text[position:], quote=False)


def _without_trail(url: str) -> str:
    """The address without what belongs to the sentence around it: its full stop, its closing bracket."""
    unopened = url.count(")") - url.count("(")
    end = len(url)
    while end and (url[end - 1] in _AFTER_URL or (url[end - 1] == ")" and unopened > 0)):
        end -= 1
        unopened -= url[end] == ")"
    return url[:end]
