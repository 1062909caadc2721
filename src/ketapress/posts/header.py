"""What a header is, however it was written: names and values, whose scalars are the strings that were written."""

from ketapress.model.errors import KetapressError, Problem

Value = str | list["Value"] | dict[str, "Value"]


def too_deep(line: int) -> KetapressError:
    return header_fault("the header's values are nested too deeply.", "Make them flatter.", line)


def mapping(loaded: Value, line: int) -> dict[str, Value]:
    """What was loaded, if it is names and values, or nothing at all. Raises `KetapressError` where it is anything else."""
    if isinstance(loaded, dict):
        return loaded
    if loaded == "":
        return {}
    raise header_fault(
        "the header holds no `name: value` lines.", "Write one a line, such as `title: …`.", line
    )


def header_fault(message: str, cure: str, line: int) -> KetapressError:
    return KetapressError(Problem(code="post.header", message=message, cure=cure, line=line))
