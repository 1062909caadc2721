"""Make the URLs of a post's body absolute and its ids unique, so that it can be shown beside other posts.

Input is sanitized HTML. In the output every `href`, `src`, `cite` and `poster` is an absolute URL, and every id has the
post's prefix. A link to the file of another post leads to that post's page. URLs that cannot be used are dropped.
"""

import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from posixpath import dirname, join, normpath, splitext
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote

from ketapress.model.urls import resolve_url
from ketapress.posts.dialects.placeholders import ForeignTag, expand_url, restore_url
from ketapress.posts.rendering.link_targets import ANYWHERE
from ketapress.posts.source.stem import post_stem
from ketapress.posts.source.suffixes import FORMAT_BY_SUFFIX
from ketapress.posts.text.excerpt import html_to_text


def _plain_url_pattern(character_pattern: str) -> str:
    """Return a pattern of normalized absolute URLs. Those with an empty query or parameter are not, and do not match."""
    return (
        r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?"
        rf"(?:/{character_pattern}*+(?:(?<!;)\?(?:{character_pattern}|\?|&(?!(?:lt|gt|quot|nbsp);))++)?(?:(?<!;)#{character_pattern}++)?)?"
    )


_PLAIN_URL = re.compile(_plain_url_pattern(r"(?:[A-Za-z0-9/~!$'()*+,;=:@._-]|%[0-9A-Fa-f]{2})"))
# The same in an attribute, where an apostrophe is escaped, and %F4 may begin the placeholder of a tag
_PLAIN_VALUE = _plain_url_pattern(r"(?:[A-Za-z0-9/~!$()*+,;=:@._-]|%(?!F4)[0-9A-Fa-f]{2})")
# Tags with an attribute to rewrite. The lookahead skips most links, images and code, because nothing in them changes
_TAG = re.compile(
    rf"<(?!(?:a href|img src)=\"{_PLAIN_VALUE}\"(?: (?:alt|title)=\"[^\"]*\")*+>|code class=\"language-[A-Za-z0-9+#_-]{{1,30}}\">)"
    r"([a-z]+[1-6]?)((?: [a-z]+=\"[^\"]*\")*? (?:href|src|cite|poster|id|class|headers)=\"[^>]*)>"
)
_ATTRIBUTE = re.compile(r" ([a-z]+)=\"([^\"]*)\"")
_ID = re.compile(r"<[^>]* id=\"([^\"]*)\"")
_SOURCE_URL = re.compile(r"\b(?:href|src)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)
_USABLE_URL = re.compile(
    r"https?://(?:[^/?#@]*@)?[A-Za-z0-9_.:\[\]-]+(?:[/?#]|\Z)|(?:mailto|tel):.", re.IGNORECASE
)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ALLOWED_CLASS = re.compile(r"language-[A-Za-z0-9+#_-]{1,30}|footnotes|footnote-ref|footnote-backref")
_IMAGE_WITHOUT_SRC = re.compile(r"<img(?![^>]* src=)(?:[^>]* alt=\"([^\"]*)\")?[^>]*>")
_FILE_LINK = re.compile(
    r"(?!/|[a-z][a-z0-9+.-]*:)([^?#]+\.(?:mdx?|markdown|mdown|mkdn?|txt|html?))(#.*)?\Z", re.IGNORECASE
)
_ATTACHMENT_LINK = re.compile(
    r"(?!//|[a-z][a-z0-9+.-]*:)([^?#\x00]+\.[a-z0-9]{2,5})([?#].*)?\Z", re.IGNORECASE
)
# How Pelican and Zola link to the file of a post, and Pelican to an attachment or a static file
_POST_FILE_LINK = re.compile(
    r"(?:post:|@/|(?:\{|%7B)filename(?:\}|%7D)|(?:\||%7C)filename(?:\||%7C))([^?#]*)(#.*)?\Z", re.IGNORECASE
)
_PELICAN_STATIC_PREFIX = re.compile(
    r"(?:(?:\{|%7B)(?:static|attach)(?:\}|%7D)|(?:\||%7C)(?:static|attach)(?:\||%7C))", re.IGNORECASE
)
_FRAGMENT_LINK = re.compile(r" href=\"#([^\"]+)\"")
_HEADING = re.compile(r"<h([1-6])>((?:[^<]|<(?!/?h[1-6][ >]))*+)</h\1>")
_ID_NAME = re.compile(r"[\w:.-]+")
_NON_LETTERS = re.compile(r"[\W_]+")
_GHOST_SITE_URL = "__GHOST_URL__"  # in exports of Ghost
# How Pelican links to pages that only Pelican makes, and to the front page
_PELICAN_PAGE = re.compile(r"(?:\{|%7B)(tag|category|author|index)(?:\}|%7D).*", re.IGNORECASE)
_LINK_WITHOUT_TARGET = re.compile(r"<a((?: (?!href=)[a-z]+=\"[^\"]*\")*)>((?:(?!</?a[ >]).)*)</a>", re.DOTALL)


class LinkContext(NamedTuple):
    """The surroundings of a body: its page, the prefix of its ids, its path in `posts/`, and the tags of its placeholders.

    `link_targets` are the URLs of all posts and attachments by their paths.
    """

    page_url: str
    id_prefix: str
    path: str = ""
    foreign_tags: tuple[ForeignTag, ...] = ()
    link_targets: Mapping[str, str] = MappingProxyType({})


class Fragment(NamedTuple):
    """HTML with absolute URLs, and the URLs that were dropped because they cannot be used."""

    html: str
    dropped_urls: tuple[str, ...]


def absolutize_links(html: str, source: str, context: LinkContext) -> Fragment:
    """Return sanitized HTML with absolute URLs. `source` is the HTML before it was sanitized, which has all its URLs."""
    if ' href="#' in html:
        html = _add_heading_ids(html)
    if '="' in html:
        ids = frozenset(_ID.findall(html)) if ' id="' in html else frozenset()
        html = _TAG.sub(lambda tag: _rewrite_tag(tag, context, ids), html)
    image_without_src = "<img" in html and _IMAGE_WITHOUT_SRC.search(html)
    dropped_urls = _find_unusable_urls(source, context) if image_without_src or "<a>" in html else ()
    if image_without_src:  # is shown as its alternative text
        html = _IMAGE_WITHOUT_SRC.sub(lambda image: escape(unescape(image[1] or ""), quote=False), html)
    if dropped_urls or "<a>" in html or context.foreign_tags:
        html = _LINK_WITHOUT_TARGET.sub(_unwrap_link, html)
    return Fragment(html, dropped_urls)


def _add_heading_ids(html: str) -> str:
    """Give ids to headings that links within the post lead to: other tools derive these ids from the headings' text."""
    names = map(unquote, _FRAGMENT_LINK.findall(html))
    missing_ids = {_normalize_heading(name): name for name in names if _ID_NAME.fullmatch(name)}
    for name in _ID.findall(html):
        missing_ids.pop(_normalize_heading(name), None)

    def add_id(heading: re.Match[str]) -> str:
        name = missing_ids.pop(_normalize_heading(html_to_text(heading[2])), "")
        return f'<h{heading[1]} id="{name}">{heading[2]}</h{heading[1]}>' if name else heading[0]

    return _HEADING.sub(add_id, html) if missing_ids else html


def _normalize_heading(text: str) -> str:
    """Return what the text of a heading and its id have in common, whichever tool derived it."""
    return _NON_LETTERS.sub("", text).casefold()


def _unwrap_link(link: re.Match[str]) -> str:
    """Return the text of a link without URL, with its id, which other links may lead to."""
    return f"<span{link[1]}>{link[2]}</span>" if " id=" in link[1] else link[2]


def make_absolute_url(page_url: str, reference: str) -> str | None:
    """Return a reference as an absolute URL; None if it is invalid, or if its scheme is not allowed."""
    if _PLAIN_URL.fullmatch(reference):
        return reference
    if reference.startswith("//"):
        reference = "https:" + reference
    url = resolve_url(page_url, reference)
    if url is None or not _USABLE_URL.match(url):
        return None
    scheme, colon, rest = url.partition(":")
    return scheme.lower() + colon + _STRAY_PERCENT.sub("%25", rest)


def _find_unusable_urls(source: str, context: LinkContext) -> tuple[str, ...]:
    """Return the URLs of unsanitized HTML that cannot be used, each once, without those with an unknown template tag."""
    source_urls = (
        unescape(double or single or unquoted).strip()
        for double, single, unquoted in _SOURCE_URL.findall(source)
    )
    url_values = {
        url: url_value
        for url in source_urls
        if url and (url_value := expand_url(url, context.foreign_tags)) is not None
    }
    return tuple(
        restore_url(url, context.foreign_tags)
        for url, url_value in url_values.items()
        if url_value and _rewrite_url(url, context, frozenset()) is None
    )


def _rewrite_tag(tag: re.Match[str], context: LinkContext, ids: frozenset[str]) -> str:
    """Return a tag with absolute URLs, prefixed ids and allowed classes."""
    attributes = []
    for name, value in _ATTRIBUTE.findall(tag[2]):
        rewrite = _REWRITERS.get(name)
        if rewrite is None:
            attributes.append(f' {name}="{value}"')
        elif new_value := rewrite(unescape(value) if "&" in value else value, context, ids):
            attributes.append(f' {name}="{escape(new_value)}"')
    return f"<{tag[1]}{''.join(attributes)}>"


def _rewrite_url(reference: str, context: LinkContext, ids: frozenset[str]) -> str | None:
    """Return a reference as an absolute URL; None if it cannot be used. `ids` are those of the body."""
    if context.foreign_tags:
        reference = expand_url(reference, context.foreign_tags) or ""
    if not reference.strip():
        return None
    if reference[0] == "#" and unquote(reference[1:]) in ids:
        return make_absolute_url(context.page_url, f"#{context.id_prefix}{reference[1:]}")
    if match := _POST_FILE_LINK.match(reference):
        url = _find_named_post(match[1], context)
        return url + (match[2] or "") if url else None
    return _resolve_post_file(reference, context) or resolve_image_url(reference, context)


def resolve_image_url(reference: str, context: LinkContext) -> str | None:
    """Return the absolute URL of an attachment, or of any other reference that is no post; None if it cannot be used."""
    if reference[0] in "{|%_":
        reference = _PELICAN_STATIC_PREFIX.sub("", reference).removeprefix(_GHOST_SITE_URL) or "/"
        if match := _PELICAN_PAGE.fullmatch(reference):
            return make_absolute_url(context.page_url, "/") if match[1].lower() == "index" else None
    return _resolve_attachment(reference, context) or make_absolute_url(context.page_url, reference)


def _resolve_attachment(reference: str, context: LinkContext) -> str | None:
    """Return the URL of an attachment; None if the reference names none.

    Its path is relative to the post's folder, to `posts/`, or to the folder with the post's name. A name without a folder
    leads to the only file of that name in `posts/`, as in Obsidian.
    """
    match = _ATTACHMENT_LINK.match(reference)
    if not match:
        return None
    name = unquote(match[1])
    candidates = (join(dirname(context.path), name), name, join(splitext(context.path)[0], name))
    for path in candidates if name[0] != "/" else (name.lstrip("/"),):
        if url := context.link_targets.get(normpath(path)):
            return url + (match[2] or "")
    url = context.link_targets.get(ANYWHERE + name) if "/" not in name else None
    return url + (match[2] or "") if url else None


def _resolve_post_file(reference: str, context: LinkContext) -> str | None:
    """Return the page of the post whose file a relative link names (`../notes/x.txt`); None if there is none."""
    match = _FILE_LINK.match(reference)
    if not match:
        return None
    url = context.link_targets.get(normpath(join(dirname(context.path), unquote(match[1]))))
    return url + (match[2] or "") if url else None


def _find_named_post(name: str, context: LinkContext) -> str | None:
    """Return the page of the post that another tool names by its file, with or without suffix; None if there is none.

    The folder may be one of that tool, so that its first parts may not exist in `posts/`.
    """
    name = unquote(name)
    suffixes = [""] if splitext(name)[1].lower() in FORMAT_BY_SUFFIX else [*FORMAT_BY_SUFFIX, "/index.md"]
    relative_path = normpath(join(dirname(context.path), name)) if not name.startswith("/") else ""
    parts = normpath(name).lstrip("/").split("/")
    for path in (relative_path, *("/".join(parts[start:]) for start in range(len(parts)))):
        for suffix in suffixes:
            if path and (url := context.link_targets.get(path + suffix)):
                return url
    file_name = name if suffixes == [""] else f"{name.rstrip('/')}.md"
    return context.link_targets.get(ANYWHERE + post_stem(file_name))


def _prefix_id(value: str, context: LinkContext, _ids: frozenset[str]) -> str:
    value = "-".join(value.split())
    return context.id_prefix + value if value else ""


def _prefix_ids(value: str, context: LinkContext, ids: frozenset[str]) -> str:
    return " ".join(context.id_prefix + name for name in value.split() if name in ids)


def _filter_classes(value: str, _context: LinkContext, _ids: frozenset[str]) -> str:
    return " ".join(class_name for class_name in value.split() if _ALLOWED_CLASS.fullmatch(class_name))


_REWRITERS: dict[str, Callable[[str, LinkContext, frozenset[str]], str | None]] = {
    "href": _rewrite_url,
    "src": _rewrite_url,
    "cite": _rewrite_url,
    "poster": _rewrite_url,
    "id": _prefix_id,
    "headers": _prefix_ids,
    "class": _filter_classes,
}
