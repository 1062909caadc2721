"""Tables on a terminal: columns if it is wide enough, otherwise one block of lines per row."""

from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from ketapress.cli.table import GAP, Table

_BLOCK_INDENT = 4
_MIN_WIDTH = 28  # of the last column, in terminal cells: narrower text is too hard to read
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
    "skipped": "blue",
    "!": "bold red",
}
"""The style of a cell that holds only this word."""


def render_table(table: Table, width: int, *, has_colors: bool) -> list[str]:
    """Render a table as lines for a terminal of that width."""
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=has_colors,
        color_system="standard" if has_colors else None,
    )
    with console.capture() as capture:
        for block in [_columns(table)] if _min_width(table) <= width else _blocks(table):
            console.print(Padding(block, (0, 0, 0, table.indent), expand=False), soft_wrap=False)
    return [line.rstrip() for line in capture.get().splitlines()]


def _min_width(table: Table) -> int:
    """Return the width that columns need: only the last of them may wrap."""
    *widths, last_width = [max(map(cell_len, column)) for column in zip(*table.rows, strict=True)] or [0]
    return table.indent + sum(width + GAP for width in widths) + min(last_width, _MIN_WIDTH)


def _columns(table: Table) -> RichTable:
    grid = RichTable.grid(padding=(0, GAP, 0, 0))
    column_count = len(table.rows[0]) if table.rows else 0
    for number in range(1, column_count + 1):
        grid.add_column(no_wrap=number < column_count)
    for row in table.rows:
        grid.add_row(*map(_styled_text, row))
    return grid


def _blocks(table: Table) -> list[Padding | Text]:
    """Return two blocks per row: its first cells on one line, and below them its last cell, indented."""
    blocks: list[Padding | Text] = []
    for *first_cells, last_cell in table.rows:
        head = Text(" " * GAP).join(_styled_text(cell) for cell in first_cells if cell)
        last = _styled_text(last_cell)
        blocks += [head, Padding(last, (0, 0, 0, _BLOCK_INDENT))] if head and last else [head or last]
    return blocks


def _styled_text(cell: str) -> Text:
    return Text(cell, style=_STYLES.get(cell, ""), overflow="fold")
