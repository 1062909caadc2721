"""Rows of words for people, and how a pipe gets them.

In: cells of text, whatever anybody wrote into them. Out: lines. Control characters are not passed on: titles, replies of
relays and addresses come from anybody. A terminal gets the same rows by `screen`.
"""

from collections.abc import Iterable
from typing import NamedTuple

GAP = 2  # blanks between two cells


class Rows(NamedTuple):
    """Rows of the same number of cells, any of which may be empty. `indent` is for rows below a line of text."""

    cells: tuple[tuple[str, ...], ...]
    indent: int = 0


def rows(cells: Iterable[Iterable[str]], *, indent: int = 0) -> Rows:
    """Rows for an `Answer`."""
    return Rows(tuple(tuple(map(_harmless, each)) for each in cells), indent)


def piped(found: Rows) -> list[str]:
    """One line a row, for a reader who searches and cuts lines."""
    margin, gap = " " * found.indent, " " * GAP
    return [margin + gap.join(filter(None, each)) for each in found.cells]


def _harmless(cell: str) -> str:
    """One line that moves no cursor."""
    return "".join(each if each.isprintable() else " " for each in " ".join(cell.split()))
