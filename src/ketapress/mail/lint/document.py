"""The parsed HTML part: elements, their declarations, and Problems located in the post that an element comes from."""

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
_EXCERPT_LENGTH = 60  # characters in a problem's message
ReadSource = Callable[[str], str]
"""Return the text of a post's file by its path inside `posts/`; an empty string where it is unknown."""

_CELL_TAGS = frozenset(["td", "div", "article", "section"])


class Page(NamedTuple):
    """A parsed HTML part. `posts` maps the cell of each post in the edition to the post."""

    root: HtmlElement
    posts: Mapping[HtmlElement, Post]
    read_source: ReadSource

    def elements(self, *tags: str) -> Iterator[HtmlElement]:
        """Return elements in document order, without comments."""
        return (element for element in self.root.iter(*tags) if isinstance(element.tag, str))

    def post_of(self, element: HtmlElement) -> Post | None:
        """Return the post whose cell contains the element; None for an element of the template."""
        posts = (self.posts.get(ancestor) for ancestor in (element, *element.iterancestors()))
        return next((post for post in posts if post), None)

    def error(self, code: str, element: HtmlElement, message: str, cure: str) -> Problem:
        return self._problem(code, element, message, cure, Severity.ERROR)

    def warning(self, code: str, element: HtmlElement, message: str, cure: str) -> Problem:
        return self._problem(code, element, message, cure, Severity.WARNING)

    def _problem(
        self, code: str, element: HtmlElement, message: str, cure: str, severity: Severity
    ) -> Problem:
        """Build a problem located in the post's file and line, or in the template."""
        post = self.post_of(element)
        line = find_source_line(self.read_source(post.path), element) if post else None
        return mail_problem(code, message, cure, post, severity=severity)._replace(line=line)


def parse_page(document: str, edition: Edition, read_source: ReadSource) -> Page:
    """Parse the HTML part with libxml2's HTML parser; an empty document gives an empty tree."""
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        root = lxml.html.document_fromstring(document.encode(), parser=parser)
    except ParserError:  # the document has no element
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
    """Build a problem of a message, located in the post that it comes from, else in the template or the settings."""
    full_message = f"In mail, “{excerpt(post.title)}”: {message}" if post else f"In mail: {message}"
    problem_path = f"posts/{post.path}" if post else path
    return Problem(code=f"mail.{code}", message=full_message, cure=cure, path=problem_path, severity=severity)


def parse_declarations(style: str) -> dict[str, str]:
    """Return the declarations of a `style` attribute by property in lower case; the last of a name counts."""
    pairs = (declaration.partition(":") for declaration in style.split(";"))
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def direct_texts(element: HtmlElement) -> list[str]:
    """Return the texts that are direct children of an element."""
    return [text for text in (element.text, *(child.tail for child in element)) if text]


def is_hidden(element: HtmlElement) -> bool:
    """Return whether the element or an ancestor has `display: none`."""
    return any(
        re.search(r"display\s*:\s*none", ancestor.get("style") or "", re.IGNORECASE)
        for ancestor in (element, *element.iterancestors())
    )


def excerpt(text: str) -> str:
    """Return text for a problem's message: one line, shortened, without control characters for terminals."""
    line = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(line.split())
    return line if len(line) <= _EXCERPT_LENGTH else f"{line[:_EXCERPT_LENGTH]}…"
