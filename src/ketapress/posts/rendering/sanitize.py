"""Sanitize HTML: keep the elements and attributes that a page, a feed and a mail can all contain.

nh3 (ammonia, html5ever) parses and cleans. Its output is regular (attributes in double quotes, `<` only in tags), and
`links` and `placeholders` rely on that. Where an address leads is not checked here.
"""

import re
from functools import cache
from html import escape, unescape
from typing import TYPE_CHECKING

from ketapress.posts.text.excerpt import remove_illegal_characters

if TYPE_CHECKING:
    from nh3 import Cleaner


def _names(text: str) -> set[str]:
    return set(text.split())


# The W3C feed validator accepts all of these. Forms, frames, scripts, SVG and MathML are left out.
_ELEMENTS = _names(
    "a abbr address article aside audio b bdi blockquote br caption cite code col colgroup data dd del details dfn div"
    " dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li mark ol p pre q rp rt ruby s samp"
    " section small source span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var video wbr"
)
_REMOVED_WITH_CONTENT = _names(
    "button embed iframe math noscript object option script select style svg template textarea title"
)
_ATTRIBUTES = {
    "*": _names("dir lang id title"),
    "a": _names("href hreflang class"),
    "audio": _names("src controls"),
    "blockquote": {"cite"},
    "code": {"class"},
    "col": _names("align span"),
    "colgroup": _names("align span"),
    "data": {"value"},
    "del": _names("cite datetime"),
    "details": {"open"},
    "img": _names("src alt width height"),
    "ins": _names("cite datetime"),
    "li": {"value"},
    "ol": _names("start reversed type"),
    "q": {"cite"},
    "section": {"class"},
    "source": _names("src type"),
    "sup": {"class"},
    "td": _names("align colspan rowspan headers"),
    "th": _names("align colspan rowspan headers scope"),
    "time": {"datetime"},
    "video": _names("src controls poster width height"),
}
SCHEMES = _names("http https mailto tel")
"""The schemes of addresses that may be published."""

_LAZY_IMAGE = re.compile(r"<img\b[^<>]*?\sdata-(?:lazy-)?src\s*=[^<>]*>", re.IGNORECASE)
_SOURCE = re.compile(r"(?<=\s)src\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]*)", re.IGNORECASE)
_LAZY_SOURCE = re.compile(r"(?<=\s)data-(?:lazy-)?src(?=\s*=)", re.IGNORECASE)
_NAMED_ANCHOR = re.compile(r"(<a\s+)name(?=\s*=)", re.IGNORECASE)
_EMPTY_SOURCE = re.compile(r"<source(?![^>]* src=)[^>]*>")
_FRAME = re.compile(
    r"<iframe\b[^<>]*?\bsrc\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))[^<>]*>(?:[^<]*</iframe\s*>)?",
    re.IGNORECASE,
)
# What a parser makes of `<h2><a><h2>`, and what it takes apart when it parses that again (HTML, 13.2.6.4.7).
_HEADING_IN_HEADING = re.compile(r"<h[1-6][ >](?:[^<]|<(?!/?h[1-6][ >]))*+<h[1-6][ >]")
_HEADING_LEVEL = re.compile(r"(</?h)([1-6])(?=[ >])")


def sanitize(html: str) -> str:
    """Return the HTML with only the elements and attributes that are allowed, and without illegal characters.

    Its headings begin at `<h2>`. A frame (a video) becomes a link to what it showed.
    """
    if "<iframe" in html:
        html = _FRAME.sub(_link_to_frame, html)
    if "data-" in html:
        html = _LAZY_IMAGE.sub(_add_source, html)
    if "name" in html:
        html = _NAMED_ANCHOR.sub(r"\1id", html)
    clean = _cleaner().clean(html)
    if "<source" in clean:
        clean = _EMPTY_SOURCE.sub("", clean)  # of a `<picture>`
    if _HEADING_IN_HEADING.search(clean):
        clean = _cleaner().clean(clean)
    return _shift_headings(remove_illegal_characters(clean)).strip()


@cache
def _cleaner() -> "Cleaner":
    from nh3 import Cleaner

    return Cleaner(
        tags=_ELEMENTS,
        clean_content_tags=_REMOVED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel=None,
    )


def _add_source(image: re.Match[str]) -> str:
    """Return an image that a script would have loaded later, with its own address as its source."""
    return _LAZY_SOURCE.sub("src", _SOURCE.sub("", image[0]))


def _link_to_frame(frame: re.Match[str]) -> str:
    address = unescape(frame[1] or frame[2] or frame[3] or "").strip()
    return f'<a href="{escape(address)}">{escape(address)}</a>'


def _shift_headings(html: str) -> str:
    """Return the HTML with all headings moved by the same number of levels, so that the highest is `<h2>`."""
    highest = next((level for level in range(1, 7) if f"<h{level}" in html), 2)
    if highest == 2:  # noqa: PLR2004 - the title of the page is the only heading above
        return html
    shift = 2 - highest
    return _HEADING_LEVEL.sub(lambda tag: f"{tag[1]}{min(int(tag[2]) + shift, 6)}", html)
