"""Find the line of a post's file that an element of the message comes from.

It searches for what Markdown and HTML keep as written: a URL, the end of one, a few words. Nothing is parsed again.
"""

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

from lxml.html import HtmlElement

_URL_ATTRIBUTES = ("src", "href")
_CLUE_WORDS = 3  # few, because the author may wrap the line after them
_MIN_CLUE_LENGTH = 3  # characters
_MAX_NEIGHBORS = 6  # preceding and enclosing elements to try when the element itself has no clue


def find_source_line(source: str, element: HtmlElement) -> int | None:
    """Return the line, from 1, of an element or of its nearest neighbor; None where no clue is in the file."""
    lines = [html.unescape(line) for line in source.splitlines()]
    clues = (clue for neighbor in _neighbors(element) for clue in _clues(neighbor))
    line_numbers = (number for clue in clues for number, line in enumerate(lines, start=1) if clue in line)
    return next(line_numbers, None)


def _neighbors(element: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the element, its descendants, and a few elements before and around it."""
    yield element
    yield from element.iterdescendants()
    node: HtmlElement | None = element
    for _ in range(_MAX_NEIGHBORS):
        previous = node.getprevious() if node is not None else None
        node = previous if previous is not None else node.getparent() if node is not None else None
        if node is not None:
            yield node


def _clues(element: HtmlElement) -> Iterator[str]:
    """Yield texts that the file may contain as they are, the most specific first."""
    for name in _URL_ATTRIBUTES:
        url = element.get(name) or ""
        last_segment = url.rstrip("/").rpartition("/")[2]
        yield from filter(None, (url, unquote(url), last_segment, unquote(last_segment)))
    for text in (element.get("alt"), element.text, *(child.tail for child in element)):
        words = re.findall(r"\S+", text or "")
        if len("".join(words)) >= _MIN_CLUE_LENGTH:
            yield " ".join(words[:_CLUE_WORDS])
