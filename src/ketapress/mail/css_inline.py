"""Inline CSS with premailer, once an edition.

The document has two `<style>` blocks: rules to inline, and (`data-premailer="ignore"`) rules that stay. Nothing is
fetched: premailer's own switches do not stop `@import`, which cssutils follows by itself.
"""

import logging
import os
import re
from functools import lru_cache
from typing import NoReturn
from xml.dom import DOMException

os.environ.setdefault(
    "PREMAILER_CACHE_MAXSIZE", "4096"
)  # premailer reads it when imported: its 128 are too few

import cssutils
import cssutils._fetch
import cssutils.util
from cssselect import SelectorError
from premailer import Premailer

from ketapress.model.errors import ConfigurationError, Problem

_EXCLUDED_ATTRIBUTES = [
    "width",
    "height",
    "align",
    "valign",
]  # the template writes them; premailer would write `auto` there
_IMPORT_RULE = re.compile(r"@import\b[^;}<]*", re.IGNORECASE)
_STYLE_BLOCK = re.compile(r"<style\b[^>]*>(.*?)</style", re.DOTALL | re.IGNORECASE)
_DOCTYPE = re.compile(r"\A\s*<!doctype html>", re.IGNORECASE)  # premailer drops it when it is in lower case
_RAW_CONTENT = r"<style\b.*?</style>|<!--.*?-->"
_TOKENS = re.compile(rf"({_RAW_CONTENT}|<[a-z!/](?:[^>\"']|\"[^\"]*\"|'[^']*')*>)", re.DOTALL | re.IGNORECASE)
# Text that relays substitute, and that filters mistake for code or for a broken encoding.
_AMBIGUOUS_CHARACTERS = re.compile(
    r"\{(?=[{%])|\}(?=\})|(?<=(?i:%7b))%(?=(?i:7b))|(?<=(?i:script)):|(?<=(?i:data)):|Ã|â(?=€)|\ufffd"
)
_AMBIGUOUS_IN_TEXT = re.compile(rf"{_AMBIGUOUS_CHARACTERS.pattern}|(?<==)\"")
_CURE = 'Put plain rules in the first <style>, and the rest in the one with data-premailer="ignore".'


@lru_cache(maxsize=2)
def inline_css(document: str) -> str:
    """Return the document with the rules of its first `<style>` block on the elements.

    Raises ConfigurationError where the template's styles cannot be used. The last two results are cached, because an
    edition is measured before it is built.
    """
    if not document.strip():
        raise _style_error("it is empty", "Write the template, or remove the file to use the shipped one.")
    for style in _STYLE_BLOCK.findall(document):  # only here: a post may mention `@import` in its text
        if match := _IMPORT_RULE.search(style):
            _refuse_fetch(match[0])
    try:
        return _escape_ambiguous(_run_premailer(document))
    except (
        SelectorError,
        AttributeError,
        DOMException,
        LookupError,
        TypeError,
        ValueError,
        OverflowError,
    ) as error:
        # premailer raises AttributeError for an @-rule inside an @media of the block that it inlines, and cssutils
        # ValueError or OverflowError for an escape beyond Unicode, such as `\FFFFFF`.
        raise _style_error(f"a style cannot be inlined ({error})") from error


def _run_premailer(document: str) -> str:
    premailer = Premailer(
        _DOCTYPE.sub("<!DOCTYPE html>", document),
        allow_network=False,
        allow_loading_external_files=False,
        strip_important=False,
        disable_validation=True,
        align_floating_images=False,
        disable_basic_attributes=_EXCLUDED_ATTRIBUTES,
        cssutils_logging_level=logging.CRITICAL,
    )
    return str(premailer.transform(pretty_print=False))


def _escape_ambiguous(document: str) -> str:
    """Replace characters that relays or filters misread by numeric character references."""
    tokens = _TOKENS.split(document)
    tokens[0::2] = [_AMBIGUOUS_IN_TEXT.sub(_numeric_reference, text) for text in tokens[0::2]]
    tokens[1::2] = [
        tag
        if tag.startswith("<!--") or tag[:6].lower() == "<style"
        else _AMBIGUOUS_CHARACTERS.sub(_numeric_reference, tag)
        for tag in tokens[1::2]
    ]
    return "".join(tokens)


def _numeric_reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def _refuse_fetch(url: str) -> NoReturn:
    raise _style_error(f"it imports another style sheet ({url})")


def _style_error(reason: str, cure: str = _CURE) -> ConfigurationError:
    return ConfigurationError(
        Problem(
            code="template.style",
            message=f"The mail template cannot be used: {reason}.",
            cure=cure,
            path="templates/mail/digest.html",
        )
    )


cssutils._fetch._defaultFetcher = _refuse_fetch  # noqa: SLF001 - cssutils offers no other way for premailer's calls
cssutils.util._defaultFetcher = _refuse_fetch  # noqa: SLF001 - it is looked up under both names
