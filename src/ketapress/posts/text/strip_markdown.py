"""Strip the inline markup from a line of Markdown."""

import re

_LINK = re.compile(r"!?\[([^\]\[]*)\](?:\([^()]*\)|\[[^\]]*\])")
_INLINE_MARKUP = re.compile(r"(?<!\\)(\*{1,3}|(?<!\w)_{1,3}(?=[^_]*_{1,3}(?!\w))|~~|`+)(?=\S)(.+?)(?<=\S)\1")
_BACKSLASH_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def strip_markdown(line: str) -> str:
    """Return a line of Markdown as readers see it."""
    line = _LINK.sub(r"\1", line)
    for _ in range(3):  # levels of nesting
        line = _INLINE_MARKUP.sub(r"\2", line)
    return _BACKSLASH_ESCAPE.sub(r"\1", line).strip()
