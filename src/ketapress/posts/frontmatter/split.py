"""The header of a post is split from its body, whichever tool it was written for.

In comes the text of a file, out go the header as names and values, the body, and where both begin. YAML between `---`
and `---` or `...`, TOML between `+++`, JSON in braces or after `---json`; what nothing opens is the matter of
`unfenced`. Every scalar stays the string that was written (`yes`, `012`, `12:30`), and the rooms of meaning are
elsewhere: this never decides what a value says.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import NamedTuple

from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.model.lazy_regex import pattern
from ketapress.posts.frontmatter.values import Value, header_fault, mapping, too_deep

_FENCE = pattern(r"(---|\+\+\+)[ \t]*([A-Za-z]*)[ \t]*\n")
_YAML_END = pattern(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE)
_TOML_END = pattern(r"^\+\+\+[ \t]*(?:\n|\Z)", re.MULTILINE)
_NAME = pattern(r"^([A-Za-z_][\w-]*)[ \t]*:(?=\s)", re.MULTILINE)
_COMMENTED_OUT = pattern(r"^(?:title|summary|description)[ \t]*:[ \t]+#[^\n]*", re.MULTILINE | re.IGNORECASE)
_LOOKS_LIKE_FIELD = pattern(r"[\w\"'-][\w \"'-]{0,60}[:=]")
_OPENS_UNFENCED = pattern(r"[A-Za-z][\w-]*:|\.\. |<!--")


class Split(NamedTuple):
    """A file's two parts. Lines count from 1: `line` is the header's first, `body_line` the body's first."""

    header: dict[str, Value]
    body: str
    line: int = 1
    body_line: int = 1
    pelican: bool = False
    problems: tuple[Problem, ...] = ()


def split(text: str) -> Split:
    """The parts of a file whose lines end in a bare line feed; names of the header are in lower case.

    Raises `KetapressError` with the line of a header that is not closed or cannot be read.
    """
    if text[:1] == "\n" or text[:1] == " ":
        trimmed = text.lstrip(" \t\n")
        skipped = text.count("\n", 0, len(text) - len(trimmed))
        if not trimmed.startswith(("---", "+++")):
            return _unfenced(trimmed, skipped + 1) or Split({}, text)
        return _fenced(trimmed, skipped + 1) or Split({}, text)
    if text.startswith(("---", "+++")):
        return _fenced(text, 1) or Split({}, text)
    if text.startswith("{"):
        return _braced(text) or Split({}, text)
    return _unfenced(text, 1) or Split({}, text)


def _unfenced(text: str, line: int) -> Split | None:
    """A header that no fence opens; None where the text just begins."""
    if not _OPENS_UNFENCED.match(text):
        return None
    from ketapress.posts.frontmatter.key_value import closed_block, is_telling, key_value_lines

    block, end = closed_block(text)
    if block and (header := _yaml_or_none(block)) and is_telling(header):
        return Split(header, text[end:], line, line + text.count("\n", 0, end))
    found = key_value_lines(text)
    if not found:
        return None
    header, end = found
    return Split(header, text[end:], line, line + text.count("\n", 0, end), pelican=True)


def _yaml_or_none(block: str) -> dict[str, Value] | None:
    try:
        return _lowered(_yaml(block, 0))
    except KetapressError:
        return None


def _fenced(text: str, line: int) -> Split | None:
    """A header between two lines of dashes or plus signs; None where the first is a ruler and no fence."""
    opened = _FENCE.match(text)
    if not opened:
        return None
    toml = opened[1] == "+++" or opened[2].lower() == "toml"
    closed = (_TOML_END if opened[1] == "+++" else _YAML_END).search(text, opened.end())
    if not closed:
        if not _LOOKS_LIKE_FIELD.match(text, opened.end()):
            return None
        raise header_fault(
            f"the header that begins with `{opened[1]}` is never closed.",
            f"Put a line `{opened[1]}` after the header.",
            line,
        )
    block = text[opened.end() : closed.start()]
    if block[:1] == "\n" and not toml and not _NAME.search(block) and "{" not in block:
        return None  # rulers around a first paragraph
    header = (
        _toml(block, line)
        if toml
        else _json(block, line)
        if opened[2].lower() == "json"
        else _yaml(block, line)
    )
    body_line = line + text.count("\n", 0, closed.end())
    odd = () if len(header) == block.count("\n") else _said_twice(block, line)
    if ": #" in block and not toml:
        odd = (*odd, *_commented_out(block, line))
    return Split(_lowered(header), text[closed.end() :], line, body_line, problems=odd)


def _said_twice(block: str, line: int) -> tuple[Problem, ...]:
    """A warning for each name that a YAML header gives more than once; in TOML that is an error."""
    lines: dict[str, int] = {}
    found = []
    for name in _NAME.finditer(block):
        number = line + 1 + block.count("\n", 0, name.start())
        if name[1] in lines:
            found.append(_repeated(name[1], lines[name[1]], number))
        lines[name[1]] = number
    return tuple(found)


def _commented_out(block: str, line: int) -> Iterator[Problem]:
    """A warning for a title that is a comment: to YAML a hash begins one."""
    for found in _COMMENTED_OUT.finditer(block):
        yield Problem(
            code="post.header-value",
            severity=Severity.WARNING,
            message=f"`{found[0][:60]}` says nothing: to YAML what follows a blank and a hash is a comment.",
            cure="Put the value in quotes if it is meant.",
            line=line + 1 + block.count("\n", 0, found.start()),
        )


def _repeated(name: str, first: int, second: int) -> Problem:
    return Problem(
        code="post.header-name",
        severity=Severity.WARNING,
        message=f"the header says `{name[:40]}` in line {first} and once more; the last counts.",
        cure="Take out the one that is not meant.",
        line=second,
    )


def _yaml(block: str, line: int) -> dict[str, Value]:
    from ketapress.posts.frontmatter.yaml_header import yaml_header

    return yaml_header(block, line)


def _toml(block: str, line: int) -> dict[str, Value]:
    try:
        loaded = _as_written(tomllib.loads(block))
    except ValueError as error:  # also numbers of thousands of digits
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        what = str(error).partition(" (at ")[0]
        cure = 'Put text in quotes: title = "…".'
        raise header_fault(
            f"the TOML header cannot be read: {what}.", cure, line + int(found[1]) if found else line
        ) from None
    except RecursionError:
        raise too_deep(line) from None
    return mapping(loaded, line)


def _json(block: str, line: int) -> dict[str, Value]:
    return _decoded_json(block, line + 1)[0]


def _decoded_json(text: str, line: int) -> tuple[dict[str, Value], int]:
    """The JSON object at the start of the text, and where it ends."""
    start = len(text) - len(text.lstrip())
    try:
        loaded, end = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).raw_decode(
            text, start
        )
    except json.JSONDecodeError as error:
        raise header_fault(
            f"the JSON header cannot be read: {error.msg}.", "Mend it there.", line + error.lineno - 1
        ) from None
    except RecursionError:
        raise too_deep(line) from None
    return mapping(_as_written(loaded), line), end


def _braced(text: str) -> Split | None:
    """A header that is one JSON object; None where the brace begins something else."""
    if not text[1:].lstrip().startswith(('"', "}")):
        return None
    header, end = _decoded_json(text, 1)
    newline = text.find("\n", end)
    end = len(text) if newline < 0 else newline + 1
    return Split(_lowered(header), text[end:], 1, 1 + text.count("\n", 0, end))


def _lowered(header: dict[str, Value]) -> dict[str, Value]:
    """Names are compared in lower case."""
    return {str(key).strip().lower(): value for key, value in header.items()}


def _as_written(value: object) -> Value:
    """A value of TOML or JSON, its scalars as the strings that YAML would have kept."""
    if isinstance(value, dict):
        return {str(key): _as_written(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_written(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return "" if value is None else str(value)
