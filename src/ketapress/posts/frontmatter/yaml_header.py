"""Parse YAML headers with the C loader of PyYAML. Every scalar stays the string that was written: `yes`, `012`, `12:30`."""

import re

import yaml

from ketapress.model.errors import KetapressError
from ketapress.posts.frontmatter.values import Value, header_error, nesting_error, require_mapping

_MARGIN = re.compile(r"^[ ]*\t[ \t]*", re.MULTILINE)
_INDICATOR = re.compile(
    # A tag of YAML itself (`!!str`) and an anchor before a list or a mapping are meant as such.
    r"^([\w-]+:[ \t]+|[ \t]*-[ \t]+)(![^!\s<]\S*(?:[ \t]+[^\s\[{|>\"'].*)?|&(\S+)[ \t]+[^\s\[{|>\"'].*)$",
    re.MULTILINE,
)
_BLOCK_SCALAR = re.compile(r"^[^#\n]*:[ \t]+[|>][-+\d]*[ \t]*$", re.MULTILINE)
_DEEPEST = 50  # levels of lists and mappings
_CURE = (
    "Put the value in quotes if it contains a colon, a hash, a bracket or a quote, and indent with spaces."
)
_CLOSE = "Close it, or put the value in quotes if it is a part of the text."
_TAB = ("a tab is used where YAML allows only spaces", "Indent with spaces.")
_INDENTED = (
    "the line is indented, so it continues the line above",
    "Begin it in the same column as the lines around it, or put the value in quotes if it continues.",
)
_PLAIN_WORDS = {
    "tab character": _TAB,
    "mapping values are not allowed": (
        "a value contains a colon and is not in quotes",
        'Put the value in quotes: title: "One: two".',
    ),
    "cannot start any token": (
        "a value begins with `{at}`, which has a meaning of its own in YAML",
        "Put the value in quotes.",
    ),
    "did not find expected alphabetic or numeric character": (
        "a value begins with `*` or `&`, which have a meaning of their own in YAML",
        "Put the value in quotes.",
    ),
    "found undefined alias": (
        "a value begins with `*`, which has a meaning of its own in YAML",
        "Put the value in quotes.",
    ),
    "could not find expected ':'": (
        "the line is not of the form `name: value`",
        "Add the colon, or indent the line if it continues the one above.",
    ),
    "did not find expected ',' or ']'": ("a list that begins with `[` is not closed", _CLOSE),
    "did not find expected ',' or '}'": ("a mapping that begins with `{` is not closed", _CLOSE),
    "found unexpected end of stream": ("a quote is never closed", _CLOSE),
    "found unknown escape character": (
        "a backslash in double quotes is followed by a letter that has no meaning there",
        "Use single quotes, or write the backslash twice.",
    ),
    "did not find expected key": (
        "the line is indented differently from the one above, or text follows a closing quote or bracket",
        _CURE,
    ),
    "sequence entries are not allowed": (
        "a list with dashes begins on the line of its name",
        "Begin it on the next line, or write [one, two].",
    ),
}
"""By a part of the loader's message: what is wrong, and what to do."""


def yaml_header(block: str, line: int) -> dict[str, Value]:
    """Return the names and values of a header whose fence is on `line`. Raises `KetapressError` where it is not YAML."""
    try:
        mapping = _load(block, line)
    except yaml.YAMLError as error:
        try:
            mapping = _load(_without_tabs(block), line) if "\t" in block else None
        except yaml.YAMLError:
            mapping = None
        if mapping is None:
            raise _yaml_fault(error, block, line) from None
    return require_mapping("" if mapping is None else mapping, line)


def _load(block: str, line: int) -> Value | None:
    _check_depth(block, line)
    if (": !" in block or "- !" in block or " &" in block) and not _BLOCK_SCALAR.search(block):
        block = _INDICATOR.sub(lambda match: _quote_text(match, block), block)
    value: Value | None = yaml.load(block, Loader=yaml.CBaseLoader)  # noqa: S506 - it makes only strings, lists and dicts
    return value


def _quote_text(match: re.Match[str], block: str) -> str:
    """Return a line whose value begins with `!` or `&` with that value in quotes: `title: !important news` is all text."""
    if match[3] and f"*{match[3]}" in block:
        return match[0]  # an anchor that another line refers to
    value = re.sub(r"[ \t]+#.*$", "", match[2]).rstrip().replace("'", "''")
    return f"{match[1]}'{value}'"


def _without_tabs(block: str) -> str:
    """Return the block indented with spaces, as Hexo reads one that is indented with tabs."""
    return _MARGIN.sub(lambda margin: margin[0].replace("\t", "  "), block)


def _check_depth(block: str, line: int) -> None:
    """Refuse values that are nested too deeply: the C loader is recursive, and the process would crash."""
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
    """Return the error in plain words; in those of the loader where there are no others."""
    mark = getattr(error, "problem_mark", None)
    message = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is not YAML"
    text = block.split("\n")[mark.line] if mark and mark.line < block.count("\n") + 1 else ""
    character = text[mark.column : mark.column + 1] if mark else ""
    if "cannot start any token" in message and character == "\t":
        fault, cure = _TAB
    elif "mapping values" in message and mark and mark.line and text[:1] == " ":
        fault, cure = _INDENTED
    else:
        fault, cure = next(
            (plain for part, plain in _PLAIN_WORDS.items() if part in message), (message, _CURE)
        )
        fault = fault.replace("{at}", character or " ")
    return header_error(
        f"the YAML header cannot be read: {fault}.", cure, line + 1 + mark.line if mark else line
    )
