"""The HTML part as a tree that knows its posts.

In: an edition and its page. Out: elements, what they declare, and Problems that name the post which is to blame.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import lxml.html
from lxml.etree import ParserError
from lxml.html import HtmlElement

from ketapress.mail.body.dom import new_element
from ketapress.mail.lint.source_line import line_of
from ketapress.mail.render import anchor
from ketapress.model.edition import Edition
from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Post

TEMPLATES = "templates/mail/digest.html"
_EXCERPT = 60  # characters of what is shown in a message
Source = Callable[[str], str]
"""What a post's file holds, by its path inside `posts/`; empty where it is not known."""

_CELLS = frozenset(["td", "div", "article", "section"])


class Page(NamedTuple):
    """A parsed page. `posts` tells the cell of each post of the edition, `source` what its author wrote."""

    root: HtmlElement
    posts: Mapping[HtmlElement, Post]
    source: Source

    def elements(self, *tags: str) -> Iterator[HtmlElement]:
        """Elements in the order of the document, without comments."""
        return (each for each in self.root.iter(*tags) if isinstance(each.tag, str))

    def post_of(self, element: HtmlElement) -> Post | None:
        """The post in whose cell an element stands; None where the template wrote it."""
        around = (self.posts.get(each) for each in (element, *element.iterancestors()))
        return next((post for post in around if post), None)

    def error(self, code: str, element: HtmlElement, message: str, cure: str) -> Problem:
        return self._blamed(code, element, message, cure, Severity.ERROR)

    def warning(self, code: str, element: HtmlElement, message: str, cure: str) -> Problem:
        return self._blamed(code, element, message, cure, Severity.WARNING)

    def _blamed(
        self, code: str, element: HtmlElement, message: str, cure: str, severity: Severity
    ) -> Problem:
        """The problem in its post, and there on its line; in the template where no post is to blame."""
        post = self.post_of(element)
        line = line_of(self.source(post.path), element) if post else None
        return fault(code, message, cure, post, severity=severity)._replace(line=line)


def parsed_page(document: str, edition: Edition, source: Source) -> Page:
    """The page as a browser would read it, more or less; an empty one is an empty tree."""
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        root = lxml.html.document_fromstring(document.encode(), parser=parser)
    except ParserError:  # there is no element in it
        root = new_element("html")
    posts = {anchor(number): item.post for number, item in enumerate(edition.items, start=1)}
    cells: dict[HtmlElement, Post] = {}
    for element in root.iter("a", "h1", "h2", "h3", "tr", *_CELLS):
        post = posts.pop(element.get("id", ""), None)
        if post:
            around = (element, *element.iterancestors())
            cells[next((each for each in around if each.tag in _CELLS), element)] = post
    return Page(root, cells, source)


def fault(
    code: str,
    message: str,
    cure: str,
    post: Post | None = None,
    *,
    path: str = TEMPLATES,
    severity: Severity = Severity.ERROR,
) -> Problem:
    """A problem of the letter, placed in the post that it comes from, else in the template or the settings."""
    said = f"In mail, “{shown(post.title)}”: {message}" if post else f"In mail: {message}"
    place = f"posts/{post.path}" if post else path
    return Problem(code=f"mail.{code}", message=said, cure=cure, path=place, severity=severity)


def declarations(style: str) -> dict[str, str]:
    """What a `style` attribute declares, by property in lower case; the last of a name counts."""
    pairs = (each.partition(":") for each in style.split(";"))
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def own_texts(element: HtmlElement) -> list[str]:
    """The pieces of text that stand directly in an element."""
    return [text for text in (element.text, *(each.tail for each in element)) if text]


def is_hidden(element: HtmlElement) -> bool:
    """Whether the element or one around it is not displayed."""
    return any(
        re.search(r"display\s*:\s*none", each.get("style") or "", re.IGNORECASE)
        for each in (element, *element.iterancestors())
    )


def shown(text: str) -> str:
    """Foreign text as a message can show it: one line, not too long, nothing that a terminal obeys."""
    line = "".join(each if each.isprintable() else " " for each in text)
    line = " ".join(line.split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}…"
