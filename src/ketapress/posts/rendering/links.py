"""The addresses of a post's body become absolute, and its ids its own, so that it can stand beside other posts.

In comes HTML as `sanitise` writes it, out goes the same with every `href`, `src`, `cite` and `poster` a full URL, every
id with the post's prefix, and a list of what could not be used. A link to the file of another post leads to its page.
Pure: which pages there are is handed in.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape, unescape
from posixpath import dirname, join, normpath, splitext
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote

from ketapress.model.lazy_regex import pattern
from ketapress.model.urls import absolute
from ketapress.posts.dialects.placeholders import Mark, as_written, resolved
from ketapress.posts.rendering.link_targets import ANYWHERE
from ketapress.posts.source.stem import stem
from ketapress.posts.source.suffixes import FORMATS
from ketapress.posts.text.excerpt import text_of


def _plain(character: str) -> str:
    """A pattern of absolute URLs that are written as they have to be; an empty query or parameter would be left out."""
    return (
        r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?"
        rf"(?:/{character}*+(?:(?<!;)\?(?:{character}|\?|&(?!(?:lt|gt|quot|nbsp);))++)?(?:(?<!;)#{character}++)?)?"
    )


_PLAIN_URL = pattern(_plain(r"(?:[A-Za-z0-9/~!$'()*+,;=:@._-]|%[0-9A-Fa-f]{2})"))
# The same in an attribute, where an apostrophe is written in another way, and U+10FF00 begins a token
_PLAIN_VALUE = _plain(r"(?:[A-Za-z0-9/~!$()*+,;=:@._-]|%(?!F4)[0-9A-Fa-f]{2})")
# Tags with something to rewrite; the lookahead passes by what nearly all have that stays as it is
_TAG = pattern(
    rf"<(?!(?:a href|img src)=\"{_PLAIN_VALUE}\"(?: (?:alt|title)=\"[^\"]*\")*+>|code class=\"language-[A-Za-z0-9+#_-]{{1,30}}\">)"
    r"([a-z]+[1-6]?)((?: [a-z]+=\"[^\"]*\")*? (?:href|src|cite|poster|id|class|headers)=\"[^>]*)>"
)
_ATTRIBUTE = pattern(r" ([a-z]+)=\"([^\"]*)\"")
_ID = pattern(r"<[^>]* id=\"([^\"]*)\"")
_WRITTEN = pattern(r"\b(?:href|src)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)
_USABLE = pattern(r"https?://(?:[^/?#@]*@)?[A-Za-z0-9_.:\[\]-]+(?:[/?#]|\Z)|(?:mailto|tel):.", re.IGNORECASE)
_STRAY_PERCENT = pattern(r"%(?![0-9A-Fa-f]{2})")
_CLASS = pattern(r"language-[A-Za-z0-9+#_-]{1,30}|footnotes|footnote-ref|footnote-backref")
_IMAGE_WITHOUT_SOURCE = pattern(r"<img(?![^>]* src=)(?:[^>]* alt=\"([^\"]*)\")?[^>]*>")
_FILE_LINK = pattern(
    r"(?!/|[a-z][a-z0-9+.-]*:)([^?#]+\.(?:mdx?|markdown|mdown|mkdn?|txt|html?))(#.*)?\Z", re.IGNORECASE
)
_FILE_BESIDE = pattern(r"(?!//|[a-z][a-z0-9+.-]*:)([^?#\x00]+\.[a-z0-9]{2,5})([?#].*)?\Z", re.IGNORECASE)
# Pelican's and Zola's ways to name a file; Pelican's pictures lie beside the posts, or on the site
_BY_FILE = pattern(
    r"(?:post:|@/|(?:\{|%7B)filename(?:\}|%7D)|(?:\||%7C)filename(?:\||%7C))([^?#]*)(#.*)?\Z", re.IGNORECASE
)
_STATIC = pattern(
    r"(?:(?:\{|%7B)(?:static|attach)(?:\}|%7D)|(?:\||%7C)(?:static|attach)(?:\||%7C))", re.IGNORECASE
)
_WITHIN = pattern(r" href=\"#([^\"]+)\"")
_HEADING = pattern(r"<h([1-6])>((?:[^<]|<(?!/?h[1-6][ >]))*+)</h\1>")
_NAME = pattern(r"[\w:.-]+")
_NO_LETTERS = pattern(r"[\W_]+")
_GHOST = "__GHOST_URL__"  # what its exports write for the address of the site
# Pelican's ways to name a page that only it knows, and its front page
_PAGE_OF_PELICAN = pattern(r"(?:\{|%7B)(tag|category|author|index)(?:\}|%7D).*", re.IGNORECASE)
_LINK_WITHOUT_TARGET = pattern(r"<a((?: (?!href=)[a-z]+=\"[^\"]*\")*)>((?:(?!</?a[ >]).)*)</a>", re.DOTALL)


class Place(NamedTuple):
    """Where a body stands: the URL of its page, the prefix of its ids, its path in `posts/`, its template marks.

    `pages` are the URLs of all posts by their paths.
    """

    page: str
    prefix: str
    path: str = ""
    marks: tuple[Mark, ...] = ()
    pages: Mapping[str, str] = MappingProxyType({})


class Fragment(NamedTuple):
    """HTML that can leave, and the addresses that were dropped from it because they lead nowhere."""

    html: str
    dropped: tuple[str, ...]


def placed(html: str, source: str, place: Place) -> Fragment:
    """Clean HTML in its place. `source` is what it was made of: there the dropped addresses still stand."""
    if ' href="#' in html:
        html = _with_ids_of_headings(html)
    if '="' in html:
        ids = frozenset(_ID.findall(html)) if ' id="' in html else frozenset()
        html = _TAG.sub(lambda tag: _tag(tag, place, ids), html)
    sourceless = "<img" in html and _IMAGE_WITHOUT_SOURCE.search(html)
    dropped = _unusable(source, place) if sourceless or "<a>" in html else ()
    if sourceless:
        html = _IMAGE_WITHOUT_SOURCE.sub(lambda image: escape(unescape(image[1] or ""), quote=False), html)
    if dropped or "<a>" in html or place.marks:
        html = _LINK_WITHOUT_TARGET.sub(_unwrapped, html)
    return Fragment(html, dropped)


def _with_ids_of_headings(html: str) -> str:
    """The headings that links within the post lead to, by their words, as other tools make ids of them."""
    names = map(unquote, _WITHIN.findall(html))
    wanted = {_letters(name): name for name in names if _NAME.fullmatch(name)}
    for name in _ID.findall(html):
        wanted.pop(_letters(name), None)

    def with_id(heading: re.Match[str]) -> str:
        name = wanted.pop(_letters(text_of(heading[2])), "")
        return f'<h{heading[1]} id="{name}">{heading[2]}</h{heading[1]}>' if name else heading[0]

    return _HEADING.sub(with_id, html) if wanted else html


def _letters(text: str) -> str:
    """What is the same in a heading and in its id, whichever tool made it."""
    return _NO_LETTERS.sub("", text).casefold()


def _unwrapped(link: re.Match[str]) -> str:
    """The text of a link that leads nowhere; its id stays, because others may lead there."""
    return f"<span{link[1]}>{link[2]}</span>" if " id=" in link[1] else link[2]


def absolute_url(page: str, reference: str) -> str | None:
    """The reference as an absolute URL with a scheme that may leave the house, or None."""
    if _PLAIN_URL.fullmatch(reference):
        return reference
    if reference.startswith("//"):
        reference = "https:" + reference
    url = absolute(page, reference)
    if url is None or not _USABLE.match(url):
        return None
    scheme, colon, rest = url.partition(":")
    return scheme.lower() + colon + _STRAY_PERCENT.sub("%25", rest)


def _unusable(source: str, place: Place) -> tuple[str, ...]:
    """The addresses in HTML as it came that cannot be linked to or shown, each once; those of templates are told apart."""
    written = (
        unescape(double or single or bare).strip() for double, single, bare in _WRITTEN.findall(source)
    )
    known = {each: meant for each in written if each and (meant := resolved(each, place.marks)) is not None}
    return tuple(
        as_written(each, place.marks)
        for each, meant in known.items()
        if meant and _address(each, place, frozenset()) is None
    )


def _tag(tag: re.Match[str], place: Place, ids: frozenset[str]) -> str:
    """A tag with its addresses, ids and classes as they may leave."""
    kept = []
    for name, value in _ATTRIBUTE.findall(tag[2]):
        rewritten = _REWRITTEN.get(name)
        if rewritten is None:
            kept.append(f' {name}="{value}"')
        elif changed := rewritten(unescape(value) if "&" in value else value, place, ids):
            kept.append(f' {name}="{escape(changed)}"')
    return f"<{tag[1]}{''.join(kept)}>"


def _address(value: str, place: Place, ids: frozenset[str]) -> str | None:
    if place.marks:
        value = resolved(value, place.marks) or ""
    if not value.strip():
        return None
    if value[0] == "#" and unquote(value[1:]) in ids:
        return absolute_url(place.page, f"#{place.prefix}{value[1:]}")
    if named := _BY_FILE.match(value):
        url = _page_of_post(named[1], place)
        return url + (named[2] or "") if url else None
    return _page_of_file(value, place) or picture_url(value, place)


def picture_url(value: str, place: Place) -> str | None:
    """A reference that may lead to a file beside the post, or anywhere; None where it cannot leave."""
    if value[0] in "{|%_":
        value = _STATIC.sub("", value).removeprefix(_GHOST) or "/"
        if named := _PAGE_OF_PELICAN.fullmatch(value):
            return absolute_url(place.page, "/") if named[1].lower() == "index" else None
    return file_url(value, place) or absolute_url(place.page, value)


def file_url(value: str, place: Place) -> str | None:
    """Where the copy of a file stands that lies beside the post, in a folder of its name, or whose path in `posts/` is written.

    A bare name may lie anywhere, as in Obsidian, if only one file has it.
    """
    found = _FILE_BESIDE.match(value)
    if not found:
        return None
    name = unquote(found[1])
    beside = (join(dirname(place.path), name), name, join(splitext(place.path)[0], name))
    for path in beside if name[0] != "/" else (name.lstrip("/"),):
        if url := place.pages.get(normpath(path)):
            return url + (found[2] or "")
    url = place.pages.get(ANYWHERE + name) if "/" not in name else None
    return url + (found[2] or "") if url else None


def _page_of_file(value: str, place: Place) -> str | None:
    """The page of the post whose file a relative link names, if it does: `2023-06-05-a-feed.md`, `../notes/x.txt`."""
    found = _FILE_LINK.match(value)
    if not found:
        return None
    url = place.pages.get(normpath(join(dirname(place.path), unquote(found[1]))))
    return url + (found[2] or "") if url else None


def _page_of_post(name: str, place: Place) -> str | None:
    """The page of the post whose file another tool names, with or without its ending, from a folder that it knows."""
    name = unquote(name)
    endings = [""] if splitext(name)[1].lower() in FORMATS else [*FORMATS, "/index.md"]
    wanted = normpath(join(dirname(place.path), name)) if not name.startswith("/") else ""
    for path in (wanted, *_shorter(normpath(name).lstrip("/"))):
        for ending in endings:
            if path and (url := place.pages.get(path + ending)):
                return url
    return place.pages.get(ANYWHERE + stem(name if endings == [""] else f"{name.rstrip('/')}.md"))


def _shorter(path: str) -> Iterator[str]:
    """The path, and the path without its first folders: where the posts lay, only the other tool knows."""
    while path:
        yield path
        path = path.partition("/")[2]


def _own_id(value: str, place: Place, _ids: frozenset[str]) -> str:
    value = "-".join(value.split())
    return place.prefix + value if value else ""


def _own_ids(value: str, place: Place, ids: frozenset[str]) -> str:
    return " ".join(place.prefix + each for each in value.split() if each in ids)


def _known_classes(value: str, _place: Place, _ids: frozenset[str]) -> str:
    return " ".join(each for each in value.split() if _CLASS.fullmatch(each))


_REWRITTEN: dict[str, Callable[[str, Place, frozenset[str]], str | None]] = {
    "href": _address,
    "src": _address,
    "cite": _address,
    "poster": _address,
    "id": _own_id,
    "headers": _own_ids,
    "class": _known_classes,
}
