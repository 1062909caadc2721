"""What people see, hear and press: pictures, links, headings, tables, the way out, and what a template left behind."""

import html
import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import unquote

from lxml.html import HtmlElement

from ketapress.mail.lint.page import Page, fault, is_hidden, own_texts, shown
from ketapress.mail.markup import host, seeming_host, text_of
from ketapress.model.edition import Edition
from ketapress.model.errors import Problem

_FILE_NAME = re.compile(r"[^\s/]+\.(?:jpe?g|png|gif|webp|svg|avif)", re.IGNORECASE)
_PICTURE = re.compile(r"(?:https?|cid):.", re.IGNORECASE)
_DRAWN_NOWHERE = re.compile(r"\.(?:svgz?|webp|avif|heic|jxl)(?:[?#]|\Z)", re.IGNORECASE)
_LEADS = re.compile(r"(?:https?://[^/]|mailto:.|tel:.|sms:.)", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)
_MARK = re.compile(r"\{\{.{0,200}?\}\}|\{%.{0,200}?%\}|\{#.{0,200}?#\}", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def picture_problems(page: Page) -> Iterator[Problem]:
    """A name, an address and a width for every picture."""
    for image in page.elements("img"):
        source, alt = image.get("src") or "", image.get("alt")
        name = shown(source)
        if alt is None:
            yield page.error(
                "alt-missing",
                image,
                f"the picture {name} has no `alt`: who does not see it is read its address.",
                'Say in `alt` what it shows; alt="" where it is mere ornament.',
            )
        elif _FILE_NAME.fullmatch(alt.strip()):
            yield page.warning(
                "alt-file-name",
                image,
                f"the picture {name} is named by its file, {shown(alt)}.",
                "Say in `alt` what it shows.",
            )
        if not _PICTURE.match(source):
            yield page.error(
                "picture-address",
                image,
                f"the picture's address {name or 'is empty and'} leads nowhere from a mail: Gmail drops `data:`, and nothing else is a full address.",
                "Write its full address, https://….",
            )
        elif _DRAWN_NOWHERE.search(source.partition("?")[0]):
            yield page.warning(
                "picture-format",
                image,
                f"the picture {name} is in a format that Gmail or Outlook leave blank.",
                "Use PNG, JPEG or GIF.",
            )
        if not (image.get("width") or "").isdecimal():
            yield page.warning(
                "picture-width",
                image,
                f"the picture {name} has no width in whole pixels: Outlook draws it as large as its file.",
                'Write width="…" on it.',
            )


def link_problems(page: Page) -> Iterator[Problem]:
    """Every link leads somewhere, and there where it says."""
    names = {each.get("id") or each.get("name") for each in page.elements()}
    for link in page.elements("a"):
        address = link.get("href")
        if address is None and (link.get("id") or link.get("name")):
            continue
        yield from _address_problems(page, link, (address or "").strip(), names)
        label = text_of(link)
        if not label and not any((each.get("alt") or "").strip() for each in link.iter("img")):
            yield page.error(
                "link-empty",
                link,
                f"the link to {shown(address or '')} has no text: nobody can see or hear where it leads.",
                "Give it a text, or its picture an `alt`.",
            )
        seems, real = seeming_host(label), host(address or "")
        if seems and real and seems != real:
            # `Next.js` is a title and no host, though a filter may think so: that holds no edition.
            report = page.error if _ADDRESS.match(label) else page.warning
            yield report(
                "link-disguised",
                link,
                f"the link reads {shown(label)} and leads to {shown(real)}: filters take that for phishing.",
                "Let it read as words, or as the address that it leads to.",
            )


def _address_problems(
    page: Page, link: HtmlElement, address: str, names: set[str | None]
) -> Iterator[Problem]:
    label = shown(text_of(link)) or "a link without text"
    if address.startswith("#"):
        if unquote(address[1:]) not in names and address[1:] not in names:
            yield page.warning(
                "link-nowhere",
                link,
                f"“{label}” leads to {shown(address)}, which is not in this letter.",
                "Mend the address, or take the link away.",
            )
    elif not address:
        yield page.error("link-address", link, f"“{label}” leads nowhere.", "Write its address.")
    elif not _LEADS.match(address):
        relative = not _SCHEME.match(address)
        yield page.error(
            "link-relative" if relative else "link-scheme",
            link,
            f"“{label}” leads to {shown(address)}, which "
            + ("is no full address." if relative else "no mail client opens: it may be a script."),
            "Write a full address, https://….",
        )


def heading_problems(page: Page) -> Iterator[Problem]:
    """One h1, first; below it no level is skipped: people who listen go from heading to heading."""
    headings = [each for each in page.elements(*_HEADINGS) if not is_hidden(each)]
    count = sum(each.tag == "h1" for each in headings)
    if count != 1:
        yield fault(
            "heading-first",
            f"there are {count} headings h1, and there has to be one.",
            "Make the name an h1, and titles h2.",
        )
    for above, heading in pairwise(headings):
        if int(heading.tag[1]) > int(above.tag[1]) + 1:
            yield page.warning(
                "heading-skipped",
                heading,
                f"the {heading.tag} “{shown(text_of(heading))}” comes right after an {above.tag}: a level is missing.",
                f"Make it an h{int(above.tag[1]) + 1}.",
            )


def structure_problems(page: Page) -> Iterator[Problem]:
    """Language and direction, said twice because web mail drops <html>; tables that are layout say so."""
    inside = page.root.xpath("//body/descendant-or-self::*[@lang and @dir]")
    if not (page.root.get("lang") and page.root.get("dir")) or not inside:
        yield fault(
            "language",
            "`lang` and `dir` are not both on <html> and again inside <body>: it is read out in a wrong voice.",
            'Write lang="{{ lang }}" dir="{{ dir }}" on <html> and on the element around all text.',
        )
    for table in page.elements("table"):
        if table.get("role") != "presentation" and not table.xpath(".//th"):
            yield page.error(
                "table-role",
                table,
                "a table has neither headers nor role=presentation: its cells are read out one by one.",
                'Write role="presentation" on tables that are layout, and <th> into those that are data.',
            )


def leftover_problems(page: Page, text: str, edition: Edition) -> Iterator[Problem]:
    """Marks of a template that was not filled; what posts write about templates is theirs."""
    written = _squeezed(" ".join(f"{each.title} {each.summary} {each.html}" for each in edition.posts))
    in_html = [
        mark
        for element in page.elements()
        if element.tag not in ("style", "script") and page.post_of(element) is None
        for value in (*own_texts(element), *element.attrib.values())
        for mark in _MARK.findall(str(value))
    ]
    quoted = "{{" in written or "{%" in written or "{#" in written
    for mark in [*in_html, *([] if quoted else _MARK.findall(text))]:
        if _squeezed(mark) not in written:
            yield fault(
                "template-mark",
                f"{shown(mark)} stands in the letter as it was written in the template.",
                "Mend the template, or the setting that holds it: nothing fills a value that is filled in.",
            )


def _squeezed(text: str) -> str:
    return "".join(html.unescape(_TAG.sub("", text)).split())


def leaving_problems(page: Page, text: str, address: str) -> Iterator[Problem]:
    """The link to unsubscribe, to be seen in both parts. `address` is the one of the header."""
    links = [each for each in page.elements("a") if address and each.get("href") == address]
    if not any(text_of(each) and not is_hidden(each) for each in links):
        yield fault(
            "unsubscribe-html",
            "nobody can see a link to unsubscribe in the HTML; Google and Yahoo ask for one.",
            'Write <a href="{{ reader.unsubscribe_url }}">{{ words.unsubscribe }}</a> into the foot.',
        )
    if not address or address not in text:
        yield fault(
            "unsubscribe-text",
            "the text part has no address to unsubscribe.",
            "Write {{ reader.unsubscribe_url }} into it.",
            path="templates/mail/digest.txt",
        )
