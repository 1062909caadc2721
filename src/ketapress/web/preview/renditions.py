"""The HTML part of a message as different mail programs show it: light, dark, without images, without style sheets.

A rendition differs from what is sent only in what a browser has no switch for: the color scheme is written into the
style sheet, and links open in a new tab. The Content-Security-Policy of its frame does the rest.
"""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from typing import NamedTuple

_SCHEME_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_SCHEME_DECLARATION = re.compile(
    r"(?<=color-scheme:)\s*(?:only\s+|light\s+|dark\s+)*(?:light|dark)\b", re.IGNORECASE
)
_STYLE = re.compile(r"<style\b.*?</style>", re.IGNORECASE | re.DOTALL)
_SCHEME_META = re.compile(r"(<meta name=\"color-scheme\" content=)\"[^\"]*\"", re.IGNORECASE)
_EXTERNAL_LINK = re.compile(r"<a (?=[^>]*?\bhref=\"(?!#))", re.IGNORECASE)
_TRUE_QUERY, _FALSE_QUERY = "(min-width: 0)", "(max-width: 0)"

# No script runs, no form is submitted, and only the images that a subscriber would see are loaded.
_BASE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
_SANDBOX = "sandbox allow-popups allow-popups-to-escape-sandbox"
_STYLES, _IMAGES = "style-src 'unsafe-inline'", "img-src https:"


class Rendition(NamedTuple):
    """One way to show the HTML part: how it is changed, and the Content-Security-Policy of its frame."""

    transform: Callable[[str], str]
    policy: str

    def render(self, html: str) -> str:
        """Return the document for the frame. Links within the message stay in the frame."""
        return _EXTERNAL_LINK.sub('<a target="_blank" ', self.transform(html))


class MessageParts(NamedTuple):
    """The headers of a message in their order, its text part and its HTML part."""

    headers: tuple[tuple[str, str], ...]
    text: str
    html: str


def split_message(message: bytes) -> MessageParts:
    """Parse a multipart/alternative message."""
    parsed_message = message_from_bytes(message, _class=EmailMessage, policy=policy.default)

    def get_content(subtype: str) -> str:
        part = parsed_message.get_body((subtype,))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""

    headers = tuple((name, str(value)) for name, value in parsed_message.items())
    return MessageParts(headers, get_content("plain"), get_content("html"))


def force_color_scheme(html: str, scheme: str) -> str:
    """Return the document as a reader who prefers `scheme` sees it, whatever this browser prefers.

    A page cannot set the preference of a frame, so the media queries of the style sheet are replaced by ones that are
    always true or always false.
    """

    def replace_query(match: re.Match[str]) -> str:
        return _TRUE_QUERY if match[1].lower() == scheme else _FALSE_QUERY

    def replace_style(match: re.Match[str]) -> str:
        return _SCHEME_DECLARATION.sub(f" {scheme}", _SCHEME_QUERY.sub(replace_query, match[0]))

    return _SCHEME_META.sub(rf'\1"{scheme}"', _STYLE.sub(replace_style, html))


def _build_policy(*directives: str) -> str:
    return "; ".join((_BASE_POLICY, *directives, _SANDBOX))


_LIGHT, _DARK = partial(force_color_scheme, scheme="light"), partial(force_color_scheme, scheme="dark")
RENDITIONS = {
    "light": Rendition(_LIGHT, _build_policy(_STYLES, _IMAGES)),
    "dark": Rendition(_DARK, _build_policy(_STYLES, _IMAGES)),
    "without-pictures": Rendition(_LIGHT, _build_policy(_STYLES)),
    "without-styles": Rendition(_LIGHT, _build_policy("style-src-attr 'unsafe-inline'", _IMAGES)),
}
"""By the last part of their address. Without style sheets, the inline styles of elements still apply."""
