"""Copies of a letter for looking at: as clients of several kinds show it, its text, its headers, its source.

In: the bytes of a message, the very ones that are sent. Out: documents for frames, each with the policy that its frame
is held to. What is shown differs from what is sent only in what a browser has no switch for: the scheme of colours is
written into the style sheet, and links open beside the page.
"""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from typing import NamedTuple

_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_DECLARED = re.compile(r"(?<=color-scheme:)\s*(?:only\s+|light\s+|dark\s+)*(?:light|dark)\b", re.IGNORECASE)
_STYLE = re.compile(r"<style\b.*?</style>", re.IGNORECASE | re.DOTALL)
_META = re.compile(r"(<meta name=\"color-scheme\" content=)\"[^\"]*\"", re.IGNORECASE)
_OUTWARD = re.compile(r"<a (?=[^>]*?\bhref=\"(?!#))", re.IGNORECASE)
_HOLDS, _FAILS = "(min-width: 0)", "(max-width: 0)"

# Nothing runs, nothing is fetched but the pictures that a reader would see, nothing is submitted; links may open beside.
_SEALED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
_BOX = "sandbox allow-popups allow-popups-to-escape-sandbox"
_STYLES, _PICTURES = "style-src 'unsafe-inline'", "img-src https:"


class Copy(NamedTuple):
    """One way to show the HTML part: what is rewritten in it, and the Content-Security-Policy of its frame."""

    shown: Callable[[str], str]
    policy: str


class Parts(NamedTuple):
    """A message taken apart again, as the one who gets it does: headers in order, the text part, the HTML part."""

    headers: tuple[tuple[str, str], ...]
    text: str
    html: str


def parts(message: bytes) -> Parts:
    """The parts of a letter: it is multipart/alternative, with one text and one HTML part."""
    found = message_from_bytes(message, _class=EmailMessage, policy=policy.default)
    headers = tuple((name, str(value)) for name, value in found.items())
    return Parts(headers, _content(found, "plain"), _content(found, "html"))


def _content(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


def in_scheme(document: str, scheme: str) -> str:
    """The document as one sees it who prefers that scheme, whatever the browser it is shown in prefers.

    A page cannot tell a browser which scheme a frame prefers, so the question is answered in the style sheet: the query
    for the scheme always holds, the one for the other never does.
    """

    def answered(found: re.Match[str]) -> str:
        return _HOLDS if found[1].lower() == scheme else _FAILS

    def settled(sheet: re.Match[str]) -> str:
        return _DECLARED.sub(f" {scheme}", _QUERY.sub(answered, sheet[0]))

    return _META.sub(rf'\1"{scheme}"', _STYLE.sub(settled, document))


def with_links_beside(document: str) -> str:
    """The document with links that open beside the page; those within the letter stay."""
    return _OUTWARD.sub('<a target="_blank" ', document)


def _policy(*allowed: str) -> str:
    return "; ".join((_SEALED, *allowed, _BOX))


_LIGHT, _DARK = partial(in_scheme, scheme="light"), partial(in_scheme, scheme="dark")
COPIES = {
    "light": Copy(_LIGHT, _policy(_STYLES, _PICTURES)),
    "dark": Copy(_DARK, _policy(_STYLES, _PICTURES)),
    "without-pictures": Copy(_LIGHT, _policy(_STYLES)),
    "without-styles": Copy(_LIGHT, _policy("style-src-attr 'unsafe-inline'", _PICTURES)),
}
"""By the name in their address. Where a style sheet is dropped, the styles that were written onto elements stay."""


def copied(copy: Copy, document: str) -> str:
    """The document as this copy shows it."""
    return with_links_beside(copy.shown(document))
