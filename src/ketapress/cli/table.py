"""Tables of text for people, and their plain form for pipes; `terminal_table` renders them on terminals.

Cells may hold text from strangers, such as titles, addresses, and replies of relays, so control characters are removed.
"""

from collections.abc import Iterable
from typing import NamedTuple

GAP = 2  # spaces between two cells


class Table(NamedTuple):
    """Rows with the same number of cells, any of which may be empty. `indent` is for a table below a line of text."""

    rows: tuple[tuple[str, ...], ...]
    indent: int = 0


def make_table(rows: Iterable[Iterable[str]], *, indent: int = 0) -> Table:
    """Make a table for a `CommandResult`; each cell becomes one line without control characters."""
    return Table(tuple(tuple(map(_clean_cell, row)) for row in rows), indent)


def format_plain(table: Table) -> list[str]:
    """Return one line per row, for pipes into `grep` or `cut`."""
    return [" " * table.indent + (" " * GAP).join(filter(None, row)) for row in table.rows]


def _clean_cell(cell: str) -> str:
    text = " ".join(cell.split())
    return "".join(character if character.isprintable() else " " for character in text)
