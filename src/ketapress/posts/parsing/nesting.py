"""How deep elements are nested."""

import re

from ketapress.model.lazy_regex import pattern

DEEPEST = 500  # elements in each other; html5ever takes time that grows with the square of it

_NESTED_TAG = pattern(
    r"<(/?)(?!(?:p|li|d[dt]|t[rdh]|thead|tbody|tfoot|br|hr|img|input|col|source|wbr|meta|link)\b)[a-z]",
    re.IGNORECASE,
)


def is_too_deep(html: str) -> bool:
    """Whether elements that only an end tag closes are nested in each other more than 500 deep."""
    deepest = depth = 0
    if html.count("<") > DEEPEST:
        for tag in _NESTED_TAG.finditer(html):
            depth = max(depth - 1, 0) if tag[1] else depth + 1
            deepest = max(deepest, depth)
    return deepest > DEEPEST
