"""What the outputs of a build hold."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from ketapress.model.output import Keys, Output


def keys() -> Keys:
    """The keys of a build of its own."""
    return Keys("a site")


def made(outputs: Iterable[Output]) -> dict[str, bytes]:
    """Every output, made, by its path; the first of those that ask for one path."""
    found: dict[str, bytes] = {}
    for output in outputs:
        found.setdefault(output.path, output.make())
    return found


def outputs(files: dict[str, bytes]) -> list[Output]:
    """Outputs with these contents, each of which is its key."""
    return [Output(path, repr(content), partial(bytes, content)) for path, content in files.items()]


def tree(folder: Path) -> dict[str, bytes]:
    """What the files of a folder hold, by their paths."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
