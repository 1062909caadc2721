"""Tables of a post: data that a screen reader can follow, or plain layout.

In and out: the tree of a fragment.
"""

from lxml.html import HtmlElement

from ketapress.mail.body.dom import contains, text_content

_MAX_SPAN = 50


def table_rows(table: HtmlElement) -> list[HtmlElement]:
    """The rows of a table, without those of tables inside it."""
    return [row for row in table.iter("tr") if next(row.iterancestors("table"), None) is table]


def fix_tables(root: HtmlElement) -> None:
    """A table with header cells is data, with a scope on each; any other is layout to a screen reader."""
    for table in list(root.iter("table")):
        for name in ("cellpadding", "cellspacing", "border"):
            table.set(name, "0")
        # Beside pictures a column is as wide as the picture wants to be, whatever its limit: fixed columns are not.
        table.set("class", "grid rigid" if contains(table, "img") else "grid")
        if not _set_header_scopes(table_rows(table)):
            table.set("role", "presentation")
            _move_captions_out(table)
        for cell in table.iter("td", "th"):
            _fix_cell(cell)


def _set_header_scopes(rows: list[HtmlElement]) -> bool:
    """Gives each header cell its scope, and tells whether there are any. In a table's head all cells are headers.

    A header that says nothing is none: it would be read out before every cell of its column.
    """
    has_header = False
    for row in rows:
        is_in_head = row.getparent().tag == "thead"
        for cell in row:
            has_content = bool(text_content(cell)) or contains(cell, "img")
            if not has_content or (is_in_head and cell.tag == "td"):
                cell.tag = "th" if has_content else "td"
            if cell.tag == "th":
                has_header = True
                cell.set("scope", "col" if is_in_head or row is rows[0] else "row")
    return has_header


def _move_captions_out(table: HtmlElement) -> None:
    for caption in table.findall("caption"):
        caption.tag = "p"
        caption.set("class", "caption")
        table.addprevious(caption)
    for head in [*table.findall("thead"), *table.findall("tfoot")]:
        head.drop_tag()


def _fix_cell(cell: HtmlElement) -> None:
    for name in ("colspan", "rowspan"):
        span = cell.attrib.pop(name, "")
        if span.isdecimal() and 1 < int(span) <= _MAX_SPAN:
            cell.set(name, span)
    align = cell.attrib.pop("align", "").lower()
    if align in ("left", "right", "center"):
        cell.set("style", f"text-align:{align}")
