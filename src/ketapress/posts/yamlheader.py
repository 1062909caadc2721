"""A YAML header that says more than plain `name: value` lines, by the C loader.

In comes the text between the fences, out go names and values; every scalar stays the string that was written.
"""

import yaml

from ketapress.model.errors import KetapressError
from ketapress.posts.header import Value, header_fault, mapping, too_deep

_DEEPEST = 50  # lists and mappings in each other


def yaml_header(block: str, line: int) -> dict[str, Value]:
    """The names and values of the block, whose fence is on `line`. Raises `KetapressError` where it is no YAML."""
    try:
        _check_depth(block, line)
        loaded = yaml.load(block, Loader=yaml.CBaseLoader)  # noqa: S506 - it builds strings, lists and dicts only
    except yaml.YAMLError as error:
        raise _yaml_fault(error, line) from None
    return mapping("" if loaded is None else loaded, line)


def _check_depth(block: str, line: int) -> None:
    """Refuses values that are nested deeply: the C loader calls itself for each level, and the process would die."""
    if sum(map(block.count, "[{-?:")) <= _DEEPEST:
        return
    depth = 0
    for event in yaml.parse(block, Loader=yaml.CBaseLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise too_deep(line)


def _yaml_fault(error: yaml.YAMLError, line: int) -> KetapressError:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is no YAML"
    cure = "Put the value in quotes if it holds a colon, a hash or a quote, and indent with blanks."
    return header_fault(
        f"the YAML header cannot be read: {what}.", cure, line + 1 + mark.line if mark else line
    )
