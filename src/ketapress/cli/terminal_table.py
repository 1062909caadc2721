"""Rows on a terminal: columns where it is wide enough, one block a row where it is not.

In: rows, and the terminal's width. Out: lines, coloured where asked for. It is loaded when there is a terminal.
"""

from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ketapress.cli.table import GAP, Rows

_INDENT = 4
_NARROWEST = 28  # cells: what is narrower is a ladder of words and no column
_STYLES = {
    "in": "green",
    "out": "dim",
    "ready": "green",
    "sending": "cyan",
    "held": "yellow",
    "awaiting approval": "yellow",
    "cancelled": "dim",
    "edition": "cyan",
    "full": "green",
    "excerpt": "yellow",
    "headline": "yellow",
    "sent": "green",
    "deferred": "yellow",
    "in doubt": "red",
    "failed": "red",
    "expired": "red",
    "ok": "green",
    "warning": "yellow",
    "error": "red",
    "unseen": "blue",
    "!": "bold red",
}
"""The colour of a cell that says nothing else."""


def drawn(found: Rows, width: int, *, colours: bool) -> list[str]:
    """For a terminal of that width."""
    canvas = Console(
        file=StringIO(), width=width, force_terminal=colours, color_system="standard" if colours else None
    )
    with canvas.capture() as captured:
        for each in [_table(found)] if _least_width(found) <= width else _blocks(found):
            canvas.print(Padding(each, (0, 0, 0, found.indent), expand=False), soft_wrap=False)
    return [line.rstrip() for line in captured.get().splitlines()]


def _least_width(found: Rows) -> int:
    """What columns take at least: all but the last stand as they are, the last may be wrapped."""
    *widths, last = [max(map(cell_len, column)) for column in zip(*found.cells, strict=True)] or [0]
    return found.indent + sum(width + GAP for width in widths) + min(last, _NARROWEST)


def _table(found: Rows) -> Table:
    table = Table.grid(padding=(0, GAP, 0, 0))
    for place, _ in enumerate(found.cells[0] if found.cells else (), start=1):
        table.add_column(no_wrap=place < len(found.cells[0]))
    for each in found.cells:
        table.add_row(*map(_styled, each))
    return table


def _blocks(found: Rows) -> list[Padding | Text]:
    """A row's first cells on one line as far as they are short, the last below it, a little to the right."""
    blocks: list[Padding | Text] = []
    for *first, last in found.cells:
        head = Text(" " * GAP).join(_styled(each) for each in first if each)
        blocks += (
            [head, Padding(_styled(last), (0, 0, 0, _INDENT))] if head and last else [head or _styled(last)]
        )
    return blocks


def _styled(cell: str) -> Text:
    return Text(cell, style=_STYLES.get(cell, ""), overflow="fold")
