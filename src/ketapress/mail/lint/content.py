"""Headings, language, tables, and template tags that nothing filled."""

import html
import re
from collections.abc import Iterator
from itertools import pairwise

from ketapress.mail.body.dom import text_content
from ketapress.mail.lint.document import Page, direct_texts, excerpt, is_hidden, mail_problem
from ketapress.model.edition import Edition
from ketapress.model.errors import Problem

_TEMPLATE_TAG = re.compile(r"\{\{.{0,200}?\}\}|\{%.{0,200}?%\}|\{#.{0,200}?#\}", re.DOTALL)
_HTML_TAG = re.compile(r"<[^<>]*>")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def heading_problems(page: Page) -> Iterator[Problem]:
    """Yield problems with headings: one h1, and no skipped level, because screen reader users navigate by them."""
    headings = [element for element in page.elements(*_HEADINGS) if not is_hidden(element)]
    count = sum(element.tag == "h1" for element in headings)
    if count != 1:
        yield mail_problem(
            "heading-first",
            f"the message has {count} h1 headings; it needs exactly one.",
            "Make the newsletter's name an h1, and titles h2.",
        )
    for previous, heading in pairwise(headings):
        if int(heading.tag[1]) > int(previous.tag[1]) + 1:
            yield page.warning(
                "heading-skipped",
                heading,
                f"the {heading.tag} “{excerpt(text_content(heading))}” follows an {previous.tag}: a level is skipped.",
                f"Make it an h{int(previous.tag[1]) + 1}.",
            )


def structure_problems(page: Page) -> Iterator[Problem]:
    """Yield problems with language and direction (needed twice: web mail drops <html>), and with table roles."""
    body_elements = page.root.xpath("//body/descendant-or-self::*[@lang and @dir]")
    if not (page.root.get("lang") and page.root.get("dir")) or not body_elements:
        yield mail_problem(
            "language",
            "`lang` and `dir` are not set both on <html> and inside <body>: screen readers use the wrong language.",
            'Set lang="{{ lang }}" dir="{{ dir }}" on <html> and on the element around all text.',
        )
    for table in page.elements("table"):
        if table.get("role") != "presentation" and not table.xpath(".//th"):
            yield page.error(
                "table-role",
                table,
                "a table has neither headers nor role=presentation: screen readers announce every cell.",
                'Set role="presentation" on layout tables, and use <th> in data tables.',
            )


def template_tag_problems(page: Page, text: str, edition: Edition) -> Iterator[Problem]:
    """Yield a problem for each template tag in the message that no post wrote."""
    post_text = _remove_whitespace(
        " ".join(f"{post.title} {post.summary} {post.html}" for post in edition.posts)
    )
    html_tags = [
        tag
        for element in page.elements()
        if element.tag not in ("style", "script") and page.post_of(element) is None
        for value in (*direct_texts(element), *element.attrib.values())
        for tag in _TEMPLATE_TAG.findall(str(value))
    ]
    posts_quote_tags = "{{" in post_text or "{%" in post_text or "{#" in post_text
    for tag in [*html_tags, *([] if posts_quote_tags else _TEMPLATE_TAG.findall(text))]:
        if _remove_whitespace(tag) not in post_text:
            yield mail_problem(
                "template-mark",
                f"the template tag {excerpt(tag)} appears in the message.",
                "Fix the template, or the setting that has the tag: tags in values are not expanded.",
            )


def _remove_whitespace(text: str) -> str:
    return "".join(html.unescape(_HTML_TAG.sub("", text)).split())
