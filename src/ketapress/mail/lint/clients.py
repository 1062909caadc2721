"""Elements, attributes and styles that mail clients drop, each with the clients that do.

Selected from the tables of caniemail.com (MIT) as of 2026 and from trials: only what many readers lose.
"""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from ketapress.mail.lint.document import Page, excerpt, parse_declarations
from ketapress.model.errors import Problem

_UNSUPPORTED_ELEMENTS = {
    "audio": "most clients play no sound",
    "base": "web mail removes it, and relative links break",
    "button": "Outlook and web mail remove its action",
    "canvas": "it needs a script",
    "embed": "every client removes it",
    "form": "Outlook removes it, and filters distrust it",
    "iframe": "every client removes it",
    "input": "Outlook removes it",
    "link": "Gmail and Outlook load no external style sheet",
    "object": "every client removes it",
    "picture": "Gmail and Outlook show at most its <img>",
    "script": "every client removes it, and filters quarantine it",
    "select": "Outlook removes it",
    "svg": "Gmail and Outlook remove it",
    "textarea": "Outlook removes it",
    "video": "Gmail and Outlook do not play it",
}
_UNSUPPORTED_STYLES = (
    (re.compile(r"\bvar\("), "Gmail, Outlook and Yahoo do not support variables"),
    (re.compile(r"\b(?:calc|min|max|clamp)\("), "Outlook and Yahoo do not support this function"),
    (re.compile(r"!\s*important"), "Outlook ignores the whole declaration, and no style sheet can override it"),
    (re.compile(r"^display:\s*(?:inline-)?(?:flex|grid)"), "Outlook stacks the items"),
    (re.compile(r"^position:\s*(?!static)"), "Gmail and Outlook ignore it"),
    (re.compile(r"^float:\s*(?!none)"), "Outlook ignores it"),
    (re.compile(r"^margin[a-z-]*:(?:.*\s)?-\d"), "Gmail removes negative margins"),
    (re.compile(r"\d(?:rem|vh|vw|ch)\b"), "Outlook and Yahoo do not support this unit; use px"),
    (re.compile(r"\b(?:oklch|oklab|lab|lch|color-mix|light-dark)\(|rgba?\([^),]*[ /][^),]*\)"), "Gmail, Outlook and Yahoo do not support this color syntax; use #rrggbb"),
    (re.compile(r"^(?:margin|padding|border|inset)-(?:inline|block)"), "only Apple and Samsung support it; use left and right"),
    (re.compile(r"^font-size:\s*(?:[0-9]|1[01])(?:\.\d+)?px"), "text below 12 px is too small on a phone"),
)  # fmt: skip


def client_problems(page: Page) -> Iterator[Problem]:
    """Yield a problem for each element, attribute and inline style that many clients drop."""
    for element in page.elements():
        if element.tag in _UNSUPPORTED_ELEMENTS:
            yield page.error(
                "not-shown",
                element,
                f"<{element.tag}> does not work in mail: {_UNSUPPORTED_ELEMENTS[element.tag]}.",
                "Remove it, or link to a page that has it.",
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
                        f"`{excerpt(declaration)}` on <{element.tag}> does not work: {reason}.",
                        "Remove it, or move it to the second <style> for clients that support it.",
                    )


def _attribute_problems(page: Page, element: HtmlElement) -> Iterator[Problem]:
    for name in element.attrib:
        if str(name).startswith("on"):
            yield page.error("handler", element, f"`{name}` on <{element.tag}> is a script.", "Remove it.")
        elif name in ("srcset", "hidden", "background"):
            yield page.warning(
                "attribute-not-shown",
                element,
                f"`{name}` on <{element.tag}> is ignored by Gmail, Outlook or Yahoo.",
                "Remove it, or make sure that the message is readable without it.",
            )
