"""Arguments of shortcodes, as their tags hold them: `notice tip title="A title"`."""

import re

QUOTED_STRING = re.compile(r"\"([^\"]*)\"|'([^']*)'")


def find_named_arguments(arguments: str, argument: re.Pattern[str]) -> list[tuple[str, str]]:
    """Return names and values. The pattern's first group is the name, one of its other groups the value."""
    return [(name, "".join(values)) for name, *values in argument.findall(arguments)]


def find_quoted_strings(arguments: str) -> list[str]:
    """Return the texts in double or single quotes."""
    return [double or single for double, single in QUOTED_STRING.findall(arguments)]
