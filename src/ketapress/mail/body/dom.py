"""The vocabulary of HTML in mail, and trees of it: read, asked, changed, written.

In: a fragment of HTML. Out: a tree of known elements and attributes only, or the fragment again. What should become of
an element is for `fragment`, `pictures`, `tables` and `text` to say.
"""

import html
import re
from html.parser import HTMLParser

import lxml.html
from lxml.etree import TreeBuilder
from lxml.html import HtmlElement


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


INLINE = _names(
    "a abbr b bdo br cite code del dfn em i img ins kbd mark q rp rt ruby s samp small span strong sub sup time u var wbr"
)
BLOCKS = _names(
    "blockquote caption dd div dl dt h2 h3 h4 h5 h6 hr li ol p pre table tbody td tfoot th thead tr ul"
)
EMBEDS = {"iframe": "video", "embed": "video", "object": "video", "video": "video", "audio": "sound"}
"""What no client plays, and the word for it."""
SILENT = _names("button canvas dialog math noscript script select style svg template textarea title")
"""What goes with all it holds."""

_VOID = _names("area base br col embed hr img input link meta param source track wbr")
_WRITTEN_AS = {
    **dict.fromkeys(
        _names("address article aside center details fieldset figure footer header main nav section"), "div"
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
_ANYWHERE = _names("id lang dir")
_ATTRIBUTES = {
    "a": _names("href name"),
    "abbr": _names("title"),
    "audio": _names("src"),
    "embed": _names("src"),
    "iframe": _names("src title"),
    "img": _names("src alt width height"),
    "li": _names("value"),
    "object": _names("data"),
    "ol": _names("start reversed"),
    "section": _names("class"),
    "source": _names("src"),
    "td": _names("colspan rowspan align"),
    "th": _names("colspan rowspan align"),
    "video": _names("src title poster"),
}
_KNOWN = INLINE | BLOCKS | EMBEDS.keys() | SILENT | _WRITTEN_AS.keys() | {"source"}
_DEEPEST = 60  # elements in elements; libxml2 gives up at 256, and no layout needs half of this
_HOST_LIKE = re.compile(r"(?:https?://)?([\w.-]+\.[a-z]{2,})(?:/\S*)?", re.IGNORECASE)
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


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
        self._builder.data(writable(data))


def _kept_attributes(tag: str, attributes: list[tuple[str, str | None]]) -> dict[str | bytes, str | bytes]:
    kept = _ATTRIBUTES.get(tag, frozenset()) | _ANYWHERE
    found: dict[str | bytes, str | bytes] = {
        name: writable(value or "") for name, value in reversed(attributes) if name in kept
    }
    notes = "footnotes" in str(found.pop("class", "")).split()
    own_class = "notes" if notes else _CLASSES.get(tag)
    return {**found, "class": own_class} if own_class else found


def writable(text: str) -> str:
    """The text without what lxml stops at, and what no encoding has: controls, and halves of pairs."""
    return _UNWRITABLE.sub("", text)


def written_fragment(root: HtmlElement) -> str:
    """What a tree's root holds, as HTML."""
    inside = "".join(lxml.html.tostring(child, encoding="unicode") for child in root)
    return html.escape(root.text or "", quote=False) + inside


def new_element(tag: str, text: str | None = None, **attributes: str) -> HtmlElement:
    element = lxml.html.Element(tag, attributes)
    element.text = text
    return element


def replace_element(element: HtmlElement, other: HtmlElement | None) -> None:
    """Puts another element, or none, in the place of one; what follows it stays."""
    if other is not None:
        element.addprevious(other)
    element.drop_tree()


def append_text(element: HtmlElement, text: str) -> None:
    children = list(element)
    if children:
        children[-1].tail = (children[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def text_of(element: HtmlElement) -> str:
    """All text in an element, with runs of blanks as one."""
    return " ".join("".join(element.itertext()).split())


def holds(element: HtmlElement, tag: str) -> bool:
    return next(element.iterdescendants(tag), None) is not None


def link_around(element: HtmlElement) -> HtmlElement | None:
    return next(element.iterancestors("a"), None)


def host(address: str) -> str:
    """Host and port as they stand in a web address, in lower case; empty in any other address."""
    found = re.match(r"https?://([^/?#]*)", address, re.IGNORECASE)
    return found[1].lower() if found else ""


def seeming_host(text: str) -> str:
    """The host that a text reads as, in lower case: of an address, or of a name such as `Next.js`; empty for any other."""
    found = _HOST_LIKE.fullmatch(text)
    return found[1].lower() if found else ""
