"""CSV of other systems into applicants, and our subscribers into CSV.

In: the bytes of a file, with or without a header, however its cells are separated. Out: for every line that is not
blank an `Applicant`, or a `Refusal` that names the line. Pure. A line that is broken never takes others with it.

Cells that a spreadsheet would run as a formula are written with an apostrophe before them, and read without it
(OWASP, CSV Injection).
"""

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import NamedTuple

from ketapress.model.address import parsed_address
from ketapress.model.subscriber import Applicant, Refusal, Subscriber

HEADER = ("address", "name", "lang", "newsletter", "state", "since")

# What mail tools call these columns, in lower case and without what is not a letter.
_NAMES = {
    "address": {"address", "email", "emailaddress", "mail", "mailaddress", "subscriber", "subscriberemail"},
    "name": {"name", "fullname", "displayname", "subscribername"},
    "first": {"first", "firstname", "givenname", "fname"},
    "last": {"last", "lastname", "familyname", "surname", "lname"},
    "lang": {"lang", "language", "locale"},
    "state": {"state", "status"},
    "newsletter": {"newsletter"},
}
_WANTED = {"", "active", "subscribed", "confirmed"}
_SEPARATORS = (",", ";", "\t")
_TALLEST = 50  # lines of one record: a note with line breaks in a column that we do not read
_PROBE = 64  # bytes that show what a file is
_SHOWN = 60  # characters of a refused value
_FORMULA = re.compile(r"'*[=+\-@\t\r\0]")
_LINE_END = re.compile(r"\r\n|\n|\r")
_NOT_A_LETTER = re.compile(r"[^a-z]")
# Control characters, line and paragraph separators, and what turns the direction of text around (Unicode TR 36).
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LANG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")  # the shape of BCP 47 tags


class _Record(NamedTuple):
    """One record: where it begins, how many lines it takes, its cells; `fault` says why there are none."""

    line: int
    height: int
    cells: Sequence[str]
    fault: str = ""


class _Layout(NamedTuple):
    """Which column holds what; -1 for none."""

    address: int
    name: int = -1
    first: int = -1
    last: int = -1
    lang: int = -1
    state: int = -1
    newsletter: int = -1


def applicants(data: str | bytes) -> Iterator[Applicant | Refusal]:
    """Everybody in a CSV, in the order of its lines; lines count from 1, and a header is one of them.

    UTF-8, with or without a byte order mark. Without a header the address is the first column that has an @ in the
    first line, and the name is the first of the others. Where a column says somebody's state, only active ones pass.
    """
    if isinstance(data, bytes) and _is_utf_16(data):
        yield Refusal(1, "", "the whole file is UTF-16, not UTF-8; save it as `CSV UTF-8`")
        return
    lines = _LINE_END.split(_text(data))
    separator = _separator(lines)
    layout: _Layout | None = None
    for record in _records(lines, separator):
        if record.fault:
            yield Refusal(record.line, _shown(record.cells[0]), record.fault)
            continue
        if layout is None:
            layout = _headed(record.cells)
            if layout:
                continue
            layout = _headless(record.cells)
        yield _applicant(record, layout)


def subscribers_csv(subscribers: Iterable[Subscriber]) -> Iterator[str]:
    """A complete list, line by line: each person once for each subscription, also those who left."""
    yield csv_line(HEADER)
    for person in subscribers:
        who = (person.address, person.name, person.lang or "")
        for each in person.subscriptions:
            yield csv_line((*who, each.newsletter, each.state.value, each.since.isoformat()))
        if not person.subscriptions:
            yield csv_line((*who, "", "", ""))


def _is_utf_16(data: bytes) -> bool:
    """By its byte order mark, or because every other byte of the first line is NUL."""
    first = data[:_PROBE]
    return data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or (
        len(first) > 1 and (not any(first[::2]) or not any(first[1::2]))
    )


def _text(data: str | bytes) -> str:
    """Bytes that are no UTF-8 become lone surrogates, so that only their own line is refused."""
    text = data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else data
    return text.removeprefix("\ufeff")


def _separator(lines: Sequence[str]) -> str:
    """The one that cuts the first line into most cells; a comma where none does."""
    first = next((line for line in lines if line.strip()), "")
    return max(_SEPARATORS, key=lambda separator: len(_cells([first], separator) or ()))


def _records(lines: Sequence[str], separator: str) -> Iterator[_Record]:
    """The records that are not blank. A quote that is opened and not closed costs its own line only."""
    at, width = 0, 0
    while at < len(lines):
        record = _record(lines, at, separator, width)
        if any(cell.strip() for cell in record.cells) or record.fault:
            width = width or (0 if record.fault else len(record.cells))
            yield record
        at += record.height


def _record(lines: Sequence[str], at: int, separator: str, width: int) -> _Record:
    """The record that begins at this line. Over several lines only if it is as wide as the first record was."""
    for height in range(1, min(_TALLEST, len(lines) - at) + 1):
        cells = _cells(lines[at : at + height], separator)
        if cells is not None and (height == 1 or len(cells) == width):
            return _Record(at + 1, height, cells)
    fault = "a quotation mark is opened or closed in the wrong place"
    if len(lines[at]) > csv.field_size_limit():
        fault = f"a cell of it is longer than {csv.field_size_limit():,} characters"
    return _Record(at + 1, 1, [lines[at]], fault)


def _cells(lines: Sequence[str], separator: str) -> list[str] | None:
    """The cells of one record; None where its quotation marks do not come out even."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=separator, strict=True)
    try:
        found = list(islice(reader, 2))
    except csv.Error:
        return None
    return found[0] if len(found) == 1 else None


def _headed(cells: Sequence[str]) -> _Layout | None:
    """Where the columns are, if this is a header: it names an address column, and holds no address."""
    plain = [_NOT_A_LETTER.sub("", cell.lower()) for cell in cells]
    places = {
        column: next((index for index, word in enumerate(plain) if word in names), -1)
        for column, names in _NAMES.items()
    }
    if places["address"] < 0 or any("@" in cell for cell in cells):
        return None
    return _Layout(**places)


def _headless(cells: Sequence[str]) -> _Layout:
    address = next((index for index, cell in enumerate(cells) if "@" in cell), 0)
    name = next((index for index in range(len(cells)) if index != address), -1)
    return _Layout(address=address, name=name)


def _applicant(record: _Record, layout: _Layout) -> Applicant | Refusal:
    cells = [_plain(cell) for cell in record.cells]

    def cell(column: int) -> str:
        return cells[column] if 0 <= column < len(cells) else ""

    name = cell(layout.name) or f"{cell(layout.first)} {cell(layout.last)}".strip()
    lang, state = cell(layout.lang), cell(layout.state)
    try:
        _check(cells, name, lang, state)
        return Applicant(
            address=parsed_address(cell(layout.address)),
            name=name,
            lang=lang or None,
            line=record.line,
            newsletter=cell(layout.newsletter),
        )
    except ValueError as fault:
        return Refusal(record.line, _shown(cell(layout.address) or " ".join(cells)), str(fault))


def _check(cells: Sequence[str], name: str, lang: str, state: str) -> None:
    """What may be wrong with a record besides its address. Raises ValueError with a sentence."""
    if any("\ud800" <= letter <= "\udfff" for cell in cells for letter in cell):
        raise ValueError("it is not UTF-8; save the file as UTF-8, or as `CSV UTF-8`")
    if any("\0" in cell for cell in cells):
        raise ValueError("it contains a NUL character")
    if _CONTROL.search(name):
        raise ValueError("the name contains a control character or a line break")
    if lang and not _LANG.match(lang):
        raise ValueError(f"`{_shown(lang)}` is no language tag such as `en` or `de-CH`")
    if state.lower() not in _WANTED:
        raise ValueError(f"its state in this list is `{_shown(state)}`; only active ones are imported")


def _plain(cell: str) -> str:
    """A cell as it was meant: without blanks around it, and without the apostrophe that kept a formula from running."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def csv_line(cells: Sequence[str]) -> str:
    """One line of a list of ours, with its end; no cell of it runs as a formula."""
    buffer = StringIO()
    guarded = [f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells]
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow(guarded)
    return buffer.getvalue()


def _shown(value: str) -> str:
    """A value as a person can read it on a terminal: in one line, short, nothing that steers anything."""
    clean = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value)
    return clean if len(clean) <= _SHOWN else f"{clean[: _SHOWN - 1]}…"
