"""HTML becomes fit to leave the house: safe elements only, absolute addresses, headings from level two, ids of its own.

In comes HTML from anywhere, out goes a fragment that a page, a feed and a mail can hold beside others. nh3 (ammonia,
html5ever) parses and cleans; what it writes is regular (attributes in double quotes, `<` nowhere but in tags), so the
rest is done on its output by patterns. It never fetches and never looks at the source format.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import unquote

import nh3

from ketapress.model.urls import absolute
from ketapress.posts.prose import legal

# All of them are acceptable to the W3C feed validator; forms, frames, scripts, SVG and MathML are not here
_ELEMENTS = {
    *(
        "a",
        "abbr",
        "address",
        "article",
        "aside",
        "audio",
        "b",
        "bdi",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
    ),
    *(
        "col",
        "colgroup",
        "data",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
    ),
    *(
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
    ),
    *(
        "pre",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "section",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "sub",
    ),
    *(
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "video",
    ),
    "wbr",
}
_GONE_WITH_THEIR_CONTENT = {
    *(
        "embed",
        "iframe",
        "math",
        "noscript",
        "object",
        "option",
        "script",
        "select",
        "style",
        "svg",
        "template",
    ),
    *("textarea", "title"),
}
_ATTRIBUTES = {
    "*": {"dir", "lang", "id", "title"},
    "a": {"href", "hreflang", "class"},
    "audio": {"src", "controls"},
    "blockquote": {"cite"},
    "code": {"class"},
    "col": {"align", "span"},
    "colgroup": {"align", "span"},
    "data": {"value"},
    "del": {"cite", "datetime"},
    "details": {"open"},
    "img": {"src", "alt", "width", "height"},
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "q": {"cite"},
    "section": {"class"},
    "source": {"src", "type"},
    "sup": {"class"},
    "td": {"align", "colspan", "rowspan", "headers"},
    "th": {"align", "colspan", "rowspan", "headers", "scope"},
    "time": {"datetime"},
    "video": {"src", "controls", "poster", "width", "height"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}
_CLEANER = nh3.Cleaner(
    tags=_ELEMENTS,
    clean_content_tags=_GONE_WITH_THEIR_CONTENT,
    attributes=_ATTRIBUTES,
    url_schemes=_SCHEMES,
    link_rel=None,
)

DEEPEST = 500  # elements in each other; html5ever takes time that grows with the square of it
_NESTED_TAG = re.compile(
    r"<(/?)(?!(?:p|li|d[dt]|t[rdh]|thead|tbody|tfoot|br|hr|img|input|col|source|wbr|meta|link)\b)[a-z]",
    re.IGNORECASE,
)
_HEADING_LEVEL = re.compile(r"(</?h)([1-6])(?=[ >])")
_TAG_TO_PLACE = re.compile(
    r"<([a-z]+)((?: [a-z]+=\"[^\"]*\")*? (?:href|src|cite|poster|id|class|headers)=\"[^>]*)>"
)
_WRITTEN_ADDRESS = re.compile(r"\b(?:href|src)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)
_ATTRIBUTE = re.compile(r" ([a-z]+)=\"([^\"]*)\"")
_ID = re.compile(r"<[^>]* id=\"([^\"]*)\"")
_PLAIN_URL = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?(?:/(?:[A-Za-z0-9/~!$'()*+,;=:@._-]|%[0-9A-Fa-f]{2})*)?"
)
_USABLE = re.compile(
    r"https?://(?:[^/?#@]*@)?[A-Za-z0-9_.:\[\]-]+(?:[/?#]|\Z)|(?:mailto|tel):.", re.IGNORECASE
)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CLASS = re.compile(r"language-[A-Za-z0-9+#_-]{1,30}|footnotes|footnote-ref|footnote-backref")
_IMAGE_WITHOUT_SOURCE = re.compile(r"<img(?![^>]* src=)(?:[^>]* alt=\"([^\"]*)\")?[^>]*>")


@dataclass(frozen=True, slots=True)
class Fragment:
    """Clean HTML, and the addresses that were dropped from it because they could not be made absolute."""

    html: str
    dropped: tuple[str, ...]


def is_too_deep(html: str) -> bool:
    """Whether elements that only an end tag closes are nested in each other more than 500 deep."""
    deepest = depth = 0
    if html.count("<") > DEEPEST:
        for tag in _NESTED_TAG.finditer(html):
            depth = max(depth - 1, 0) if tag[1] else depth + 1
            deepest = max(deepest, depth)
    return deepest > DEEPEST


def sanitised(html: str, page: str, prefix: str) -> Fragment:
    """The HTML, safe, with every address made absolute against the URL `page` and every id beginning with `prefix`."""
    clean = legal(_headings_from_two(_CLEANER.clean(html)))
    if '="' in clean:
        ids = frozenset(_ID.findall(clean)) if ' id="' in clean else frozenset()
        clean = _TAG_TO_PLACE.sub(lambda tag: _placed(tag, page, prefix, ids), clean)
    dropped = _unusable(html, page) if "<a>" in clean or _IMAGE_WITHOUT_SOURCE.search(clean) else ()
    if "<img" in clean:
        clean = _IMAGE_WITHOUT_SOURCE.sub(lambda image: escape(unescape(image[1] or ""), quote=False), clean)
    return Fragment(clean.strip(), dropped)


def absolute_url(page: str, reference: str) -> str | None:
    """The reference as an absolute URL with a scheme that may leave the house, or None."""
    if _PLAIN_URL.fullmatch(reference):
        return reference
    if reference.startswith("//"):
        reference = "https:" + reference
    url = absolute(page, reference)
    if url is None or not _USABLE.match(url):
        return None
    return _STRAY_PERCENT.sub("%25", url)


def _headings_from_two(html: str) -> str:
    """The headings moved up or down together, so that the highest is `<h2>`."""
    levels = {int(level) for _, level in _HEADING_LEVEL.findall(html)}
    if not levels or min(levels) == 2:  # noqa: PLR2004 - the page's own title is the one heading above
        return html
    shift = 2 - min(levels)
    return _HEADING_LEVEL.sub(lambda tag: f"{tag[1]}{min(int(tag[2]) + shift, 6)}", html)


def _unusable(html: str, page: str) -> tuple[str, ...]:
    """The addresses in HTML as it came that cannot be linked to or shown, each once."""
    written = (
        unescape(double or single or bare).strip() for double, single, bare in _WRITTEN_ADDRESS.findall(html)
    )
    return tuple(
        dict.fromkeys(address for address in written if address and absolute_url(page, address) is None)
    )


def _placed(tag: re.Match[str], page: str, prefix: str, ids: frozenset[str]) -> str:
    """A tag with its addresses, ids and classes as they may leave."""
    kept = []
    for name, value in _ATTRIBUTE.findall(tag[2]):
        rewritten = _REWRITTEN.get(name)
        if rewritten is None:
            kept.append(f' {name}="{value}"')
        elif changed := rewritten(unescape(value) if "&" in value else value, page, prefix, ids):
            kept.append(f' {name}="{escape(changed)}"')
    return f"<{tag[1]}{''.join(kept)}>"


def _address(value: str, page: str, prefix: str, ids: frozenset[str]) -> str | None:
    if value[:1] == "#" and unquote(value[1:]) in ids:
        return absolute_url(page, "#" + prefix + value[1:])
    return absolute_url(page, value) if value.strip() else None


def _own_id(value: str, _page: str, prefix: str, _ids: frozenset[str]) -> str | None:
    value = "-".join(value.split())
    return prefix + value if value else None


def _own_ids(value: str, _page: str, prefix: str, ids: frozenset[str]) -> str | None:
    return " ".join(prefix + each for each in value.split() if each in ids)


def _known_classes(value: str, _page: str, _prefix: str, _ids: frozenset[str]) -> str | None:
    return " ".join(each for each in value.split() if _CLASS.fullmatch(each))


_REWRITTEN: dict[str, Callable[[str, str, str, frozenset[str]], str | None]] = {
    "href": _address,
    "src": _address,
    "cite": _address,
    "poster": _address,
    "id": _own_id,
    "headers": _own_ids,
    "class": _known_classes,
}
