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
from ketapress.mail.lint.source_line import find_source_line
from ketapress.mail.render import post_anchor
from ketapress.model.edition import Edition
from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Post

TEMPLATE_PATH = "templates/mail/digest.html"
_EXCERPT_LENGTH = 60  # characters of what is shown in a message
ReadSource = Callable[[str], str]
"""What a post's file holds, by its path inside `posts/`; empty where it is not known."""

_CELL_TAGS = frozenset(["td", "div", "article", "section"])


class Page(NamedTuple):
    """A parsed page. `posts` tells the cell of each post of the edition, `source` what its author wrote."""

    root: HtmlElement
    posts: Mapping[HtmlElement, Post]
    read_source: ReadSource

    def elements(self, *tags: str) -> Iterator[HtmlElement]:
        """Elements in the order of the document, without comments."""
        return (element for element in self.root.iter(*tags) if isinstance(element.tag, str))

    def post_of(self, element: HtmlElement) -> Post | None:
        """The post in whose cell an element stands; None where the template wrote it."""
        posts = (self.posts.get(ancestor) for ancestor in (element, *element.iterancestors()))
        return next((post for post in posts if post), None)

    def error(self, code: str, element: HtmlElement, message: str, cure: str) -> Problem:
        return self._problem(code, element, message, cure, Severity.ERROR)

    def warning(self, code: str, element: HtmlElement, message: str, cure: str) -> Problem:
        return self._problem(code, element, message, cure, Severity.WARNING)

    def _problem(
        self, code: str, element: HtmlElement, message: str, cure: str, severity: Severity
    ) -> Problem:
        """The problem in its post, and there on its line; in the template where no post is to blame."""
        post = self.post_of(element)
        line = find_source_line(self.read_source(post.path), element) if post else None
        return mail_problem(code, message, cure, post, severity=severity)._replace(line=line)


def parse_page(document: str, edition: Edition, read_source: ReadSource) -> Page:
    """The page as a browser would read it, more or less; an empty one is an empty tree."""
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        root = lxml.html.document_fromstring(document.encode(), parser=parser)
    except ParserError:  # there is no element in it
        root = new_element("html")
    posts = {post_anchor(number): item.post for number, item in enumerate(edition.items, start=1)}
    cells: dict[HtmlElement, Post] = {}
    for element in root.iter("a", "h1", "h2", "h3", "tr", *_CELL_TAGS):
        post = posts.pop(element.get("id", ""), None)
        if post:
            ancestors = (element, *element.iterancestors())
            cells[next((ancestor for ancestor in ancestors if ancestor.tag in _CELL_TAGS), element)] = post
    return Page(root, cells, read_source)


def mail_problem(
    code: str,
    message: str,
    cure: str,
    post: Post | None = None,
    *,
    path: str = TEMPLATE_PATH,
    severity: Severity = Severity.ERROR,
) -> Problem:
    """A problem of the letter, placed in the post that it comes from, else in the template or the settings."""
    full_message = f"In mail, “{excerpt(post.title)}”: {message}" if post else f"In mail: {message}"
    problem_path = f"posts/{post.path}" if post else path
    return Problem(code=f"mail.{code}", message=full_message, cure=cure, path=problem_path, severity=severity)


def parse_declarations(style: str) -> dict[str, str]:
    """What a `style` attribute declares, by property in lower case; the last of a name counts."""
    pairs = (declaration.partition(":") for declaration in style.split(";"))
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def direct_texts(element: HtmlElement) -> list[str]:
    """The pieces of text that stand directly in an element."""
    return [text for text in (element.text, *(child.tail for child in element)) if text]


def is_hidden(element: HtmlElement) -> bool:
    """Whether the element or one around it is not displayed."""
    return any(
        re.search(r"display\s*:\s*none", ancestor.get("style") or "", re.IGNORECASE)
        for ancestor in (element, *element.iterancestors())
    )


def excerpt(text: str) -> str:
    """Foreign text as a message can show it: one line, not too long, nothing that a terminal obeys."""
    line = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(line.split())
    return line if len(line) <= _EXCERPT_LENGTH else f"{line[:_EXCERPT_LENGTH]}…"
