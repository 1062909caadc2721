"""Convert the HTML of a post to plain text of a fixed width.

Headings are underlined, lists and quotations indented, tables set in columns, links numbered with their URLs listed at the
end; code stays as it is. Text keeps its logical order, whatever its direction. Filters compare this part with the HTML.
"""

import re
from collections.abc import Callable, Sequence
from itertools import zip_longest

from lxml.html import HtmlElement

from ketapress.mail.body.dom import BLOCK_TAGS, parse_fragment
from ketapress.mail.body.tables import table_rows
from ketapress.mail.body.wrap import WIDTH, display_width, underline, wrap_text

_MIN_WIDTH = 24
_LINE_BREAK = "\u2028"  # stands for <br> until lines are wrapped; a line end of the source is only a space
_BARE_URL = re.compile(r"(?:https?://|mailto:|tel:)?(.*?)/?", re.IGNORECASE)


def to_plain_text(source: str, *, links_heading: str, width: int = WIDTH) -> str:
    """Return the text of a fragment; `[1]` in it refers to the first URL of the list under `links_heading`."""
    writer = _TextWriter()
    lines = writer.block_lines(parse_fragment(source), width)
    if writer.urls:
        link_lines = [f"[{number}] {url}" for number, url in enumerate(writer.urls, start=1)]
        lines += ["", f"{links_heading}:", *link_lines]
    return "\n".join(lines)


class _TextWriter:
    """Converts one fragment and collects the URLs of its links."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self._handlers: dict[str, Callable[[HtmlElement, int], list[str]]] = {
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

    def block_lines(self, element: HtmlElement, width: int, *, separator: Sequence[str] = ("",)) -> list[str]:
        """Return the content of an element as lines: blocks with `separator` between them, loose text as paragraphs."""
        parts: list[list[str]] = []
        text = element.text or ""
        for child in element:
            if child.tag in BLOCK_TAGS:
                parts += [_paragraph_lines(text, width), self._block(child, width)]
                text = ""
            else:
                text += self._inline_text(child)
            text += child.tail or ""
        parts.append(_paragraph_lines(text, width))
        return _join_parts([part for part in parts if part], separator)

    def _block(self, element: HtmlElement, width: int) -> list[str]:
        handler = self._handlers.get(element.tag, self.block_lines)
        return handler(element, max(width, _MIN_WIDTH))

    def _heading(self, element: HtmlElement, width: int) -> list[str]:
        text = " ".join(self._inner_text(element).split())
        return underline(text, "-", width) if text else []

    def _quotation(self, element: HtmlElement, width: int) -> list[str]:
        return [f"> {line}".rstrip() for line in self.block_lines(element, width - 2)]

    def _definitions(self, element: HtmlElement, width: int) -> list[str]:
        return self.block_lines(element, width, separator=())

    def _definition(self, element: HtmlElement, width: int) -> list[str]:
        return [f"    {line}".rstrip() for line in self.block_lines(element, width - 4)]

    def _rule(self, _element: HtmlElement, width: int) -> list[str]:
        return [" " * ((width - 5) // 2) + "* * *"]

    def _code(self, element: HtmlElement, _width: int) -> list[str]:
        text = self._inner_text(element).replace(_LINE_BREAK, "\n").strip("\n").expandtabs(4)
        return [f"    {line}".rstrip() for line in text.split("\n")] if text.strip() else []

    def _list(self, element: HtmlElement, width: int) -> list[str]:
        is_ordered = element.tag == "ol"
        separator = ("",) if any(child.find("p") is not None for child in element) else ()
        number = _parse_number(element.get("start"), 1)
        last_number = number + len(element)
        items: list[list[str]] = []
        for child in element:
            number = _parse_number(child.get("value"), number)
            marker = f"{number:{len(str(last_number))}}. " if is_ordered else "* "
            lines = self.block_lines(child, width - len(marker), separator=separator)
            items.append(
                [
                    (marker if index == 0 else " " * len(marker)) + line
                    for index, line in enumerate(lines or [""])
                ]
            )
            number += 1
        return [line.rstrip() for line in _join_parts(items, separator)]

    def _table(self, element: HtmlElement, width: int) -> list[str]:
        captions = [
            line for caption in element.findall("caption") for line in self.block_lines(caption, width)
        ]
        rows = table_rows(element)
        has_header = any(cell.tag == "th" for row in rows for cell in row)
        texts = [[" ".join(self._inner_text(cell).split()) for cell in row] for row in rows]
        filled_rows = [row for row in texts if any(row)]
        if not filled_rows:
            return captions
        return [
            *captions,
            *(
                _format_columns(filled_rows, has_header, width)
                or _format_records(filled_rows, has_header, width)
            ),
        ]

    def _inner_text(self, element: HtmlElement) -> str:
        """Return the text of an element with its links numbered."""
        return (element.text or "") + "".join(
            self._inline_text(child) + (child.tail or "") for child in element
        )

    def _inline_text(self, element: HtmlElement) -> str:
        if element.tag == "br":
            return _LINE_BREAK
        if element.tag == "img":
            return f"[{element.get('alt')}]" if element.get("alt") else ""
        text = self._inner_text(element)
        if element.tag == "a":
            return self._link_text(element.get("href") or "", text)
        if element.tag == "q":
            return f"“{text}”"
        if element.tag == "sup":
            return f"^{text}" if text.strip() else ""
        return f" {text} " if element.tag in BLOCK_TAGS else text

    def _link_text(self, url: str, text: str) -> str:
        if not url or url.startswith("#"):
            return text
        if _normalize_link_text(text) == _normalize_link_text(url):
            return url.removeprefix("mailto:").removeprefix("tel:")
        if url not in self.urls:
            self.urls.append(url)
        return f"{text} [{self.urls.index(url) + 1}]"


def _paragraph_lines(text: str, width: int) -> list[str]:
    """Wrap loose text; no lines where it is blank."""
    lines = wrap_text(text.replace("\n", " ").replace(_LINE_BREAK, "\n"), width)
    return lines if any(lines) else []


def _join_parts(parts: list[list[str]], separator: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for part in parts:
        lines += [*separator, *part] if lines else part
    return lines


def _format_columns(rows: list[list[str]], has_header: bool, width: int) -> list[str]:
    """Return the rows in columns, two spaces apart; no lines where they are wider than `width`."""
    count = max(map(len, rows))
    full_rows = [row + [""] * (count - len(row)) for row in rows]
    widths = [max(display_width(row[column]) for row in full_rows) for column in range(count)]
    if sum(widths) + 2 * (count - 1) > width:
        return []
    lines = [
        "  ".join(_pad(cell, column_width) for cell, column_width in zip(row, widths, strict=True)).rstrip()
        for row in full_rows
    ]
    return (
        [lines[0], "  ".join("-" * column_width for column_width in widths), *lines[1:]]
        if has_header
        else lines
    )


def _format_records(rows: list[list[str]], has_header: bool, width: int) -> list[str]:
    """Return each row as a paragraph, with one line per cell: the column's name and the cell."""
    names = rows[0] if has_header and len(rows) > 1 else []
    records = []
    for row in rows[1:] if names else rows:
        pairs = zip_longest(row, names[: len(row)], fillvalue="")
        cells = [f"{name}: {cell}" if name else cell for cell, name in pairs if cell]
        records.append([line for cell in cells for line in wrap_text(cell, width)])
    return _join_parts(records, ("",))


def _pad(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))


def _parse_number(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,6}", text) else default


def _normalize_link_text(text: str) -> str:
    """Return a URL, or a text that may be one, without the scheme and the final slash, which people leave out."""
    match = _BARE_URL.fullmatch(" ".join(text.split()))
    return (match[1] if match else text).lower()
