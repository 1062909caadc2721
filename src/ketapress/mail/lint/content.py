"""What people read and hear: headings, tables, language, and what a template left behind."""

import html
import re
from collections.abc import Iterator
from itertools import pairwise

from ketapress.mail.body.dom import text_of
from ketapress.mail.lint.document import Page, fault, is_hidden, own_texts, shown
from ketapress.model.edition import Edition
from ketapress.model.errors import Problem

_MARK = re.compile(r"\{\{.{0,200}?\}\}|\{%.{0,200}?%\}|\{#.{0,200}?#\}", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def heading_problems(page: Page) -> Iterator[Problem]:
    """One h1, first; below it no level is skipped: people who listen go from heading to heading."""
    headings = [each for each in page.elements(*_HEADINGS) if not is_hidden(each)]
    count = sum(each.tag == "h1" for each in headings)
    if count != 1:
        yield fault(
            "heading-first",
            f"there are {count} headings h1, and there has to be one.",
            "Make the name an h1, and titles h2.",
        )
    for above, heading in pairwise(headings):
        if int(heading.tag[1]) > int(above.tag[1]) + 1:
            yield page.warning(
                "heading-skipped",
                heading,
                f"the {heading.tag} “{shown(text_of(heading))}” comes right after an {above.tag}: a level is missing.",
                f"Make it an h{int(above.tag[1]) + 1}.",
            )


def structure_problems(page: Page) -> Iterator[Problem]:
    """Language and direction, said twice because web mail drops <html>; tables that are layout say so."""
    inside = page.root.xpath("//body/descendant-or-self::*[@lang and @dir]")
    if not (page.root.get("lang") and page.root.get("dir")) or not inside:
        yield fault(
            "language",
            "`lang` and `dir` are not both on <html> and again inside <body>: it is read out in a wrong voice.",
            'Write lang="{{ lang }}" dir="{{ dir }}" on <html> and on the element around all text.',
        )
    for table in page.elements("table"):
        if table.get("role") != "presentation" and not table.xpath(".//th"):
            yield page.error(
                "table-role",
                table,
                "a table has neither headers nor role=presentation: its cells are read out one by one.",
                'Write role="presentation" on tables that are layout, and <th> into those that are data.',
            )


def leftover_problems(page: Page, text: str, edition: Edition) -> Iterator[Problem]:
    """Marks of a template that was not filled; what posts write about templates is theirs."""
    written = _squeezed(" ".join(f"{each.title} {each.summary} {each.html}" for each in edition.posts))
    in_html = [
        mark
        for element in page.elements()
        if element.tag not in ("style", "script") and page.post_of(element) is None
        for value in (*own_texts(element), *element.attrib.values())
        for mark in _MARK.findall(str(value))
    ]
    quoted = "{{" in written or "{%" in written or "{#" in written
    for mark in [*in_html, *([] if quoted else _MARK.findall(text))]:
        if _squeezed(mark) not in written:
            yield fault(
                "template-mark",
                f"{shown(mark)} stands in the letter as it was written in the template.",
                "Mend the template, or the setting that holds it: nothing fills a value that is filled in.",
            )


def _squeezed(text: str) -> str:
    return "".join(html.unescape(_TAG.sub("", text)).split())
