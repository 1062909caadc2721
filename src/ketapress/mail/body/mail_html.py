"""Convert the sanitized HTML of a post to HTML that every mail client shows, with the same content in the same order.

It fetches nothing and does not rely on a strict sanitizer.
"""

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple
from urllib.parse import unquote

from lxml.html import HtmlElement

from ketapress.i18n.mail_messages import MailMessages
from ketapress.mail.body.bidi import detect_direction, has_rtl
from ketapress.mail.body.dom import (
    BLOCK_TAGS,
    INLINE_TAGS,
    NON_CONTENT_TAGS,
    apparent_host,
    append_text,
    contains,
    is_link_url,
    new_element,
    parse_fragment,
    serialize_fragment,
    text_content,
    url_host,
)
from ketapress.mail.body.images import fit_images, fix_images, label_linked_images, link_embeds
from ketapress.mail.body.lists import fix_lists
from ketapress.mail.body.tables import fix_tables

_CODE_TAGS = frozenset(["pre", "code"])
_LIST_STYLES = {"ltr": "text-align:left;margin:0 0 18px 26px", "rtl": "text-align:right;margin:0 26px 18px 0"}
# A list item aligns with its list, or its marker would stand on the other side.
_TEXT_BLOCK_TAGS = BLOCK_TAGS - frozenset(["div", "dl", "hr", "li", "table", "tbody", "tfoot", "thead", "tr"])
_ALIGNABLE_TAGS = _TEXT_BLOCK_TAGS - frozenset(["dd", "dt", "td", "th"])


class FragmentContext(NamedTuple):
    """What a fragment needs to know about its place: prefix of its ids, URL of the post, direction, width in CSS pixels."""

    id_prefix: str
    post_url: str
    direction: str
    width: int
    messages: MailMessages


@lru_cache(maxsize=256)
def to_mail_html(source: str, context: FragmentContext) -> str:
    """Convert a fragment: headings from h3 on, ids with the prefix, and images, tables and links for every client."""
    root = parse_fragment(source)
    for element in list(root.iter(*NON_CONTENT_TAGS)):
        element.drop_tree()
    link_embeds(root, context.messages)
    fix_images(root, context.messages)
    fix_lists(root)
    _unwrap_code(root)
    _number_ids(root, context)
    _fix_links(root)
    _push_inlines_into_blocks(root)
    label_linked_images(root, context.messages)
    _wrap_loose_text(root)
    _renumber_headings(root)
    fix_tables(root)
    fit_images(root, context.width)
    _set_directions(root, context.direction)
    return serialize_fragment(root)


def _number_ids(root: HtmlElement, context: FragmentContext) -> None:
    """Assign numbers to the ids that links of the post use, with its prefix; remove other ids and links to missing ids."""
    for anchor in root.iter("a"):
        name = anchor.attrib.pop("name", "")
        if name and not anchor.get("id"):
            anchor.set("id", name)
    targets = {target for link in root.iter("a") if (target := _local_target(link, context.post_url))}
    new_ids: dict[str, str] = {}
    for element in root.iterdescendants():
        element_id = element.attrib.pop("id", "")
        if element_id in targets and element_id not in new_ids:
            new_ids[element_id] = f"{context.id_prefix}-{len(new_ids) + 1}"
            element.set("id", new_ids[element_id])
    for link in root.iter("a"):
        if target := _local_target(link, context.post_url):
            link.set("href", f"#{new_ids[target]}" if target in new_ids else "")


def _local_target(link: HtmlElement, post_url: str) -> str:
    """Return the id in the same post that a link leads to; an empty string for other links."""
    url, separator, fragment = (link.get("href") or "").partition("#")
    return unquote(fragment) if separator and url in ("", post_url) else ""


def _fix_links(root: HtmlElement) -> None:
    """Remove links that lead nowhere in mail; add the host where the text names another one."""
    for link in list(root.iter("a")):
        url = (link.get("href") or "").strip()
        text = text_content(link)
        has_content = text or contains(link, "img")
        if not has_content or not (url.startswith("#") or is_link_url(url)) or _is_local_url(url):
            _remove_link(link)
            continue
        link.set("href", url)
        text_host, link_host = apparent_host(text), url_host(url)
        if text_host and link_host and text_host != link_host:
            # Filters take a link whose text names another host for phishing.
            append_text(link, f" ({link_host})")


def _is_local_url(url: str) -> bool:
    """Return whether a URL means the reader's own machine, as a forgotten development link does."""
    host_name = url_host(url).partition(":")[0]
    return bool(host_name) and (
        "." not in host_name
        or host_name.endswith(".localhost")
        or re.fullmatch(r"127(?:\.\d+){3}", host_name) is not None
    )


def _remove_link(link: HtmlElement) -> None:
    link.attrib.pop("href", None)
    if link.get("id"):
        link.tag = "span"
    else:
        link.drop_tag()


def _push_inlines_into_blocks(root: HtmlElement) -> None:
    """Move a link or an emphasis around blocks into the blocks: libxml2 and Outlook break the outer element."""
    for element in reversed(list(root.iter(*INLINE_TAGS))):
        blocks = [descendant for descendant in element.iterdescendants() if descendant.tag in BLOCK_TAGS]
        if blocks:
            names = [name for name in element.attrib if name != "id"]  # the id stays where links find it
            attributes = {name: str(element.attrib.pop(name)) for name in names}
            wrapper = partial(new_element, element.tag, **attributes)
            element.tag = "div"
            for block in (element, *blocks):
                _wrap_runs(block, wrapper)
    for paragraph in root.iter("p"):
        if any(child.tag in BLOCK_TAGS for child in paragraph):
            paragraph.tag = "div"


def _unwrap_code(root: HtmlElement) -> None:
    """Remove <code> in <pre>: its background would stick out where spaces end a line."""
    for code in root.xpath(".//pre//code | .//pre//samp | .//pre//kbd | .//pre//span"):
        code.drop_tag()


def _wrap_loose_text(root: HtmlElement) -> None:
    """Wrap loose text between blocks in paragraphs."""
    for block in [root, *root.iter("div", "blockquote")]:
        _wrap_runs(block, lambda: new_element("p"))


def _wrap_runs(block: HtmlElement, wrapper: Callable[[], HtmlElement]) -> None:
    """Wrap each run of text and inline elements that are direct children of a block."""
    run = wrapper()
    run.text, block.text = block.text, None
    for child in list(block):
        tail, child.tail = child.tail, None
        if child.tag in BLOCK_TAGS:
            _append_if_visible(block, run)
            block.append(child)
            run = wrapper()
            run.text = tail
        else:
            run.append(child)
            child.tail = tail
    _append_if_visible(block, run)


def _append_if_visible(block: HtmlElement, run: HtmlElement) -> None:
    if text_content(run) or contains(run, "img"):
        block.append(run)


def _renumber_headings(root: HtmlElement) -> None:
    """Renumber the headings from h3 on, below the post's title (h2), without skipping a level."""
    level = 2
    for heading in root.iter("h2", "h3", "h4", "h5", "h6"):
        level = min(int(heading.tag[1]) + 1, level + 1, 6)
        heading.tag = f"h{level}"


def _set_directions(root: HtmlElement, base_direction: str) -> None:
    """Set `dir` and alignment on elements whose direction differs from their parent's. Code is left-to-right."""
    for element in root.iterdescendants():
        parent_direction = next(
            (
                ancestor.get("dir")
                for ancestor in element.iterancestors()
                if ancestor.get("dir") in _LIST_STYLES
            ),
            base_direction,
        )
        own_direction = _element_direction(element, parent_direction)
        if own_direction and own_direction != parent_direction:
            element.set("dir", own_direction)
            _align(element, own_direction)
        elif own_direction == "ltr" == parent_direction and has_rtl(text_content(element)):
            element.set("dir", "auto")


def _element_direction(element: HtmlElement, parent_direction: str) -> str:
    """Return the author's `dir`, else the direction of a text block's letters; an empty string where neither exists."""
    author_direction = str(element.attrib.pop("dir", "")).lower()
    if element.tag in _CODE_TAGS:
        return "ltr"
    if author_direction in _LIST_STYLES:
        return author_direction
    if element.tag not in _TEXT_BLOCK_TAGS:
        return ""
    # Without code, which says nothing about the language of the text.
    text = "".join(element.xpath(".//text()[not(ancestor::code or ancestor::pre)]"))
    return detect_direction(text, parent_direction)


def _align(element: HtmlElement, direction: str) -> None:
    if element.tag in ("ul", "ol"):
        element.set("style", _LIST_STYLES[direction])
    elif element.tag in _ALIGNABLE_TAGS and "style" not in element.attrib:
        element.set("style", f"text-align:{'left' if direction == 'ltr' else 'right'}")
