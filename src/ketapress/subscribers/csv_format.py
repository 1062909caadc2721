"""Parse CSV files of other systems into import rows, and format subscribers as CSV.

A file may have a header or not, and any usual separator. Each line that is not blank becomes an `ImportRow`, or a
`RejectedRow` with its line. A broken line never affects other lines.

Cells that a spreadsheet would run as a formula are written with a leading apostrophe, and read without it (OWASP, CSV
Injection).
"""

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import NamedTuple

from ketapress.model import illegal_characters
from ketapress.model.address import parse_address
from ketapress.model.subscriber import ImportRow, RejectedRow, Subscriber

HEADER = ("address", "name", "lang", "newsletter", "state", "since")

# The names of these columns in mail tools, in lower case and without anything but letters.
_COLUMN_NAMES = {
    "address": {"address", "email", "emailaddress", "mail", "mailaddress", "subscriber", "subscriberemail"},
    "name": {"name", "fullname", "displayname", "subscribername"},
    "first": {"first", "firstname", "givenname", "fname"},
    "last": {"last", "lastname", "familyname", "surname", "lname"},
    "lang": {"lang", "language", "locale"},
    "state": {"state", "status"},
    "newsletter": {"newsletter"},
}
_ACTIVE_STATES = {"", "active", "subscribed", "confirmed"}
_SEPARATORS = (",", ";", "\t")
_MAX_RECORD_LINES = 50  # a column that is not read may contain a note with line breaks
_PROBE_BYTES = 64  # enough to detect the encoding
_MAX_VALUE_LENGTH = 60  # characters of a refused value
_FORMULA = re.compile(r"'*[=+\-@\t\r\0]")
_LINE_END = re.compile(r"\r\n|\n|\r")
_NOT_A_LETTER = re.compile(r"[^a-z]")
_CONTROL = re.compile(f"[{illegal_characters.LINE}{illegal_characters.DIRECTION}]")
_LANG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")  # the syntax of BCP 47 tags


class _Record(NamedTuple):
    """One record: its first line, its number of lines, its cells; `error` where the cells cannot be read."""

    line: int
    line_count: int
    cells: Sequence[str]
    error: str = ""


class _Columns(NamedTuple):
    """The index of each column; -1 where there is none."""

    address: int
    name: int = -1
    first: int = -1
    last: int = -1
    lang: int = -1
    state: int = -1
    newsletter: int = -1


def parse_import_rows(data: str | bytes) -> Iterator[ImportRow | RejectedRow]:
    """Yield the rows of a CSV file in order; lines count from 1, with the header as one of them.

    The file is UTF-8, with or without a byte order mark. Without a header, the address is the first column with an @ in
    the first line, and the name is the first of the others. Where there is a column for the state, only active
    subscribers are accepted.
    """
    if isinstance(data, bytes) and _is_utf_16(data):
        yield RejectedRow(1, "", "the file is UTF-16, not UTF-8; save it as `CSV UTF-8`")
        return
    lines = _LINE_END.split(_decode(data))
    separator = _detect_separator(lines)
    columns: _Columns | None = None
    for record in _iterate_records(lines, separator):
        if record.error:
            yield RejectedRow(record.line, _printable(record.cells[0]), record.error)
            continue
        if columns is None:
            columns = _columns_from_header(record.cells)
            if columns:
                continue
            columns = _guess_columns(record.cells)
        yield _parse_row(record, columns)


def subscriber_csv_lines(subscribers: Iterable[Subscriber]) -> Iterator[str]:
    """Yield the lines of a complete list: each subscriber once per subscription, including those who left."""
    yield format_csv_line(HEADER)
    for subscriber in subscribers:
        identity_cells = (subscriber.address, subscriber.name, subscriber.lang or "")
        for subscription in subscriber.subscriptions:
            yield format_csv_line(
                (
                    *identity_cells,
                    subscription.newsletter,
                    subscription.state.value,
                    subscription.since.isoformat(),
                )
            )
        if not subscriber.subscriptions:
            yield format_csv_line((*identity_cells, "", "", ""))


def _is_utf_16(data: bytes) -> bool:
    """Return whether the data has the byte order mark of UTF-16, or a NUL in every other byte of its start."""
    head = data[:_PROBE_BYTES]
    return data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or (
        len(head) > 1 and (not any(head[::2]) or not any(head[1::2]))
    )


def _decode(data: str | bytes) -> str:
    """Decode UTF-8. Invalid bytes become lone surrogates, so that only their own line is refused."""
    text = data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else data
    return text.removeprefix("\ufeff")


def _detect_separator(lines: Sequence[str]) -> str:
    """Return the separator that splits the first line into most cells; a comma where none does."""
    first_line = next((line for line in lines if line.strip()), "")
    return max(_SEPARATORS, key=lambda separator: len(_parse_cells([first_line], separator) or ()))


def _iterate_records(lines: Sequence[str], separator: str) -> Iterator[_Record]:
    """Yield the records that are not blank. An unclosed quotation mark affects only its own line."""
    index, cell_count = 0, 0
    while index < len(lines):
        record = _parse_record(lines, index, separator, cell_count)
        if any(cell.strip() for cell in record.cells) or record.error:
            cell_count = cell_count or (0 if record.error else len(record.cells))
            yield record
        index += record.line_count


def _parse_record(lines: Sequence[str], start: int, separator: str, cell_count: int) -> _Record:
    """Return the record that starts at this line. It has several lines only if it has as many cells as the first record."""
    for line_count in range(1, min(_MAX_RECORD_LINES, len(lines) - start) + 1):
        cells = _parse_cells(lines[start : start + line_count], separator)
        if cells is not None and (line_count == 1 or len(cells) == cell_count):
            return _Record(start + 1, line_count, cells)
    error = "it has a misplaced quotation mark"
    if len(lines[start]) > csv.field_size_limit():
        error = f"it has a cell longer than {csv.field_size_limit():,} characters"
    return _Record(start + 1, 1, [lines[start]], error)


def _parse_cells(lines: Sequence[str], separator: str) -> list[str] | None:
    """Return the cells of one record; None where its quotation marks are not balanced."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=separator, strict=True)
    try:
        records = list(islice(reader, 2))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None


def _columns_from_header(cells: Sequence[str]) -> _Columns | None:
    """Return the columns if this is a header: it names an address column, and contains no address."""
    titles = [_NOT_A_LETTER.sub("", cell.lower()) for cell in cells]
    positions = {
        column: next((index for index, word in enumerate(titles) if word in names), -1)
        for column, names in _COLUMN_NAMES.items()
    }
    if positions["address"] < 0 or any("@" in cell for cell in cells):
        return None
    return _Columns(**positions)


def _guess_columns(cells: Sequence[str]) -> _Columns:
    address = next((index for index, cell in enumerate(cells) if "@" in cell), 0)
    name = next((index for index in range(len(cells)) if index != address), -1)
    return _Columns(address=address, name=name)


def _parse_row(record: _Record, columns: _Columns) -> ImportRow | RejectedRow:
    cells = [_unescape_cell(cell) for cell in record.cells]

    def cell(column: int) -> str:
        return cells[column] if 0 <= column < len(cells) else ""

    name = cell(columns.name) or f"{cell(columns.first)} {cell(columns.last)}".strip()
    lang, state = cell(columns.lang), cell(columns.state)
    try:
        _check_row(cells, name, lang, state)
        return ImportRow(
            address=parse_address(cell(columns.address)),
            name=name,
            lang=lang or None,
            line=record.line,
            newsletter=cell(columns.newsletter),
        )
    except ValueError as error:
        return RejectedRow(record.line, _printable(cell(columns.address) or " ".join(cells)), str(error))


def _check_row(cells: Sequence[str], name: str, lang: str, state: str) -> None:
    """Check a record except for its address. Raises ValueError with a sentence."""
    if any("\ud800" <= character <= "\udfff" for cell in cells for character in cell):
        raise ValueError("it is not UTF-8; save the file as UTF-8, or as `CSV UTF-8`")
    if any("\0" in cell for cell in cells):
        raise ValueError("it contains a NUL character")
    if _CONTROL.search(name):
        raise ValueError("the name contains a control character or a line break")
    if lang and not _LANG.match(lang):
        raise ValueError(f"`{_printable(lang)}` is not a language tag such as `en` or `de-CH`")
    if state.lower() not in _ACTIVE_STATES:
        raise ValueError(
            f"its state in this list is `{_printable(state)}`; only active subscribers are imported"
        )


def _unescape_cell(cell: str) -> str:
    """Return a cell without surrounding spaces, and without an apostrophe that keeps a formula from running."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def format_csv_line(cells: Sequence[str]) -> str:
    """Format one line with its line end; no cell of it runs as a formula."""
    buffer = StringIO()
    safe_cells = [f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells]
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow(safe_cells)
    return buffer.getvalue()


def _printable(value: str) -> str:
    """Return a value that is safe to show on a terminal: one line, short, without control characters."""
    text = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in value
    )
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[: _MAX_VALUE_LENGTH - 1]}…"
