"""Style sheets as Gmail accepts them: in <head>, small, well formed. It drops a whole block for one error."""

import re
from collections.abc import Iterator

from ketapress.mail.lint.document import Page
from ketapress.model.errors import Problem

GMAIL_STYLE_LIMIT = 16 * 1024  # bytes of all <style> blocks together
_COMMENTS_AND_STRINGS = re.compile(r"/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'", re.DOTALL)
_IMPORTANT_WITHOUT_SPACE = re.compile(r"[^\s;{]!\s*important", re.IGNORECASE)


def style_problems(page: Page) -> Iterator[Problem]:
    """Yield problems with <style> blocks that make Gmail or Outlook drop rules."""
    sheets = list(page.elements("style"))
    size = sum(len((element.text or "").encode()) for element in sheets)
    if size > GMAIL_STYLE_LIMIT:
        yield page.error(
            "style-large",
            sheets[0],
            f"the <style> blocks are {size:,} bytes together; Gmail drops blocks beyond {GMAIL_STYLE_LIMIT:,}.",
            "Move plain rules to the first <style>, which is inlined.",
        )
    for sheet in sheets:
        rules = _COMMENTS_AND_STRINGS.sub("", sheet.text or "")
        if sheet.getparent().tag != "head":
            yield page.warning(
                "style-place", sheet, "a <style> is outside <head>: Gmail drops it.", "Move it to <head>."
            )
        if "@import" in rules.lower():
            yield page.error(
                "style-import",
                sheet,
                "a <style> has an @import: Gmail drops the whole block.",
                "Write the rules themselves.",
            )
        depth = _max_depth(rules)
        if depth is None:
            yield page.error(
                "style-braces",
                sheet,
                "the braces of a <style> do not match: Gmail drops the whole block.",
                "Close every { with a }.",
            )
        elif depth > 2:  # noqa: PLR2004 - an @media and a rule in it
            yield page.warning(
                "style-nested",
                sheet,
                "a <style> has nested rules in an @media: Outlook.com drops them.",
                "Write the rules without nesting.",
            )
        if _IMPORTANT_WITHOUT_SPACE.search(rules):
            yield page.warning(
                "style-important",
                sheet,
                "an `!important` has no space before it: Outlook ignores such a declaration.",
                "Write ` !important`.",
            )


def _max_depth(rules: str) -> int | None:
    """Return how deep braces are nested; None where they do not match."""
    depth = max_depth = 0
    for brace in re.findall(r"[{}]", rules):
        depth += 1 if brace == "{" else -1
        max_depth = max(max_depth, depth)
        if depth < 0:
            return None
    return None if depth else max_depth
