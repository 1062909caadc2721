"""A post's HTML as mail can show it: only what every client draws, safe between the parts of a template.

In: a sanitised fragment with absolute URLs. Out: a fragment for the body of one post in a letter; the same content,
in the same order. It never fetches anything, and never trusts that the sanitiser was strict.
"""

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple
from urllib.parse import unquote

from lxml.html import HtmlElement

from ketapress.i18n.mail_messages import Words
from ketapress.mail.body.bidi import has_rtl, written_direction
from ketapress.mail.body.dom import (
    BLOCKS,
    INLINE,
    SILENT,
    append_text,
    holds,
    host,
    new_element,
    parsed_fragment,
    seeming_host,
    text_of,
    written_fragment,
)
from ketapress.mail.body.images import fit_images, link_embeds, mend_images, name_linked_images
from ketapress.mail.body.lists import mend_lists
from ketapress.mail.body.tables import mark_tables

_LINK = re.compile(r"(?:https?://[^/]|mailto:.|tel:.|sms:.)", re.IGNORECASE)
_CODE = frozenset(["pre", "code"])
_LISTS = {"ltr": "text-align:left;margin:0 0 18px 26px", "rtl": "text-align:right;margin:0 26px 18px 0"}
# An item leans with its list, or its mark would stand on the other side.
_TEXT_BLOCKS = BLOCKS - frozenset(["div", "dl", "hr", "li", "table", "tbody", "tfoot", "thead", "tr"])
_LEANING = _TEXT_BLOCKS - frozenset(["dd", "dt", "td", "th"])


class Frame(NamedTuple):
    """Where a fragment will stand: the prefix of its ids, its page on the web, its direction, the width in CSS pixels."""

    prefix: str
    page: str
    direction: str
    width: int
    words: Words


@lru_cache(maxsize=256)
def mail_fragment(source: str, frame: Frame) -> str:
    """The fragment with headings from h3 on, ids of its own, and images, tables and links that every client can show."""
    root = parsed_fragment(source)
    for element in list(root.iter(*SILENT)):
        element.drop_tree()
    link_embeds(root, frame.words)
    mend_images(root, frame.words)
    mend_lists(root)
    _bare_code(root)
    _number_ids(root, frame)
    _mend_links(root)
    _spread_inlines(root)
    name_linked_images(root, frame.words)
    _gather_paragraphs(root)
    _level_headings(root)
    mark_tables(root)
    fit_images(root, frame.width)
    _turn(root, frame.direction)
    return written_fragment(root)


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
        shown = text_of(link)
        filled = shown or holds(link, "img")
        if not filled or not (address.startswith("#") or _LINK.match(address)) or _is_own_machine(address):
            _unlink(link)
            continue
        link.set("href", address)
        _name_host(link, shown)


def _is_own_machine(address: str) -> bool:
    """Whether an address means the machine of whoever reads it: there is nothing, and filters suspect it."""
    name = host(address).partition(":")[0]
    return bool(name) and (
        "." not in name or name.endswith(".localhost") or re.fullmatch(r"127(?:\.\d+){3}", name) is not None
    )


def _unlink(link: HtmlElement) -> None:
    link.attrib.pop("href", None)
    if link.get("id"):
        link.tag = "span"
    else:
        link.drop_tag()


def _name_host(link: HtmlElement, shown: str) -> None:
    """A text that reads as another host than the link's is what phishing looks like to filters: name the real one."""
    seems, real = seeming_host(shown), host(link.get("href") or "")
    if seems and real and seems != real:
        append_text(link, f" ({real})")


def _spread_inlines(root: HtmlElement) -> None:
    """A link or an emphasis around blocks goes into them: libxml2 and Outlook tear the outer one apart."""
    for element in reversed(list(root.iter(*INLINE))):
        blocks = [each for each in element.iterdescendants() if each.tag in BLOCKS]
        if blocks:
            wrapper = partial(new_element, element.tag, **_without_id(element))
            element.tag = "div"
            for box in (element, *blocks):
                _wrap_runs(box, wrapper)
    for paragraph in root.iter("p"):
        if any(child.tag in BLOCKS for child in paragraph):
            paragraph.tag = "div"


def _without_id(element: HtmlElement) -> dict[str, str]:
    """An element's attributes, taken from it, but for its id, which it keeps."""
    return {name: str(element.attrib.pop(name)) for name in list(element.attrib) if name != "id"}


def _bare_code(root: HtmlElement) -> None:
    """Code in <pre> needs no <code>: its box would stick out where blanks hang at the end of a line."""
    for code in root.xpath(".//pre//code | .//pre//samp | .//pre//kbd | .//pre//span"):
        code.drop_tag()


def _gather_paragraphs(root: HtmlElement) -> None:
    """Text that stands loose between blocks becomes paragraphs."""
    for box in [root, *root.iter("div", "blockquote")]:
        _wrap_runs(box, lambda: new_element("p"))


def _wrap_runs(box: HtmlElement, wrapper: Callable[[], HtmlElement]) -> None:
    """Puts each run of text and inline elements that stands directly in a block into a wrapper of its own."""
    run = wrapper()
    run.text, box.text = box.text, None
    for child in list(box):
        tail, child.tail = child.tail, None
        if child.tag in BLOCKS:
            _append_visible(box, run)
            box.append(child)
            run = wrapper()
            run.text = tail
        else:
            run.append(child)
            child.tail = tail
    _append_visible(box, run)


def _append_visible(box: HtmlElement, run: HtmlElement) -> None:
    if text_of(run) or holds(run, "img"):
        box.append(run)


def _level_headings(root: HtmlElement) -> None:
    """Under the post's title, an h2; no level is skipped on the way down."""
    above = 2
    for heading in root.iter("h2", "h3", "h4", "h5", "h6"):
        above = min(int(heading.tag[1]) + 1, above + 1, 6)
        heading.tag = f"h{above}"


def _turn(root: HtmlElement, direction: str) -> None:
    """What runs the other way than what is around it says so, and leans to its own side. Code runs to the right."""
    for element in root.iterdescendants():
        around = next(
            (each.get("dir") for each in element.iterancestors() if each.get("dir") in _LISTS), direction
        )
        own = _way(element, around)
        if own and own != around:
            element.set("dir", own)
            _lean(element, own)
        elif own == "ltr" == around and has_rtl(text_of(element)):
            element.set("dir", "auto")


def _way(element: HtmlElement, around: str) -> str:
    """`ltr` or `rtl`, as the author says or the letters of a block of text do; empty where neither tells."""
    said = str(element.attrib.pop("dir", "")).lower()
    if element.tag in _CODE:
        return "ltr"
    if said in _LISTS:
        return said
    return written_direction(_prose(element), around) if element.tag in _TEXT_BLOCKS else ""


def _prose(element: HtmlElement) -> str:
    """The text of an element without its code, which tells nothing of its language."""
    return "".join(element.xpath(".//text()[not(ancestor::code or ancestor::pre)]"))


def _lean(element: HtmlElement, way: str) -> None:
    if element.tag in ("ul", "ol"):
        element.set("style", _LISTS[way])
    elif element.tag in _LEANING and "style" not in element.attrib:
        element.set("style", f"text-align:{'left' if way == 'ltr' else 'right'}")
