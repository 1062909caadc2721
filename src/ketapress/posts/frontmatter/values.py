"""What a header is, however it was written: names and values, whose scalars are the strings that were written.

Here scalars are read, and what is wrong with a header or one of its values is put into words.
"""

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
    """A scalar as text on one line; empty for nothing, lists and mappings."""
    if not value or not isinstance(value, str) or value.strip().lower() in _EMPTY_VALUES:
        return ""
    return to_single_line(value)


def find_text(header: Mapping[str, Value], *names: str) -> str:
    """What the first of the names says that says something."""
    for name in names:
        if name in header and (value := to_text(header[name])):
            return value
    return ""


def parse_flag(value: object) -> bool | None:
    """What a switch says; None where it says nothing or something else."""
    return _FLAGS.get(value.strip().lower()) if isinstance(value, str) else None


def require_mapping(value: Value, line: int) -> dict[str, Value]:
    """What was loaded, if it is names and values, or nothing at all. Raises `KetapressError` where it is anything else."""
    if isinstance(value, dict):
        return value
    if value == "":
        return {}
    raise header_error(
        "the header holds no `name: value` lines.",
        "Write one a line, such as `title: …`, with a blank after the colon.",
        line,
    )


def invalid_value(name: str, value: str, consequence: str, cure: str) -> Problem:
    """A warning for a value that says nothing that could be meant under its name."""
    return Problem(
        code="post.header-value",
        severity=Severity.WARNING,
        message=f"`{name}: {value[:60]}` is not understood, {consequence}.",
        cure=cure,
    )


def nesting_error(line: int) -> KetapressError:
    return header_error("the header's values are nested too deeply.", "Make them flatter.", line)


def header_error(message: str, cure: str, line: int) -> KetapressError:
    return KetapressError(Problem(code="post.header", message=message, cure=cure, line=line))
