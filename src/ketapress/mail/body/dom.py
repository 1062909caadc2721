"""Parse, query, edit and serialize fragments of HTML, with only the elements and attributes that mail supports."""

import html
import re
from html.parser import HTMLParser

import lxml.html
from lxml.etree import TreeBuilder
from lxml.html import HtmlElement

from ketapress.model import illegal_characters


def _name_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


INLINE_TAGS = _name_set(
    "a abbr b bdo br cite code del dfn em i img ins kbd mark q rp rt ruby s samp small span strong sub sup time u var wbr"
)
BLOCK_TAGS = _name_set(
    "blockquote caption dd div dl dt h2 h3 h4 h5 h6 hr li ol p pre table tbody td tfoot th thead tr ul"
)
EMBED_LABELS = {"iframe": "video", "embed": "video", "object": "video", "video": "video", "audio": "sound"}
"""Elements that no mail client plays, and the phrase of `MailMessages` for each."""
NON_CONTENT_TAGS = _name_set(
    "button canvas dialog math noscript script select style svg template textarea title"
)
"""Elements that are removed with their content."""

_VOID_TAGS = _name_set("area base br col embed hr img input link meta param source track wbr")
_TAG_REPLACEMENTS = {
    **dict.fromkeys(
        _name_set("address article aside center details fieldset figure footer header main nav section"),
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
_TAG_CLASSES = {"figure": "figure", "figcaption": "caption"}
_GLOBAL_ATTRIBUTES = _name_set("id lang dir")
_TAG_ATTRIBUTES = {
    "a": _name_set("href name"),
    "abbr": _name_set("title"),
    "audio": _name_set("src"),
    "embed": _name_set("src"),
    "iframe": _name_set("src title"),
    "img": _name_set("src alt width height"),
    "li": _name_set("value"),
    "object": _name_set("data"),
    "ol": _name_set("start reversed"),
    "section": _name_set("class"),
    "source": _name_set("src"),
    "td": _name_set("colspan rowspan align"),
    "th": _name_set("colspan rowspan align"),
    "video": _name_set("src title poster"),
}
_SUPPORTED_TAGS = (
    INLINE_TAGS | BLOCK_TAGS | EMBED_LABELS.keys() | NON_CONTENT_TAGS | _TAG_REPLACEMENTS.keys() | {"source"}
)
_MAX_DEPTH = 60  # nested elements; libxml2 gives up at 256, and no layout needs half of 60
_LINK_URL = re.compile(r"(?:https?://[^/]|mailto:.|tel:.|sms:.)", re.IGNORECASE)
_HOST_PATTERN = re.compile(r"(?:https?://)?([\w.-]+\.[a-z]{2,})(?:/\S*)?", re.IGNORECASE)
_ILLEGAL_CHARACTERS = re.compile(f"[{illegal_characters.XML}]")


def parse_fragment(source: str) -> HtmlElement:
    """Parse a fragment into a `div` with supported elements and attributes only.

    Sanitizer output is well formed, so this does without libxml2's HTML parser, which moves tables out of links.
    """
    parser = _FragmentParser()
    parser.feed(source)
    parser.close()
    return parser.root()


class _FragmentParser(HTMLParser):
    """Builds the tree without moving elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._builder = TreeBuilder(parser=lxml.html.html_parser)
        self._open_tags = ["div"]
        self._builder.start("div", {})

    def root(self) -> HtmlElement:
        while self._open_tags:
            self._builder.end(self._open_tags.pop())
        return self._builder.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _SUPPORTED_TAGS or len(self._open_tags) >= _MAX_DEPTH:
            return
        name = _TAG_REPLACEMENTS.get(tag, tag)
        self._builder.start(name, _supported_attributes(tag, attrs))
        if tag in _VOID_TAGS:
            self._builder.end(name)
        else:
            self._open_tags.append(name)

    def handle_endtag(self, tag: str) -> None:
        name = _TAG_REPLACEMENTS.get(tag, tag)
        if name not in self._open_tags[1:]:
            return
        while self._open_tags[-1] != name:
            self._builder.end(self._open_tags.pop())
        self._builder.end(self._open_tags.pop())

    def handle_data(self, data: str) -> None:
        self._builder.data(remove_illegal_characters(data))


def _supported_attributes(
    tag: str, attributes: list[tuple[str, str | None]]
) -> dict[str | bytes, str | bytes]:
    supported_names = _TAG_ATTRIBUTES.get(tag, frozenset()) | _GLOBAL_ATTRIBUTES
    values: dict[str | bytes, str | bytes] = {
        name: remove_illegal_characters(value or "")
        for name, value in reversed(attributes)
        if name in supported_names
    }
    is_footnotes = "footnotes" in str(values.pop("class", "")).split()
    css_class = "notes" if is_footnotes else _TAG_CLASSES.get(tag)
    return {**values, "class": css_class} if css_class else values


def remove_illegal_characters(text: str) -> str:
    """Remove control characters and lone surrogates, which lxml and UTF-8 reject."""
    return _ILLEGAL_CHARACTERS.sub("", text)


def serialize_fragment(root: HtmlElement) -> str:
    """Return the content of the root element as HTML."""
    children_html = "".join(lxml.html.tostring(child, encoding="unicode") for child in root)
    return html.escape(root.text or "", quote=False) + children_html


def new_element(tag: str, text: str | None = None, **attributes: str) -> HtmlElement:
    element = lxml.html.Element(tag, attributes)
    element.text = text
    return element


def replace_element(element: HtmlElement, replacement: HtmlElement | None) -> None:
    """Replace an element by another or by nothing; the text after it stays."""
    if replacement is not None:
        element.addprevious(replacement)
    element.drop_tree()


def append_text(element: HtmlElement, text: str) -> None:
    children = list(element)
    if children:
        children[-1].tail = (children[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def text_content(element: HtmlElement) -> str:
    """Return all text in an element, with runs of whitespace as one space."""
    return " ".join("".join(element.itertext()).split())


def contains(element: HtmlElement, tag: str) -> bool:
    return next(element.iterdescendants(tag), None) is not None


def ancestor_link(element: HtmlElement) -> HtmlElement | None:
    return next(element.iterancestors("a"), None)


def is_link_url(url: str) -> bool:
    """Return whether mail clients open the URL: http(s), mailto, tel and sms."""
    return bool(_LINK_URL.match(url))


def url_host(url: str) -> str:
    """Return host and port of an http(s) URL in lower case; an empty string for other URLs."""
    match = re.match(r"https?://([^/?#]*)", url, re.IGNORECASE)
    return match[1].lower() if match else ""


def apparent_host(text: str) -> str:
    """Return the host that a text looks like, in lower case: a URL, or a name such as `Next.js`; else an empty string."""
    match = _HOST_PATTERN.fullmatch(text)
    return match[1].lower() if match else ""
