"""Values of a header, whichever format it is in: lists, mappings, and scalars as the strings that were written."""

from collections.abc import Mapping

from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.posts.text.excerpt import to_single_line

Value = str | list["Value"] | dict[str, "Value"]

_EMPTY_VALUES = {"", "null", "~", "none"}
_FLAGS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def to_text(value: object) -> str:
    """Return a scalar as text on one line; empty for null, lists and mappings."""
    if not value or not isinstance(value, str) or value.strip().lower() in _EMPTY_VALUES:
        return ""
    return to_single_line(value)


def find_text(header: Mapping[str, Value], *names: str) -> str:
    """Return the text of the first of the names that has one, else the empty string."""
    for name in names:
        if name in header and (value := to_text(header[name])):
            return value
    return ""


def parse_flag(value: object) -> bool | None:
    """Return the state of a switch such as `draft`; None where the value is not one."""
    return _FLAGS.get(value.strip().lower()) if isinstance(value, str) else None


def require_mapping(value: Value, line: int) -> dict[str, Value]:
    """Return a parsed header as names and values; an empty header has none. Raises `KetapressError` for anything else."""
    if isinstance(value, dict):
        return value
    if value == "":
        return {}
    raise header_error(
        "the header has no `name: value` lines.",
        "Write one field a line, such as `title: …`, with a space after the colon.",
        line,
    )


def invalid_value(name: str, value: str, consequence: str, cure: str) -> Problem:
    """Build the warning about a value that its field cannot have."""
    return Problem(
        code="post.header-value",
        severity=Severity.WARNING,
        message=f"`{name}: {value[:60]}` is not valid, {consequence}.",
        cure=cure,
    )


def nesting_error(line: int) -> KetapressError:
    """Build the error for lists and mappings in each other beyond the limit of the format's parser."""
    return header_error(
        "the values in the header are nested too deeply.", "Use fewer levels of nesting.", line
    )


def header_error(message: str, cure: str, line: int) -> KetapressError:
    """Build the error for a header that cannot be read."""
    return KetapressError(Problem(code="post.header", message=message, cure=cure, line=line))
