"""Styles written onto the elements they are for, once an edition, by premailer.

In: a document with two `<style>` blocks: rules to inline, and (`data-premailer="ignore"`) rules that stay as they are.
Out: the document as it is sent. Nothing is ever fetched: premailer's own switches do not stop `@import`, which
cssutils follows by itself.
"""

import logging
import os
import re
from functools import lru_cache
from typing import NoReturn

os.environ.setdefault(
    "PREMAILER_CACHE_MAXSIZE", "4096"
)  # premailer reads it when imported: its 128 are too few

import cssutils
import cssutils._fetch
import cssutils.util
from cssselect import SelectorError
from premailer import Premailer

from ketapress.model.errors import ConfigurationError, Problem

_LEAVE_ALONE = [
    "width",
    "height",
    "align",
    "valign",
]  # the template writes them; premailer would write `auto` there
_IMPORT = re.compile(r"@import\b[^;}<]*", re.IGNORECASE)
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style", re.DOTALL | re.IGNORECASE)
_DOCTYPE = re.compile(r"\A\s*<!doctype html>", re.IGNORECASE)  # premailer drops it when it is in lower case
_RAW = r"<style\b.*?</style>|<!--.*?-->"
_TOKENS = re.compile(rf"({_RAW}|<[a-z!/](?:[^>\"']|\"[^\"]*\"|'[^']*')*>)", re.DOTALL | re.IGNORECASE)
# Text that relays substitute, and that filters take for code or for a broken encoding.
_MISTAKABLE = re.compile(
    r"\{(?=[{%])|\}(?=\})|(?<=(?i:%7b))%(?=(?i:7b))|(?<=(?i:script)):|(?<=(?i:data)):|Ã|â(?=€)|\ufffd"
)
_MISTAKABLE_IN_TEXT = re.compile(rf"{_MISTAKABLE.pattern}|(?<==)\"")
_CURE = 'Write plain rules into its first <style>, and the rest into the one with data-premailer="ignore".'


@lru_cache(maxsize=2)
def inlined(document: str) -> str:
    """The document with the first block's rules on its elements. The last ones are kept: what is measured is then sent.

    Raises ConfigurationError where a template's styles cannot be used.
    """
    if not document.strip():
        raise _unusable("it is empty", "Write it, or remove the file to use the shipped template.")
    for style in _STYLE.findall(document):  # a post may speak of `@import` as much as it likes
        if found := _IMPORT.search(style):
            _refuse(found[0])
    try:
        return _unmistakable(_premailed(document))
    except (SelectorError, AttributeError) as fault:
        # AttributeError is premailer's answer to an @-rule inside an @media of the block that it inlines.
        raise _unusable(f"a style cannot be inlined ({fault})") from fault


def _premailed(document: str) -> str:
    premailer = Premailer(
        _DOCTYPE.sub("<!DOCTYPE html>", document),
        allow_network=False,
        allow_loading_external_files=False,
        strip_important=False,
        disable_validation=True,
        align_floating_images=False,
        disable_basic_attributes=_LEAVE_ALONE,
        cssutils_logging_level=logging.CRITICAL,
    )
    return str(premailer.transform(pretty_print=False))


def _unmistakable(document: str) -> str:
    """The same document, with numeric references where plain characters would be taken for something else."""
    tokens = _TOKENS.split(document)
    tokens[0::2] = [_MISTAKABLE_IN_TEXT.sub(_reference, text) for text in tokens[0::2]]
    tokens[1::2] = [
        tag if tag.startswith("<!--") or tag[:6].lower() == "<style" else _MISTAKABLE.sub(_reference, tag)
        for tag in tokens[1::2]
    ]
    return "".join(tokens)


def _reference(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def _refuse(address: str) -> NoReturn:
    raise _unusable(f"it asks for another style sheet ({address})")


def _unusable(why: str, cure: str = _CURE) -> ConfigurationError:
    return ConfigurationError(
        Problem(
            code="template.style",
            message=f"The template of the mail cannot be used: {why}.",
            cure=cure,
            path="templates/mail/digest.html",
        )
    )


cssutils._fetch._defaultFetcher = _refuse  # noqa: SLF001 - cssutils offers no other way for premailer's calls
cssutils.util._defaultFetcher = _refuse  # noqa: SLF001 - it is looked up under both names
