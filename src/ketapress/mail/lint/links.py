"""Links: each has a valid target that its text does not disguise, and one of them unsubscribes."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from lxml.html import HtmlElement

from ketapress.mail.body.dom import apparent_host, is_link_url, text_content, url_host
from ketapress.mail.lint.document import Page, excerpt, is_hidden, mail_problem
from ketapress.model.errors import Problem

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_URL_TEXT = re.compile(r"https?://|www\.", re.IGNORECASE)


def link_problems(page: Page) -> Iterator[Problem]:
    """Yield links without a target or a text, and links whose text names another host."""
    names = {element.get("id") or element.get("name") for element in page.elements()}
    for link in page.elements("a"):
        url = link.get("href")
        if url is None and (link.get("id") or link.get("name")):
            continue
        yield from _url_problems(page, link, (url or "").strip(), names)
        label = text_content(link)
        if not label and not any((element.get("alt") or "").strip() for element in link.iter("img")):
            yield page.error(
                "link-empty",
                link,
                f"the link to {excerpt(url or '')} has no text.",
                "Give it a text, or give its image an `alt`.",
            )
        text_host, link_host = apparent_host(label), url_host(url or "")
        if text_host and link_host and text_host != link_host:
            # A filter may take `Next.js` for a host, but it is a title: only a warning, which holds no edition.
            report = page.error if _URL_TEXT.match(label) else page.warning
            yield report(
                "link-disguised",
                link,
                f"the link text is {excerpt(label)}, but the link leads to {excerpt(link_host)}: filters take that for phishing.",
                "Use words as its text, or the URL that it leads to.",
            )


def _url_problems(page: Page, link: HtmlElement, url: str, names: set[str | None]) -> Iterator[Problem]:
    text = excerpt(text_content(link))
    label = f"the link “{text}”" if text else "a link without text"
    if url.startswith("#"):
        if unquote(url[1:]) not in names and url[1:] not in names:
            yield page.warning(
                "link-nowhere",
                link,
                f"{label} leads to {excerpt(url)}, which is not in this message.",
                "Fix the URL, or remove the link.",
            )
    elif not url:
        yield page.error("link-address", link, f"{label} has no URL.", "Set its `href`.")
    elif not is_link_url(url):
        is_relative = not _SCHEME.match(url)
        yield page.error(
            "link-relative" if is_relative else "link-scheme",
            link,
            f"{label} leads to {excerpt(url)}, which "
            + ("is not a full URL." if is_relative else "mail clients do not open: it may be a script."),
            "Use a full URL, https://….",
        )


def unsubscribe_problems(page: Page, text: str, url: str) -> Iterator[Problem]:
    """Yield parts without a visible unsubscribe link; `url` is the one in the header."""
    links = [link for link in page.elements("a") if url and link.get("href") == url]
    if not any(text_content(link) and not is_hidden(link) for link in links):
        yield mail_problem(
            "unsubscribe-html",
            "the HTML part has no visible unsubscribe link; Google and Yahoo require one.",
            'Add <a href="{{ reader.unsubscribe_url }}">{{ words.unsubscribe }}</a> to the footer.',
        )
    if not url or url not in text:
        yield mail_problem(
            "unsubscribe-text",
            "the text part has no unsubscribe URL.",
            "Add {{ reader.unsubscribe_url }} to it.",
            path="templates/mail/digest.txt",
        )
