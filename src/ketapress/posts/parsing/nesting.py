"""A limit for the nesting of HTML elements."""

import re

MAX_DEPTH = 500  # levels; the time that html5ever takes grows with their square

_NESTED_TAG = re.compile(
    r"<(/?)(?!(?:p|li|d[dt]|t[rdh]|thead|tbody|tfoot|br|hr|img|input|col|source|wbr|meta|link)\b)[a-z]",
    re.IGNORECASE,
)


def is_too_deep(html: str) -> bool:
    """Whether elements that only an end tag closes are nested more than `MAX_DEPTH` levels deep."""
    if html.count("<") <= MAX_DEPTH:
        return False
    depth = 0
    for tag in _NESTED_TAG.finditer(html):
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        if depth > MAX_DEPTH:
            return True
    return False
