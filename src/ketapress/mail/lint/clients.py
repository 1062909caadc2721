"""What mail clients do not show: a chosen list, each with who throws it away.

Drawn from the tables of caniemail.com (MIT) as of 2026 and from trials; only what is lost for many readers is in it.
"""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from ketapress.mail.lint.document import Page, excerpt, parse_declarations
from ketapress.model.errors import Problem

_UNSUPPORTED_ELEMENTS = {
    "audio": "most clients play no sound",
    "base": "web mail removes it, and every address with it",
    "button": "Outlook and web mail remove what is pressed in it",
    "canvas": "nothing draws on it",
    "embed": "every client removes it",
    "form": "Outlook removes it, and filters dislike it",
    "iframe": "every client removes it",
    "input": "Outlook removes it",
    "link": "Gmail and Outlook load no style sheet",
    "object": "every client removes it",
    "picture": "Gmail and Outlook show its plain <img> at best",
    "script": "every client removes it, and filters quarantine it",
    "select": "Outlook removes it",
    "svg": "Gmail and Outlook remove it",
    "textarea": "Outlook removes it",
    "video": "Gmail and Outlook do not play it",
}
_UNSUPPORTED_STYLES = (
    (re.compile(r"\bvar\("), "Gmail, Outlook and Yahoo know no variables"),
    (re.compile(r"\b(?:calc|min|max|clamp)\("), "Outlook and Yahoo do not calculate"),
    (re.compile(r"!\s*important"), "Outlook ignores the whole declaration, and no style sheet can change it"),
    (re.compile(r"^display:\s*(?:inline-)?(?:flex|grid)"), "Outlook puts everything below each other"),
    (re.compile(r"^position:\s*(?!static)"), "Gmail and Outlook leave it where it is"),
    (re.compile(r"^float:\s*(?!none)"), "Outlook lets nothing float"),
    (re.compile(r"^margin[a-z-]*:(?:.*\s)?-\d"), "Gmail removes margins below zero"),
    (re.compile(r"\d(?:rem|vh|vw|ch)\b"), "Outlook and Yahoo know no such unit; write px"),
    (re.compile(r"\b(?:oklch|oklab|lab|lch|color-mix|light-dark)\(|rgba?\([^),]*[ /][^),]*\)"), "Gmail, Outlook and Yahoo know no such colour; write #rrggbb"),
    (re.compile(r"^(?:margin|padding|border|inset)-(?:inline|block)"), "only Apple and Samsung know it; write left and right"),
    (re.compile(r"^font-size:\s*(?:[0-9]|1[01])(?:\.\d+)?px"), "text below 12 px is not readable on a phone"),
)  # fmt: skip


def client_problems(page: Page) -> Iterator[Problem]:
    """Elements, attributes and inline styles that many clients drop."""
    for element in page.elements():
        if element.tag in _UNSUPPORTED_ELEMENTS:
            yield page.error(
                "not-shown",
                element,
                f"<{element.tag}> does not work in mail: {_UNSUPPORTED_ELEMENTS[element.tag]}.",
                "Take it out; link to a page that has it.",
            )
        yield from _attribute_problems(page, element)
    known_declarations: set[str] = set()
    for element in page.elements():
        for name, value in parse_declarations(element.get("style") or "").items():
            declaration = f"{name}:{value}".lower()
            if declaration in known_declarations:
                continue
            known_declarations.add(declaration)
            for pattern, reason in _UNSUPPORTED_STYLES:
                if pattern.search(declaration):
                    yield page.warning(
                        "style-not-shown",
                        element,
                        f"`{excerpt(declaration)}` on <{element.tag}> is lost: {reason}.",
                        "Do without it, or keep it in the second <style> for clients that know it.",
                    )


def _attribute_problems(page: Page, element: HtmlElement) -> Iterator[Problem]:
    for name in element.attrib:
        if str(name).startswith("on"):
            yield page.error("handler", element, f"`{name}` on <{element.tag}> is a script.", "Take it out.")
        elif name in ("srcset", "hidden", "background"):
            yield page.warning(
                "attribute-not-shown",
                element,
                f"`{name}` on <{element.tag}> is ignored by Gmail, Outlook or Yahoo.",
                "Do not count on it.",
            )
