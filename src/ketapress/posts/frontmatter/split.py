"""Split the text of a post into its header and its body, whichever tool it was written for.

A header is YAML between `---` and `---` or `...`, TOML between `+++`, JSON in braces or after `---json`, or one of the
forms without a fence in `key_value`. Each scalar stays the string that was written (`yes`, `012`, `12:30`): what a
value means is decided in `fields`, `status` and `post_date`.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import NamedTuple

from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.posts.frontmatter.values import Value, header_error, nesting_error, require_mapping

_FENCE = re.compile(r"(---|\+\+\+)[ \t]*([A-Za-z]*)[ \t]*\n")
_YAML_END = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE)
_TOML_END = re.compile(r"^\+\+\+[ \t]*(?:\n|\Z)", re.MULTILINE)
_FIELD_NAME = re.compile(r"^([A-Za-z_][\w-]*)[ \t]*:(?=\s)", re.MULTILINE)
_COMMENT_VALUE = re.compile(
    r"^(?:title|summary|description)[ \t]*:[ \t]+#[^\n]*", re.MULTILINE | re.IGNORECASE
)
_FIELD_START = re.compile(r"[\w\"'-][\w \"'-]{0,60}[:=]")
_UNFENCED_START = re.compile(r"[A-Za-z][\w-]*:|\.\. |<!--")


class SourceParts(NamedTuple):
    """The header and the body of a file, and the lines on which they begin, counted from 1."""

    header: dict[str, Value]
    body: str
    header_line: int = 1
    body_line: int = 1
    is_pelican: bool = False
    problems: tuple[Problem, ...] = ()


def split_front_matter(text: str) -> SourceParts:
    """Split a text whose lines end in a line feed. Names in the header are in lower case.

    Raises `KetapressError` with the line where a header is not closed or cannot be read.
    """
    if text[:1] == "\n" or text[:1] == " ":
        content = text.lstrip(" \t\n")
        blank_lines = text.count("\n", 0, len(text) - len(content))
        if not content.startswith(("---", "+++")):
            return _parse_unfenced(content, blank_lines + 1) or SourceParts({}, text)
        return _parse_fenced(content, blank_lines + 1) or SourceParts({}, text)
    if text.startswith(("---", "+++")):
        return _parse_fenced(text, 1) or SourceParts({}, text)
    if text.startswith("{"):
        return _parse_json_header(text) or SourceParts({}, text)
    return _parse_unfenced(text, 1) or SourceParts({}, text)


def _parse_unfenced(text: str, line: int) -> SourceParts | None:
    """Split off a header without a fence; None where there is none."""
    if not _UNFENCED_START.match(text):
        return None
    from ketapress.posts.frontmatter.key_value import is_header, parse_key_values, split_hexo_block

    block, end = split_hexo_block(text)
    if block:
        try:
            header = _lowercase_names(_parse_yaml(block, 0))
        except KetapressError:
            header = {}
        if is_header(header):
            return SourceParts(header, text[end:], line, line + text.count("\n", 0, end))
    key_values = parse_key_values(text)
    if not key_values:
        return None
    header, end = key_values
    return SourceParts(header, text[end:], line, line + text.count("\n", 0, end), is_pelican=True)


def _parse_fenced(text: str, line: int) -> SourceParts | None:
    """Split off a header between two fences; None where the first line is a horizontal rule instead of a fence."""
    start_fence = _FENCE.match(text)
    if not start_fence:
        return None
    is_toml = start_fence[1] == "+++" or start_fence[2].lower() == "toml"
    end_fence = (_TOML_END if start_fence[1] == "+++" else _YAML_END).search(text, start_fence.end())
    if not end_fence:
        if not _FIELD_START.match(text, start_fence.end()):
            return None
        raise header_error(
            f"the header that begins with `{start_fence[1]}` is never closed.",
            f"Add a line `{start_fence[1]}` after the header.",
            line,
        )
    block = text[start_fence.end() : end_fence.start()]
    if block[:1] == "\n" and not is_toml and not _FIELD_NAME.search(block) and "{" not in block:
        return None  # horizontal rules around the first paragraph
    if is_toml:
        header = _parse_toml(block, line)
    elif start_fence[2].lower() == "json":
        header, _ = _decode_json(block, line + 1)
    else:
        header = _parse_yaml(block, line)
    body_line = line + text.count("\n", 0, end_fence.end())
    problems = () if len(header) == block.count("\n") else _find_duplicates(block, line)
    if ": #" in block and not is_toml:
        problems = (*problems, *_find_comment_values(block, line))
    return SourceParts(_lowercase_names(header), text[end_fence.end() :], line, body_line, problems=problems)


def _find_duplicates(block: str, line: int) -> tuple[Problem, ...]:
    """Warn about names that a YAML header has more than once; in TOML that is an error."""
    first_lines: dict[str, int] = {}
    problems = []
    for match in _FIELD_NAME.finditer(block):
        number = line + 1 + block.count("\n", 0, match.start())
        if match[1] in first_lines:
            problems.append(
                Problem(
                    code="post.header-name",
                    severity=Severity.WARNING,
                    message=f"the header has `{match[1][:40]}` in line {first_lines[match[1]]} too; the last one counts.",
                    cure="Remove the one that is not meant.",
                    line=number,
                )
            )
        first_lines[match[1]] = number
    return tuple(problems)


def _find_comment_values(block: str, line: int) -> Iterator[Problem]:
    """Warn about a title or summary that is a YAML comment."""
    for match in _COMMENT_VALUE.finditer(block):
        yield Problem(
            code="post.header-value",
            severity=Severity.WARNING,
            message=f"`{match[0][:60]}` has no value: in YAML, a space and a hash begin a comment.",
            cure="Put the value in quotes if it is not a comment.",
            line=line + 1 + block.count("\n", 0, match.start()),
        )


def _parse_yaml(block: str, line: int) -> dict[str, Value]:
    from ketapress.posts.frontmatter.yaml_header import yaml_header

    return yaml_header(block, line)


def _parse_toml(block: str, line: int) -> dict[str, Value]:
    try:
        value = _to_strings(tomllib.loads(block))
    except ValueError as error:  # also for a number with thousands of digits
        position = re.search(r"\(at line (\d+), column \d+\)", str(error))
        reason = str(error).partition(" (at ")[0]
        cure = 'Put text in quotes: title = "…".'
        raise header_error(
            f"the TOML header cannot be read: {reason}.", cure, line + int(position[1]) if position else line
        ) from None
    except RecursionError:
        raise nesting_error(line) from None
    return require_mapping(value, line)


def _decode_json(text: str, line: int) -> tuple[dict[str, Value], int]:
    """Return the JSON object at the start of the text, and the index of its end."""
    start = len(text) - len(text.lstrip())
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    try:
        value, end = decoder.raw_decode(text, start)
        return require_mapping(_to_strings(value), line), end
    except json.JSONDecodeError as error:
        raise header_error(
            f"the JSON header cannot be read: {error.msg}.",
            "Fix the JSON in this line.",
            line + error.lineno - 1,
        ) from None
    except RecursionError:
        raise nesting_error(line) from None


def _parse_json_header(text: str) -> SourceParts | None:
    """Split off a header that is a JSON object; None where the brace begins something else."""
    if not text[1:].lstrip().startswith(('"', "}")):
        return None
    header, end = _decode_json(text, 1)
    line_end = text.find("\n", end)
    end = len(text) if line_end < 0 else line_end + 1
    return SourceParts(_lowercase_names(header), text[end:], 1, 1 + text.count("\n", 0, end))


def _lowercase_names(header: dict[str, Value]) -> dict[str, Value]:
    return {str(name).strip().lower(): value for name, value in header.items()}


def _to_strings(value: object) -> Value:
    """Return a value of TOML or JSON with its scalars as strings, as the YAML loader keeps them."""
    if isinstance(value, dict):
        return {str(name): _to_strings(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_to_strings(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return "" if value is None else str(value)
