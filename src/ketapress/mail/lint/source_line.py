"""Where in a post's file something stands that came out in a letter.

In: the text of the file, an element of the letter. Out: a line, found by what authors write as it is: an address, the end
of one, a few words. Markdown and HTML are searched alike; nothing is parsed again.
"""

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

from lxml.html import HtmlElement

_ADDRESSES = ("src", "href")
_FEW = 3  # words: a paragraph may be wrapped behind them
_LEAST = 3  # characters that tell a place from another
_NEAR = 6  # elements before and around that are asked when an element says nothing that is in the file


def line_of(source: str, element: HtmlElement) -> int | None:
    """The line, from 1, on which an element or else what is next to it was written; None where nothing is found."""
    lines = [html.unescape(line) for line in source.splitlines()]
    clues = (clue for near in _neighbours(element) for clue in _clues(near))
    found = (number for clue in clues for number, line in enumerate(lines, start=1) if clue in line)
    return next(found, None)


def _neighbours(element: HtmlElement) -> Iterator[HtmlElement]:
    """The element, what is in it, and a few that stand before and around it."""
    yield element
    yield from element.iterdescendants()
    place: HtmlElement | None = element
    for _ in range(_NEAR):
        before = place.getprevious() if place is not None else None
        place = before if before is not None else place.getparent() if place is not None else None
        if place is not None:
            yield place


def _clues(element: HtmlElement) -> Iterator[str]:
    """What may stand in the file as it is, the surest first."""
    for name in _ADDRESSES:
        address = element.get(name) or ""
        last = address.rstrip("/").rpartition("/")[2]
        yield from filter(None, (address, unquote(address), last, unquote(last)))
    for text in (element.get("alt"), element.text, *(child.tail for child in element)):
        words = re.findall(r"\S+", text or "")
        if len("".join(words)) >= _LEAST:
            yield " ".join(words[:_FEW])
