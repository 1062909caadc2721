"""Style sheets as Gmail takes them: in <head>, small, whole. One fault, and it throws a block away."""

import re
from collections.abc import Iterator

from ketapress.mail.lint.document import Page
from ketapress.model.errors import Problem

GMAIL_KEEPS = 16 * 1024  # bytes of all <style> together
_NOT_RULES = re.compile(r"/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'", re.DOTALL)
_TIGHT = re.compile(r"[^\s;{]!\s*important", re.IGNORECASE)


def style_problems(page: Page) -> Iterator[Problem]:
    sheets = list(page.elements("style"))
    size = sum(len((each.text or "").encode()) for each in sheets)
    if size > GMAIL_KEEPS:
        yield page.error(
            "style-large",
            sheets[0],
            f"the <style> blocks are {size:,} bytes together; beyond {GMAIL_KEEPS:,} Gmail drops them.",
            "Move plain rules into the first <style>, which is written onto the elements.",
        )
    for sheet in sheets:
        rules = _NOT_RULES.sub("", sheet.text or "")
        if sheet.getparent().tag != "head":
            yield page.warning(
                "style-place", sheet, "a <style> stands outside <head>: Gmail drops it.", "Move it there."
            )
        if "@import" in rules.lower():
            yield page.error(
                "style-import",
                sheet,
                "a <style> has an @import: Gmail drops the whole block.",
                "Write the rules themselves.",
            )
        depth = _deepest(rules)
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
                "a <style> has rules in rules in an @media: Outlook.com drops them.",
                "Write every rule out, one level deep.",
            )
        if _TIGHT.search(rules):
            yield page.warning(
                "style-important",
                sheet,
                "an `!important` has no blank before it: Outlook ignores such a declaration.",
                "Write ` !important`.",
            )


def _deepest(rules: str) -> int | None:
    """How deep braces are nested; None where they do not match."""
    depth = deepest = 0
    for brace in re.findall(r"[{}]", rules):
        depth += 1 if brace == "{" else -1
        deepest = max(deepest, depth)
        if depth < 0:
            return None
    return None if depth else deepest
