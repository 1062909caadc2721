"""Where in a post's file something stands that came out in a letter.

In: the text of the file, an element of the letter. Out: a line, found by what authors write as it is: an address, the end
of one, a few words. Markdown and HTML are searched alike; nothing is parsed again.
"""

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

from lxml.html import HtmlElement

_URL_ATTRIBUTES = ("src", "href")
_CLUE_WORDS = 3  # words: a paragraph may be wrapped behind them
_MIN_CLUE_LENGTH = 3  # characters that tell a place from another
_MAX_NEIGHBORS = (
    6  # elements before and around that are asked when an element says nothing that is in the file
)


def find_source_line(source: str, element: HtmlElement) -> int | None:
    """The line, from 1, on which an element or else what is next to it was written; None where nothing is found."""
    lines = [html.unescape(line) for line in source.splitlines()]
    clues = (clue for neighbor in _neighbors(element) for clue in _clues(neighbor))
    line_numbers = (number for clue in clues for number, line in enumerate(lines, start=1) if clue in line)
    return next(line_numbers, None)


def _neighbors(element: HtmlElement) -> Iterator[HtmlElement]:
    """The element, what is in it, and a few that stand before and around it."""
    yield element
    yield from element.iterdescendants()
    node: HtmlElement | None = element
    for _ in range(_MAX_NEIGHBORS):
        previous = node.getprevious() if node is not None else None
        node = previous if previous is not None else node.getparent() if node is not None else None
        if node is not None:
            yield node


def _clues(element: HtmlElement) -> Iterator[str]:
    """What may stand in the file as it is, the surest first."""
    for name in _URL_ATTRIBUTES:
        url = element.get(name) or ""
        last_segment = url.rstrip("/").rpartition("/")[2]
        yield from filter(None, (url, unquote(url), last_segment, unquote(last_segment)))
    for text in (element.get("alt"), element.text, *(child.tail for child in element)):
        words = re.findall(r"\S+", text or "")
        if len("".join(words)) >= _MIN_CLUE_LENGTH:
            yield " ".join(words[:_CLUE_WORDS])
