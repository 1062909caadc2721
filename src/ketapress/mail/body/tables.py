"""Fix the tables of a post in place: as data that a screen reader can follow, or as layout."""

from lxml.html import HtmlElement

from ketapress.mail.body.dom import contains, text_content

_MAX_SPAN = 50


def table_rows(table: HtmlElement) -> list[HtmlElement]:
    """Return the rows of a table, without those of nested tables."""
    return [row for row in table.iter("tr") if next(row.iterancestors("table"), None) is table]


def fix_tables(root: HtmlElement) -> None:
    """Give header cells a scope; mark a table without header cells as layout (role=presentation)."""
    for table in list(root.iter("table")):
        for name in ("cellpadding", "cellspacing", "border"):
            table.set(name, "0")
        # In an auto layout an image widens its column beyond its max-width; `rigid` makes the layout fixed.
        table.set("class", "grid rigid" if contains(table, "img") else "grid")
        if not _set_header_scopes(table_rows(table)):
            table.set("role", "presentation")
            _move_captions_out(table)
        for cell in table.iter("td", "th"):
            _fix_cell(cell)


def _set_header_scopes(rows: list[HtmlElement]) -> bool:
    """Set `scope` on header cells, and return whether there are any. All cells of a <thead> are headers.

    An empty header becomes a plain cell: a screen reader would announce it before every cell of its column.
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
