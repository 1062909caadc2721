"""Where templates are: the publication's own in `templates/`, and the shipped ones behind them.

In: the publication folder. Out: folders, and a fingerprint of all that is in them. It is light to import: a build that
finds nothing changed asks for no more.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path


def template_folders(root: Path) -> tuple[Path, Path]:
    """The folders in which a template is looked for, in this order."""
    return root / "templates", _shipped_folder()


def templates_fingerprint(root: Path) -> str:
    """A hash of every template that can be filled, by name and content: the same when output can be the same."""
    digest = sha256()
    for name, content in _list_files(*template_folders(root)):
        digest.update(b"%d %d " % (len(name), len(content)) + name.encode() + content)
    return digest.hexdigest()


def has_overrides(root: Path, folder: str) -> bool:
    """Whether the publication has templates of its own for a room (`archive`)."""
    overrides, shipped = template_folders(root)
    return overrides.resolve() != shipped.resolve() and any(
        path.is_file() for path in (overrides / folder).rglob("*")
    )


def _shipped_folder() -> Path:
    """Where the shipped templates are: in the installed package, else at the top of the repository."""
    packaged = Path(__file__).parent / "shipped"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "templates"


def _list_files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each template, the first folder's file of a name alone, in the order of the names."""
    paths: dict[str, Path] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                paths.setdefault(path.relative_to(folder).as_posix(), path)
    for name in sorted(paths):
        yield name, paths[name].read_bytes()
