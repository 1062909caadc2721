"""Contrast: every text against the background it stands on, by day and by night.

In: a page with its styles on its elements, and perhaps an `@media (prefers-color-scheme: dark)`. The measure is that of
WCAG 2.2. A colour that cannot be read off is not judged.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cssselect import SelectorError
from lxml.html import HtmlElement

from ketapress.mail.lint.document import Page, declarations, is_hidden, own_texts, shown
from ketapress.model.colour import contrast
from ketapress.model.errors import Problem

_TEXT, _LARGE_TEXT = 4.5, 3.0  # WCAG 2.2, 1.4.3
_DARK = re.compile(r"@media\b.*prefers-color-scheme:\s*dark", re.IGNORECASE | re.DOTALL)
_BRACE = re.compile(r"([{}])")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_HEX = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b", re.IGNORECASE)
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.IGNORECASE)
_NAMED = {
    "black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080", "white": "#ffffff",
    "maroon": "#800000", "red": "#ff0000", "purple": "#800080", "green": "#008000", "lime": "#00ff00",
    "olive": "#808000", "yellow": "#ffff00", "navy": "#000080", "blue": "#0000ff", "teal": "#008080",
}  # fmt: skip
_INHERITED = frozenset(["", "inherit", "transparent", "currentcolor", "none"])
_UNREAD = ("head", "style", "script", "title")

Declared = Mapping[HtmlElement, Mapping[str, str]]


class _Paint(NamedTuple):
    """Colours as `#rrggbb`; None where they cannot be read off."""

    ink: str | None
    paper: str | None


class _Canvas(NamedTuple):
    """What a client paints by itself: text and paper, and links that have no colour of their own."""

    paint: _Paint
    link: str


_LIGHT_CANVAS = _Canvas(_Paint("#000000", "#ffffff"), "#0000ee")
_DARK_CANVAS = _Canvas(_Paint("#ffffff", "#121212"), "#9e9eff")


def contrast_problems(page: Page) -> Iterator[Problem]:
    """By day always; by night where the letter has colours of its own for it."""
    yield from _faint(page, {}, _LIGHT_CANVAS, "by day")
    night = _night(page)
    if night:
        yield from _faint(page, night, _DARK_CANVAS, "in the dark scheme")


def _faint(page: Page, over: Declared, canvas: _Canvas, when: str) -> Iterator[Problem]:
    for element, paint in _painted(page, over, canvas):
        if not (paint.ink and paint.paper) or not _own_text(element):
            continue
        found = contrast(paint.ink, paint.paper)
        if found >= _TEXT or is_hidden(element):
            continue
        message = (
            f"“{shown(_own_text(element))}” is {paint.ink} on {paint.paper} {when}, a contrast of {found:.1f}; "
            f"text needs {_TEXT}, large text {_LARGE_TEXT:.0f}."
        )
        cure = "Choose colours further apart in the template's <style>."
        report = page.error if found < _LARGE_TEXT else page.warning
        yield report("contrast", element, message, cure)


def _painted(page: Page, over: Declared, canvas: _Canvas) -> Iterator[tuple[HtmlElement, _Paint]]:
    """Each element of the body with the colours that it gets or inherits."""
    paints: dict[HtmlElement, _Paint] = {}
    for element in page.elements():
        around = paints.get(element.getparent(), canvas.paint)
        ink = canvas.link if element.get("href") else around.ink
        declared = _declared(element, over)
        paints[element] = _Paint(
            _colour(declared.get("color", ""), ink), _colour(_paper(declared), around.paper)
        )
        if element.tag not in _UNREAD:
            yield element, paints[element]


def _declared(element: HtmlElement, over: Declared) -> dict[str, str]:
    attribute = {"background-color": element.get("bgcolor")} if element.get("bgcolor") else {}
    return {**attribute, **declarations(element.get("style") or ""), **over.get(element, {})}


def _paper(declared: Mapping[str, str]) -> str:
    shorthand = declared.get("background", "")
    return declared.get("background-color", "") or next(iter(_HEX.findall(shorthand)), shorthand)


def _colour(value: str, inherited: str | None) -> str | None:
    value = value.lower().replace("!important", "").strip()
    if value in _INHERITED:
        return inherited
    if _HEX.fullmatch(value):
        return value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])  # noqa: PLR2004 - #rrggbb
    parts = _RGB.fullmatch(value)
    if parts:
        return "#" + "".join(f"{min(int(part), 255):02x}" for part in parts.groups())
    return _NAMED.get(value)


def _own_text(element: HtmlElement) -> str:
    return " ".join(map(str.strip, own_texts(element))).strip()


def _night(page: Page) -> Declared:
    """What the dark scheme lays over the elements' own styles: only ` !important` wins against them."""
    found: dict[HtmlElement, dict[str, tuple[tuple[int, ...], str]]] = {}
    for order, (selector, declared) in enumerate(_night_rules(page)):
        strong = {name: value for name, value in declared.items() if "important" in value}
        try:
            matching = page.root.cssselect(selector, translator="html")
        except SelectorError:
            continue
        rank = (*_specificity(selector), order)
        for element in matching:
            mine = found.setdefault(element, {})
            for name, value in strong.items():
                if name not in mine or mine[name][0] <= rank:
                    mine[name] = (rank, value)
    return {element: {name: value for name, (_, value) in each.items()} for element, each in found.items()}


def _night_rules(page: Page) -> Iterator[tuple[str, dict[str, str]]]:
    """Selectors, each with what it declares, of the rules in an `@media` for the dark scheme."""
    around: list[str] = []
    text = ""
    for piece in _BRACE.split("".join(_COMMENT.sub("", each.text or "") for each in page.elements("style"))):
        if piece == "{":
            around.append(text.strip())
        elif piece == "}":
            selectors = around.pop() if around else ""
            if around and _DARK.match(around[-1]):
                yield from ((each.strip(), declarations(text)) for each in selectors.split(","))
        text = "" if piece in "{}" else piece


def _specificity(selector: str) -> tuple[int, int, int]:
    """Ids, classes, tags (Selectors 4, 17), as near as a template's rules need."""
    names = re.sub(r"[#.:\[][^\s#.:\[>+~]*", " ", selector)
    return selector.count("#"), len(re.findall(r"[.:\[]", selector)), len(re.findall(r"[a-z]\w*", names))
