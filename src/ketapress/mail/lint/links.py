"""Links: each leads somewhere, there where it says, and one leads out."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from lxml.html import HtmlElement

from ketapress.mail.body.dom import host, seeming_host, text_of
from ketapress.mail.lint.document import Page, fault, is_hidden, shown
from ketapress.model.errors import Problem

_LEADS = re.compile(r"(?:https?://[^/]|mailto:.|tel:.|sms:.)", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)


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
