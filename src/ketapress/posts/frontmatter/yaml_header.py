"""A YAML header that says more than plain `name: value` lines, by the C loader.

In comes the text between the fences, out go names and values; every scalar stays the string that was written.
"""

import re

import yaml

from ketapress.model.errors import KetapressError
from ketapress.model.lazy_regex import pattern
from ketapress.posts.frontmatter.values import Value, header_error, nesting_error, require_mapping

_MARGIN = pattern(r"^[ ]*\t[ \t]*", re.MULTILINE)
_DEEPEST = 50  # lists and mappings in each other
_CURE = "Put the value in quotes if it holds a colon, a hash, a bracket or a quote, and indent with blanks."
_CLOSE = "Close it, or put the value in quotes if it is meant to be seen."
_TAB = ("a tab stands where only blanks may", "Indent with blanks: YAML knows no tabs.")
_INDENTED = (
    "the line is indented, so it goes on with what stands above",
    "Begin it where the lines around it begin, or put the value in quotes if it goes on.",
)
_PLAIN_WORDS = {
    "tab character": _TAB,
    "mapping values are not allowed": (
        "a value holds a colon, and no quotes around it",
        'Put the value in quotes: title: "One: two".',
    ),
    "cannot start any token": (
        "a value begins with `{at}`, which YAML keeps for itself",
        "Put the value in quotes.",
    ),
    "did not find expected alphabetic or numeric character": (
        "a value begins with `*` or `&`, which YAML keeps for itself",
        "Put the value in quotes.",
    ),
    "found undefined alias": (
        "a value begins with `*`, which YAML keeps for itself",
        "Put the value in quotes.",
    ),
    "could not find expected ':'": (
        "the line is no `name: value`",
        "Add the colon, or indent what goes on from above.",
    ),
    "did not find expected ',' or ']'": ("a list that `[` opens is not closed", _CLOSE),
    "did not find expected ',' or '}'": ("what `{{` opens is not closed", _CLOSE),
    "found unexpected end of stream": ("a quote is never closed", _CLOSE),
    "found unknown escape character": (
        "a backslash in double quotes is followed by a letter that means nothing there",
        "Take single quotes, or write the backslash twice.",
    ),
    "did not find expected key": (
        "the line is indented otherwise than the one above, or text follows a closed quote or bracket",
        _CURE,
    ),
    "sequence entries are not allowed": (
        "a list begins on the line of its name",
        "Begin it on the next line, or write it as [one, two].",
    ),
}
"""What the loader says, and what it means."""


def yaml_header(block: str, line: int) -> dict[str, Value]:
    """The names and values of the block, whose fence is on `line`. Raises `KetapressError` where it is no YAML."""
    try:
        loaded = _loaded(block, line)
    except yaml.YAMLError as error:
        try:
            loaded = _loaded(_without_tabs(block), line) if "\t" in block else None
        except yaml.YAMLError:
            loaded = None
        if loaded is None:
            raise _yaml_fault(error, block, line) from None
    return require_mapping("" if loaded is None else loaded, line)


def _loaded(block: str, line: int) -> Value | None:
    _check_depth(block, line)
    loaded: Value | None = yaml.load(block, Loader=yaml.CBaseLoader)  # noqa: S506 - it builds strings, lists and dicts only
    return loaded


def _without_tabs(block: str) -> str:
    """The block indented with blanks, as Hexo reads one that is indented with tabs."""
    return _MARGIN.sub(lambda margin: margin[0].replace("\t", "  "), block)


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
            raise nesting_error(line)


def _yaml_fault(error: yaml.YAMLError, block: str, line: int) -> KetapressError:
    """What is wrong, in the words of somebody who writes posts; the loader's own where it has no such words."""
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is no YAML"
    written = block.split("\n")[mark.line] if mark and mark.line < block.count("\n") + 1 else ""
    at = written[mark.column : mark.column + 1] if mark else ""
    if "cannot start any token" in said and at == "\t":
        what, cure = _TAB
    elif "mapping values" in said and mark and mark.line and written[:1] == " ":
        what, cure = _INDENTED
    else:
        plain = next((each for words, each in _PLAIN_WORDS.items() if words in said), (said, _CURE))
        what, cure = plain[0].format(at=at or " "), plain[1]
    return header_error(
        f"the YAML header cannot be read: {what}.", cure, line + 1 + mark.line if mark else line
    )
