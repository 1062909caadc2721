"""Find the template files: the publication's own in `templates/`, and the shipped ones.

It imports little, because a build that finds nothing changed needs nothing else of the templates.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path


def template_folders(root: Path) -> tuple[Path, Path]:
    """Return the template folders in the order of lookup: the publication's own, and the shipped one.

    The shipped one is in the installed package, else at the top of the repository.
    """
    packaged = Path(__file__).parent / "shipped"
    return root / "templates", packaged if packaged.is_dir() else Path(__file__).parents[3] / "templates"


def templates_fingerprint(root: Path) -> str:
    """Return a hash of the names and contents of all templates that may be rendered."""
    return _hash_files(*template_folders(root))


def overrides_fingerprint(root: Path) -> str:
    """Return a hash of the names and contents of the publication's own templates."""
    return _hash_files(root / "templates")


def has_overrides(root: Path, folder: str) -> bool:
    """Return whether the publication has its own templates in a folder (`archive`)."""
    overrides, shipped = template_folders(root)
    return overrides.resolve() != shipped.resolve() and any(
        path.is_file() for path in (overrides / folder).rglob("*")
    )


def _hash_files(*folders: Path) -> str:
    digest = sha256()
    for name, content in _list_files(*folders):
        digest.update(b"%d %d " % (len(name), len(content)) + name.encode() + content)
    return digest.hexdigest()


def _list_files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each template, ordered by name; the first folder with a name wins."""
    paths: dict[str, Path] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                paths.setdefault(path.relative_to(folder).as_posix(), path)
    for name in sorted(paths):
        yield name, paths[name].read_bytes()
