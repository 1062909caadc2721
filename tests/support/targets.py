"""The files that a build renders."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from ketapress.model.build_target import BuildTarget, Fingerprints


def fingerprints() -> Fingerprints:
    """Return the fingerprints of a build of its own."""
    return Fingerprints("a site")


def render_targets(targets: Iterable[BuildTarget]) -> dict[str, bytes]:
    """Return the bytes of all targets by path; of those with the same path, the first."""
    files: dict[str, bytes] = {}
    for target in targets:
        files.setdefault(target.path, target.render())
    return files


def file_targets(files: dict[str, bytes]) -> list[BuildTarget]:
    """Return targets with these contents, each of which is its key."""
    return [BuildTarget(path, repr(content), partial(bytes, content)) for path, content in files.items()]


def tree(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files in a folder, by path."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
