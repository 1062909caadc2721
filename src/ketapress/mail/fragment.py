"""A post's HTML as mail can show it: only what every client draws, safe between the parts of a template.

In: a sanitised fragment with absolute URLs. Out: a fragment for the body of one post in a letter; the same content,
in the same order. It never fetches anything, and never trusts that the sanitiser was strict.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import lxml.html
from lxml.etree import TreeBuilder
from lxml.html import HtmlElement

from ketapress.mail.direction import has_rtl, written_direction
from ketapress.mail.words import Words

_DEEPEST = 60  # elements in elements; libxml2 gives up at 256, and no layout needs half of this
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdo",
        "br",
        "cite",
        "code",
        "del",
        "dfn",
        "em",
        "i",
        "img",
        "ins",
        "kbd",
        "mark",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "time",
        "u",
        "var",
        "wbr",
    ]
)
_BLOCKS = frozenset(
    [
        "blockquote",
        "caption",
        "dd",
        "div",
        "dl",
        "dt",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_EMBEDS = {"iframe": "video", "embed": "video", "object": "video", "video": "video", "audio": "sound"}
_SILENT = frozenset(
    [
        "button",
        "canvas",
        "dialog",
        "math",
        "noscript",
        "script",
        "select",
        "style",
        "svg",
        "template",
        "textarea",
        "title",
    ]
)
_WRITTEN_AS = {
    **dict.fromkeys(
        [
            "address",
            "article",
            "aside",
            "center",
            "details",
            "fieldset",
            "figure",
            "footer",
            "header",
            "main",
            "nav",
            "section",
        ],
        "div",
    ),
    "h1": "h2",
    "summary": "p",
    "figcaption": "p",
    "strike": "s",
    "tt": "code",
    "acronym": "abbr",
    "bdi": "span",
}
_CLASSES = {"figure": "figure", "figcaption": "caption"}
_ATTRIBUTES = {
    "a": {"href", "name"},
    "abbr": {"title"},
    "audio": {"src"},
    "bdo": {"dir"},
    "embed": {"src"},
    "iframe": {"src", "title"},
    "img": {"src", "alt", "width", "height"},
    "li": {"value"},
    "object": {"data"},
    "ol": {"start", "reversed"},
    "source": {"src"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "section": {"class"},
    "video": {"src", "title", "poster"},
}
_ANYWHERE = {"id", "lang", "dir"}
_KNOWN = _INLINE | _BLOCKS | _EMBEDS.keys() | _SILENT | _WRITTEN_AS.keys() | {"source"}
_UNWRITABLE = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # XML 1.0, 2.2: lxml refuses them

_LINK = re.compile(r"(?:https?://[^/]|mailto:.|tel:.|sms:.)", re.IGNORECASE)
_HOST_LIKE = re.compile(r"(?:https?://)?([\w.-]+\.[a-z]{2,})(?:/\S*)?", re.IGNORECASE)
_UNDRAWN = re.compile(r"\.(?:svgz?|webp|avif|heic|jxl)\Z", re.IGNORECASE)
_FILE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|avif)\Z", re.IGNORECASE)
_SMALLEST_PICTURE = 3  # CSS pixels; what is smaller only counts readers
_MOST_SPAN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where a fragment will stand: the prefix of its ids, its page on the web, its direction, the width in CSS pixels."""

    prefix: str
    page: str
    direction: str
    width: int
    words: Words


def is_drawn(address: str) -> bool:
    """Whether mail clients show a picture of that address: by https, in no format that Gmail or Outlook leave blank."""
    return address.startswith("https://") and not _UNDRAWN.search(urlsplit(address).path)


@lru_cache(maxsize=256)
def mail_fragment(source: str, frame: Frame) -> str:
    """The fragment with headings from h3 on, ids of its own, and images, tables and links that every client can show."""
    root = parsed_fragment(source)
    _remove_silent(root)
    _link_embeds(root, frame.words)
    _mend_images(root, frame)
    _number_ids(root, frame)
    _mend_links(root)
    _spread_inlines(root)
    _name_linked_images(root, frame.words)
    _gather_paragraphs(root)
    _level_headings(root)
    _mark_tables(root)
    _fit_images(root, frame.width)
    _turn(root, frame.direction)
    return _written(root)


def parsed_fragment(source: str) -> HtmlElement:
    """A `div` that holds the fragment, of known elements and attributes only.

    What a sanitiser wrote is well formed: libxml2's own parser, which moves tables out of links, is not needed.
    """
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return reader.root()


class _Reader(HTMLParser):
    """Builds the tree exactly as it is written."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._builder = TreeBuilder(parser=lxml.html.html_parser)
        self._open = ["div"]
        self._builder.start("div", {})

    def root(self) -> HtmlElement:
        while self._open:
            self._builder.end(self._open.pop())
        return self._builder.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _KNOWN or len(self._open) >= _DEEPEST:
            return
        name = _WRITTEN_AS.get(tag, tag)
        self._builder.start(name, _kept_attributes(tag, attrs))
        if tag in _VOID:
            self._builder.end(name)
        else:
            self._open.append(name)

    def handle_endtag(self, tag: str) -> None:
        name = _WRITTEN_AS.get(tag, tag)
        if name not in self._open[1:]:
            return
        while self._open[-1] != name:
            self._builder.end(self._open.pop())
        self._builder.end(self._open.pop())

    def handle_data(self, data: str) -> None:
        self._builder.data(_UNWRITABLE.sub("", data))


def _kept_attributes(tag: str, attributes: list[tuple[str, str | None]]) -> dict[str | bytes, str | bytes]:
    kept = _ATTRIBUTES.get(tag, frozenset()) | _ANYWHERE
    found: dict[str | bytes, str | bytes] = {
        name: _UNWRITABLE.sub("", value or "") for name, value in reversed(attributes) if name in kept
    }
    notes = "footnotes" in str(found.pop("class", "")).split()
    own_class = "notes" if notes else _CLASSES.get(tag)
    return {**found, "class": own_class} if own_class else found


def _written(root: HtmlElement) -> str:
    inside = "".join(lxml.html.tostring(child, encoding="unicode") for child in root)
    return html.escape(root.text or "", quote=False) + inside


def _remove_silent(root: HtmlElement) -> None:
    for element in list(root.iter(*_SILENT)):
        element.drop_tree()


def _link_embeds(root: HtmlElement, words: Words) -> None:
    """Video, sound and frames become links, with the picture that stands for them: no mail client plays them."""
    for element in list(root.iter(*_EMBEDS)):
        sources = (
            element.get("src"),
            element.get("data"),
            *(each.get("src") for each in element.iter("source")),
        )
        address = next((source for source in sources if source), "")
        label = getattr(words, _EMBEDS[element.tag])
        about = element.get("title") or urlsplit(address).hostname or ""
        text = f"{label}: {about}" if about else label
        link = _element("a", text, href=address)
        if poster := element.get("poster"):
            link.text = None
            link.append(_element("img", src=poster, alt=text))
        paragraph = _element("p")
        paragraph.append(link)
        _replace(element, paragraph)
    for element in list(root.iter("source")):
        element.drop_tree()


def _mend_images(root: HtmlElement, frame: Frame) -> None:
    for image in list(root.iter("img")):
        # Web mail asks for http images by https anyway (W3C Mixed Content, 4.1).
        source = re.sub(r"\Ahttps?:", "https:", image.get("src") or "", flags=re.IGNORECASE)
        alt = " ".join((image.get("alt") or "").split())
        image.set("alt", "" if _FILE_NAME.search(alt) else alt)
        image.set("src", source)
        if not source.startswith("https://") or _counts_readers(image):
            _replace(image, _element("span", image.get("alt")) if image.get("alt") else None)
        elif not is_drawn(source):
            _link_picture(image, frame.words)


def _counts_readers(image: HtmlElement) -> bool:
    return any(
        0 <= (_pixels(image, side) or _SMALLEST_PICTURE) < _SMALLEST_PICTURE for side in ("width", "height")
    )


def _link_picture(image: HtmlElement, words: Words) -> None:
    """SVG and the newer formats are not drawn by Gmail or Outlook: the picture is linked instead."""
    alt = image.get("alt")
    label = f"{words.picture}: {alt}" if alt else words.picture
    linked = next(image.iterancestors("a"), None) is not None
    _replace(image, _element("span", label) if linked else _element("a", label, href=image.get("src") or ""))


def _fit_images(root: HtmlElement, widest: int) -> None:
    """Integer width and height, at most as wide as the text: Outlook knows no other limit."""
    for image in root.iter("img"):
        width, height = _pixels(image, "width"), _pixels(image, "height")
        shown = min(width or widest, widest)
        image.set("width", str(shown))
        image.attrib.pop("height", None)
        if width and height:
            image.set("height", str(max(1, round(height * shown / width))))
        image.set("class", f"{'sized' if width else 'unsized'} {'alone' if _alone(image) else 'among'}")


def _pixels(image: HtmlElement, side: str) -> int | None:
    found = re.fullmatch(r"\s*(\d{1,5})(?:\.\d*)?\s*(?:px)?\s*", image.get(side) or "")
    return int(found[1]) if found else None


def _alone(image: HtmlElement) -> bool:
    """Whether nothing stands beside it in its block, so that it can be a block itself."""
    box = image.getparent()
    while box.tag in _INLINE and box.getparent() is not None:
        box = box.getparent()
    others = [
        each
        for each in box.iterdescendants()
        if each.tag in _BLOCKS or (each.tag == "img" and each is not image)
    ]
    return not others and not _visible_text(box)


def _name_linked_images(root: HtmlElement, words: Words) -> None:
    """A link that holds nothing but a picture is read out by the picture's name."""
    for image in root.iter("img"):
        link = next(image.iterancestors("a"), None)
        if link is not None and not image.get("alt") and not _visible_text(link):
            image.set("alt", words.picture)


def _number_ids(root: HtmlElement, frame: Frame) -> None:
    """Ids that a link in the post leads to are numbered under its prefix; all others go, and so do links to nowhere."""
    for anchor in root.iter("a"):
        name = anchor.attrib.pop("name", "")
        if name and not anchor.get("id"):
            anchor.set("id", name)
    wanted = {target for link in root.iter("a") if (target := _target(link, frame.page))}
    names: dict[str, str] = {}
    for element in root.iterdescendants():
        own = element.attrib.pop("id", "")
        if own in wanted and own not in names:
            names[own] = f"{frame.prefix}-{len(names) + 1}"
            element.set("id", names[own])
    for link in root.iter("a"):
        if target := _target(link, frame.page):
            link.set("href", f"#{names[target]}" if target in names else "")


def _target(link: HtmlElement, page: str) -> str:
    """The id in this very post that a link leads to; empty for any other link."""
    address, hash_mark, name = (link.get("href") or "").partition("#")
    return unquote(name) if hash_mark and address in ("", page) else ""


def _mend_links(root: HtmlElement) -> None:
    for link in list(root.iter("a")):
        address = (link.get("href") or "").strip()
        shown = _visible_text(link)
        filled = shown or next(link.iter("img"), None) is not None
        if not filled or not (address.startswith("#") or _LINK.match(address)):
            _unlink(link)
            continue
        link.set("href", address)
        _name_host(link, shown)


def _unlink(link: HtmlElement) -> None:
    link.attrib.pop("href", None)
    if link.get("id"):
        link.tag = "span"
    else:
        link.drop_tag()


def _name_host(link: HtmlElement, shown: str) -> None:
    """A text that reads as another host than the link's is what phishing looks like to filters: name the real one."""
    likeness = _HOST_LIKE.fullmatch(shown)
    host = (urlsplit(link.get("href") or "").netloc).lower()
    if likeness and host and likeness[1].lower() != host:
        _append_text(link, f" ({host})")


def _spread_inlines(root: HtmlElement) -> None:
    """A link or an emphasis around blocks goes into them: libxml2 and Outlook tear the outer one apart."""
    for element in reversed(list(root.iter(*_INLINE))):
        blocks = [each for each in element.iterdescendants() if each.tag in _BLOCKS]
        if blocks:
            wrapper = partial(_element, element.tag, **_without_id(element))
            element.tag = "div"
            for box in (element, *blocks):
                _wrap_runs(box, wrapper)
    for paragraph in root.iter("p"):
        if any(child.tag in _BLOCKS for child in paragraph):
            paragraph.tag = "div"


def _without_id(element: HtmlElement) -> dict[str, str]:
    """An element's attributes, taken from it, but for its id, which it keeps."""
    return {name: str(element.attrib.pop(name)) for name in list(element.attrib) if name != "id"}


def _gather_paragraphs(root: HtmlElement) -> None:
    """Text that stands loose between blocks becomes paragraphs."""
    for box in [root, *root.iter("div", "blockquote")]:
        _wrap_runs(box, lambda: _element("p"))


def _wrap_runs(box: HtmlElement, wrapper: Callable[[], HtmlElement]) -> None:
    """Puts each run of text and inline elements that stands directly in a block into a wrapper of its own."""
    run = wrapper()
    run.text, box.text = box.text, None
    for child in list(box):
        tail, child.tail = child.tail, None
        if child.tag in _BLOCKS:
            _append_visible(box, run)
            box.append(child)
            run = wrapper()
            run.text = tail
        else:
            run.append(child)
            child.tail = tail
    _append_visible(box, run)


def _append_visible(box: HtmlElement, run: HtmlElement) -> None:
    if _visible_text(run) or next(run.iter("img"), None) is not None:
        box.append(run)


def _level_headings(root: HtmlElement) -> None:
    """Under the post's title, an h2; no level is skipped on the way down."""
    above = 2
    for heading in root.iter("h2", "h3", "h4", "h5", "h6"):
        above = min(int(heading.tag[1]) + 1, above + 1, 6)
        heading.tag = f"h{above}"


def table_rows(table: HtmlElement) -> list[HtmlElement]:
    """The rows of a table, without those of tables inside it."""
    return [row for row in table.iter("tr") if next(row.iterancestors("table"), None) is table]


def _mark_tables(root: HtmlElement) -> None:
    """A table with header cells is data, with a scope on each; any other is layout to a screen reader."""
    for table in list(root.iter("table")):
        for name in ("cellpadding", "cellspacing", "border"):
            table.set(name, "0")
        # Beside pictures a column is as wide as the picture wants to be, whatever its limit: fixed columns are not.
        table.set("class", "grid" if next(table.iter("img"), None) is None else "grid rigid")
        if not _mark_headers(table_rows(table)):
            table.set("role", "presentation")
            _free_captions(table)
        for cell in table.iter("td", "th"):
            _mend_cell(cell)


def _mark_headers(rows: list[HtmlElement]) -> bool:
    """Gives each header cell its scope, and tells whether there are any. In a table's head all cells are headers."""
    headed = False
    for row in rows:
        in_head = row.getparent().tag == "thead"
        for cell in row:
            if in_head and cell.tag == "td":
                cell.tag = "th"
            if cell.tag == "th":
                headed = True
                cell.set("scope", "col" if in_head or row is rows[0] else "row")
    return headed


def _free_captions(table: HtmlElement) -> None:
    for caption in table.findall("caption"):
        caption.tag = "p"
        caption.set("class", "caption")
        table.addprevious(caption)
    for head in [*table.findall("thead"), *table.findall("tfoot")]:
        head.drop_tag()


def _mend_cell(cell: HtmlElement) -> None:
    for name in ("colspan", "rowspan"):
        span = cell.attrib.pop(name, "")
        if span.isdecimal() and 1 < int(span) <= _MOST_SPAN:
            cell.set(name, span)
    align = cell.attrib.pop("align", "").lower()
    if align in ("left", "right", "center"):
        cell.set("style", f"text-align:{align}")


def _turn(root: HtmlElement, direction: str) -> None:
    """What runs the other way than the post says so itself, and leans to its own side. Code always runs to the right."""
    for element in root.iterdescendants():
        own = element.attrib.pop("dir", "").lower()
        if element.tag in ("pre", "code"):
            own = "ltr"
        elif element.tag not in _BLOCKS or own not in ("ltr", "rtl"):
            own = (
                ""
                if element.tag in ("table", "tr", "tbody", "ul", "ol", "div")
                else written_direction(_text(element))
            )
        if own and own != direction:
            element.set("dir", own)
            if element.tag in _BLOCKS and "style" not in element.attrib:
                element.set("style", f"text-align:{'left' if own == 'ltr' else 'right'}")
        elif direction == "ltr" and element.tag in _BLOCKS and has_rtl(_text(element)):
            element.set("dir", "auto")


def _element(tag: str, text: str | None = None, **attributes: str) -> HtmlElement:
    element = lxml.html.Element(tag, attributes)
    element.text = text
    return element


def _replace(element: HtmlElement, other: HtmlElement | None) -> None:
    """Puts another element, or none, in the place of one; what follows it stays."""
    if other is not None:
        element.addprevious(other)
    element.drop_tree()


def _append_text(element: HtmlElement, text: str) -> None:
    children = list(element)
    if children:
        children[-1].tail = (children[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _visible_text(element: HtmlElement) -> str:
    return " ".join(_text(element).split())


def _text(element: HtmlElement) -> str:
    return "".join(element.itertext())
