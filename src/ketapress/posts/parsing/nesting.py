"""How deep elements are nested."""

import re

MAX_DEPTH = 500  # elements in each other; html5ever takes time that grows with the square of it

_NESTED_TAG = re.compile(
    r"<(/?)(?!(?:p|li|d[dt]|t[rdh]|thead|tbody|tfoot|br|hr|img|input|col|source|wbr|meta|link)\b)[a-z]",
    re.IGNORECASE,
)


def is_too_deep(html: str) -> bool:
    """Whether elements that only an end tag closes are nested in each other more than 500 deep."""
    max_depth = depth = 0
    if html.count("<") > MAX_DEPTH:
        for tag in _NESTED_TAG.finditer(html):
            depth = max(depth - 1, 0) if tag[1] else depth + 1
            max_depth = max(max_depth, depth)
    return max_depth > MAX_DEPTH
