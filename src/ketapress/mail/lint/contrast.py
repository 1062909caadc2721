"""Contrast (WCAG 2.2) of all text with its background, in the light and the dark scheme.

It reads inline styles and the rules of `@media (prefers-color-scheme: dark)`. Colors in other syntax than hex, rgb() and
common names are skipped.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cssselect import SelectorError
from lxml.html import HtmlElement

from ketapress.mail.lint.document import Page, direct_texts, excerpt, is_hidden, parse_declarations
from ketapress.model.color import contrast_ratio
from ketapress.model.errors import Problem

_MIN_CONTRAST, _MIN_LARGE_CONTRAST = 4.5, 3.0  # WCAG 2.2, 1.4.3
_DARK_MEDIA = re.compile(r"@media\b.*prefers-color-scheme:\s*dark", re.IGNORECASE | re.DOTALL)
_BRACE = re.compile(r"([{}])")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_HEX = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b", re.IGNORECASE)
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.IGNORECASE)
_NAMED_COLORS = {
    "black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080", "white": "#ffffff",
    "maroon": "#800000", "red": "#ff0000", "purple": "#800080", "green": "#008000", "lime": "#00ff00",
    "olive": "#808000", "yellow": "#ffff00", "navy": "#000080", "blue": "#0000ff", "teal": "#008080",
}  # fmt: skip
_INHERIT_VALUES = frozenset(["", "inherit", "transparent", "currentcolor", "none"])
_NON_TEXT_TAGS = ("head", "style", "script", "title")

Declarations = Mapping[HtmlElement, Mapping[str, str]]


class _Colors(NamedTuple):
    """Colors as `#rrggbb`; None where they are unknown."""

    foreground: str | None
    background: str | None


class _ClientDefaults(NamedTuple):
    """Colors of a client's own style sheet: text, background, and links without a color."""

    colors: _Colors
    link_color: str


_LIGHT_DEFAULTS = _ClientDefaults(_Colors("#000000", "#ffffff"), "#0000ee")
_DARK_DEFAULTS = _ClientDefaults(_Colors("#ffffff", "#121212"), "#9e9eff")


def contrast_problems(page: Page) -> Iterator[Problem]:
    """Yield texts with low contrast in the light scheme, and in the dark scheme where the message has rules for it."""
    yield from _low_contrast_problems(page, {}, _LIGHT_DEFAULTS, "in the light scheme")
    dark_declarations = _dark_declarations(page)
    if dark_declarations:
        yield from _low_contrast_problems(page, dark_declarations, _DARK_DEFAULTS, "in the dark scheme")


def _low_contrast_problems(
    page: Page, overrides: Declarations, defaults: _ClientDefaults, scheme: str
) -> Iterator[Problem]:
    for element, colors in _element_colors(page, overrides, defaults):
        if not (colors.foreground and colors.background) or not _own_text(element):
            continue
        ratio = contrast_ratio(colors.foreground, colors.background)
        if ratio >= _MIN_CONTRAST or is_hidden(element):
            continue
        message = (
            f"“{excerpt(_own_text(element))}” is {colors.foreground} on {colors.background} {scheme}, a contrast of {ratio:.1f}; "
            f"text needs {_MIN_CONTRAST}, large text {_MIN_LARGE_CONTRAST:.0f}."
        )
        cure = "Choose colors with more contrast in the template's <style>."
        report = page.error if ratio < _MIN_LARGE_CONTRAST else page.warning
        yield report("contrast", element, message, cure)


def _element_colors(
    page: Page, overrides: Declarations, defaults: _ClientDefaults
) -> Iterator[tuple[HtmlElement, _Colors]]:
    """Yield each element of the body with the colors that it has or inherits."""
    element_colors: dict[HtmlElement, _Colors] = {}
    for element in page.elements():
        parent_colors = element_colors.get(element.getparent(), defaults.colors)
        foreground = defaults.link_color if element.get("href") else parent_colors.foreground
        style = _effective_style(element, overrides)
        element_colors[element] = _Colors(
            _parse_color(style.get("color", ""), foreground),
            _parse_color(_background_value(style), parent_colors.background),
        )
        if element.tag not in _NON_TEXT_TAGS:
            yield element, element_colors[element]


def _effective_style(element: HtmlElement, overrides: Declarations) -> dict[str, str]:
    attribute_style = {"background-color": element.get("bgcolor")} if element.get("bgcolor") else {}
    return {**attribute_style, **parse_declarations(element.get("style") or ""), **overrides.get(element, {})}


def _background_value(style: Mapping[str, str]) -> str:
    shorthand = style.get("background", "")
    return style.get("background-color", "") or next(iter(_HEX.findall(shorthand)), shorthand)


def _parse_color(value: str, default: str | None) -> str | None:
    value = value.lower().replace("!important", "").strip()
    if value in _INHERIT_VALUES:
        return default
    if _HEX.fullmatch(value):
        return value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])  # noqa: PLR2004 - #rrggbb
    parts = _RGB.fullmatch(value)
    if parts:
        return "#" + "".join(f"{min(int(part), 255):02x}" for part in parts.groups())
    return _NAMED_COLORS.get(value)


def _own_text(element: HtmlElement) -> str:
    return " ".join(map(str.strip, direct_texts(element))).strip()


def _dark_declarations(page: Page) -> Declarations:
    """Return the declarations of the dark scheme by element: only ` !important` overrides an inline style."""
    ranked_properties: dict[HtmlElement, dict[str, tuple[tuple[int, ...], str]]] = {}
    for order, (selector, properties) in enumerate(_dark_rules(page)):
        important = {name: value for name, value in properties.items() if "important" in value}
        try:
            elements = page.root.cssselect(selector, translator="html")
        except SelectorError:
            continue
        rank = (*_specificity(selector), order)
        for element in elements:
            element_properties = ranked_properties.setdefault(element, {})
            for name, value in important.items():
                if name not in element_properties or element_properties[name][0] <= rank:
                    element_properties[name] = (rank, value)
    return {
        element: {name: value for name, (_, value) in values.items()}
        for element, values in ranked_properties.items()
    }


def _dark_rules(page: Page) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each selector in an `@media` for the dark scheme with its declarations."""
    open_blocks: list[str] = []
    text = ""
    for fragment in _BRACE.split(
        "".join(_COMMENT.sub("", part.text or "") for part in page.elements("style"))
    ):
        if fragment == "{":
            open_blocks.append(text.strip())
        elif fragment == "}":
            selectors = open_blocks.pop() if open_blocks else ""
            if open_blocks and _DARK_MEDIA.match(open_blocks[-1]):
                yield from ((part.strip(), parse_declarations(text)) for part in selectors.split(","))
        text = "" if fragment in "{}" else fragment


def _specificity(selector: str) -> tuple[int, int, int]:
    """Return the counts of ids, classes and tags (Selectors 4, 17), as exactly as template rules need."""
    names = re.sub(r"[#.:\[][^\s#.:\[>+~]*", " ", selector)
    return selector.count("#"), len(re.findall(r"[.:\[]", selector)), len(re.findall(r"[a-z]\w*", names))
