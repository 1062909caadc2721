"""The plain text of a post, for readers who want no HTML, and for filters that compare both parts.

In: a fragment of HTML. Out: lines for a fixed width: headings underlined, lists and quotations indented, tables in
columns, code as it is, links numbered with their addresses listed below. Text keeps its logical order, whatever its
direction. Only the post's own content is written: nothing of the letter's layout leaks into it.
"""

import re
from collections.abc import Callable, Sequence
from itertools import zip_longest

from lxml.html import HtmlElement

from ketapress.mail.body.dom import BLOCKS, parsed_fragment
from ketapress.mail.body.tables import table_rows
from ketapress.mail.body.wrap import WIDTH, columns, underlined, wrapped

_NARROWEST = 24
_BREAK = "\u2028"  # what a <br> is until the lines are made: a line end of the source is only a blank
_LABELLED = re.compile(r"(?:https?://|mailto:|tel:)?(.*?)/?", re.IGNORECASE)


def fragment_text(source: str, *, links: str, width: int = WIDTH) -> str:
    """The text of a fragment. `links` is the heading over the list of addresses; `[1]` in the text names the first."""
    writer = _Writer()
    lines = writer.blocks(parsed_fragment(source), width)
    if writer.addresses:
        listed = [f"[{number}] {address}" for number, address in enumerate(writer.addresses, start=1)]
        lines += ["", f"{links}:", *listed]
    return "\n".join(lines)


class _Writer:
    """Walks one fragment and gathers the addresses of its links on the way."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self._by_tag: dict[str, Callable[[HtmlElement, int], list[str]]] = {
            "blockquote": self._quotation,
            "dd": self._definition,
            "dl": self._definitions,
            "hr": self._rule,
            "ol": self._list,
            "pre": self._code,
            "table": self._table,
            "ul": self._list,
            **dict.fromkeys(("h2", "h3", "h4", "h5", "h6"), self._heading),
        }

    def blocks(self, box: HtmlElement, width: int, *, between: Sequence[str] = ("",)) -> list[str]:
        """What a box holds, as lines: its blocks with `between` them, loose text in paragraphs."""
        parts: list[list[str]] = []
        loose = box.text or ""
        for child in box:
            if child.tag in BLOCKS:
                parts += [_paragraph(loose, width), self._block(child, width)]
                loose = ""
            else:
                loose += self._inline(child)
            loose += child.tail or ""
        parts.append(_paragraph(loose, width))
        return _joined([part for part in parts if part], between)

    def _block(self, element: HtmlElement, width: int) -> list[str]:
        write = self._by_tag.get(element.tag, self.blocks)
        return write(element, max(width, _NARROWEST))

    def _heading(self, element: HtmlElement, width: int) -> list[str]:
        text = " ".join(self._inside(element).split())
        return underlined(text, "-", width) if text else []

    def _quotation(self, element: HtmlElement, width: int) -> list[str]:
        return [f"> {line}".rstrip() for line in self.blocks(element, width - 2)]

    def _definitions(self, element: HtmlElement, width: int) -> list[str]:
        return self.blocks(element, width, between=())

    def _definition(self, element: HtmlElement, width: int) -> list[str]:
        return [f"    {line}".rstrip() for line in self.blocks(element, width - 4)]

    def _rule(self, _element: HtmlElement, width: int) -> list[str]:
        return [" " * ((width - 5) // 2) + "* * *"]

    def _code(self, element: HtmlElement, _width: int) -> list[str]:
        text = self._inside(element).replace(_BREAK, "\n").strip("\n").expandtabs(4)
        return [f"    {line}".rstrip() for line in text.split("\n")] if text.strip() else []

    def _list(self, element: HtmlElement, width: int) -> list[str]:
        ordered = element.tag == "ol"
        between = ("",) if any(child.find("p") is not None for child in element) else ()
        number = _number(element.get("start"), 1)
        last = number + len(element)
        items: list[list[str]] = []
        for child in element:
            number = _number(child.get("value"), number)
            mark = f"{number:{len(str(last))}}. " if ordered else "* "
            lines = self.blocks(child, width - len(mark), between=between)
            items.append(
                [(mark if place == 0 else " " * len(mark)) + line for place, line in enumerate(lines or [""])]
            )
            number += 1
        return [line.rstrip() for line in _joined(items, between)]

    def _table(self, element: HtmlElement, width: int) -> list[str]:
        captions = [line for caption in element.findall("caption") for line in self.blocks(caption, width)]
        rows = table_rows(element)
        headed = any(cell.tag == "th" for row in rows for cell in row)
        texts = [[" ".join(self._inside(cell).split()) for cell in row] for row in rows]
        told = [row for row in texts if any(row)]
        if not told:
            return captions
        return [*captions, *(_columned(told, headed, width) or _recorded(told, headed, width))]

    def _inside(self, element: HtmlElement) -> str:
        """The text of an element, its links numbered."""
        return (element.text or "") + "".join(self._inline(child) + (child.tail or "") for child in element)

    def _inline(self, element: HtmlElement) -> str:
        if element.tag == "br":
            return _BREAK
        if element.tag == "img":
            return f"[{element.get('alt')}]" if element.get("alt") else ""
        text = self._inside(element)
        if element.tag == "a":
            return self._link(element.get("href") or "", text)
        if element.tag == "q":
            return f"“{text}”"
        if element.tag == "sup":
            return f"^{text}" if text.strip() else ""
        return f" {text} " if element.tag in BLOCKS else text

    def _link(self, address: str, text: str) -> str:
        if not address or address.startswith("#"):
            return text
        if _bare(text) == _bare(address):
            return address.removeprefix("mailto:").removeprefix("tel:")
        if address not in self.addresses:
            self.addresses.append(address)
        return f"{text} [{self.addresses.index(address) + 1}]"


def _paragraph(text: str, width: int) -> list[str]:
    """Loose text as lines; none where it is blank."""
    lines = wrapped(text.replace("\n", " ").replace(_BREAK, "\n"), width)
    return lines if any(lines) else []


def _joined(parts: list[list[str]], between: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for part in parts:
        lines += [*between, *part] if lines else part
    return lines


def _columned(rows: list[list[str]], headed: bool, width: int) -> list[str]:
    """The rows in columns, two blanks apart; none where they are wider than the page."""
    count = max(map(len, rows))
    full = [row + [""] * (count - len(row)) for row in rows]
    widths = [max(columns(row[place]) for row in full) for place in range(count)]
    if sum(widths) + 2 * (count - 1) > width:
        return []
    lines = [
        "  ".join(_filled(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in full
    ]
    return [lines[0], "  ".join("-" * size for size in widths), *lines[1:]] if headed else lines


def _recorded(rows: list[list[str]], headed: bool, width: int) -> list[str]:
    """Each row as a paragraph of its own, every cell on a line with its column's name."""
    names = rows[0] if headed and len(rows) > 1 else []
    records = []
    for row in rows[1:] if names else rows:
        labelled = zip_longest(row, names[: len(row)], fillvalue="")
        cells = [f"{name}: {cell}" if name else cell for cell, name in labelled if cell]
        records.append([line for cell in cells for line in wrapped(cell, width)])
    return _joined(records, ("",))


def _filled(text: str, size: int) -> str:
    return text + " " * (size - columns(text))


def _number(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,6}", text) else default


def _bare(text: str) -> str:
    """An address or a text that may be one, without what people leave out."""
    found = _LABELLED.fullmatch(" ".join(text.split()))
    return (found[1] if found else text).lower()
