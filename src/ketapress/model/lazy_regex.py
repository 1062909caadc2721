"""Regular expressions that are compiled when they are first used.

There are a hundred and forty of them on the way of a post, and most posts need a third. To compile all took a quarter of
the time of a build with one changed post.
"""

import re
from typing import Any, cast

_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")


class _Pattern:
    """Stands in for a compiled pattern, and has its methods from the first use on."""

    def __init__(self, source: str, flags: int) -> None:
        self.pattern = source
        self.flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self.pattern, self.flags)
        self.__dict__.update({method: getattr(compiled, method) for method in _METHODS})
        return getattr(compiled, name)


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern of this source, as `re.compile` has it; a fault in it shows when it is used."""
    return cast("re.Pattern[str]", _Pattern(source, flags))
