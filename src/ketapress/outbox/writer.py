"""The outbox on disk: one folder an edition, there whole or not at all, whenever the process dies.

In: the publication's folder, a slot, its files. Out: `outbox/NEWSLETTER/SLOT/`. A folder is written beside its place under a hidden name,
made durable, and renamed. It decides nothing: what a changed file means is for its caller to say.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ketapress.model.edition import Slot
from ketapress.model.errors import KetapressError, Problem
from ketapress.outbox.manifest import MANIFEST
from ketapress.system.atomic import sync_folder, write_new

_OUTBOX = "outbox"
_NEW_PREFIX = ".new-"
_OLD_PREFIX = ".old-"


def write_edition(root: Path, slot: Slot, files: Mapping[str, bytes]) -> Path:
    """Puts the edition's folder into place in the outbox of the publication `root`; one that is there is replaced.

    Raises KetapressError where the disk refuses. A crash leaves the old folder, the new one, or (between two renames)
    neither and both under hidden names; writing again, or `remove_leftovers`, tidies.
    """
    target = edition_folder(root, slot)
    try:
        if target.parent.is_symlink():  # `outbox/` itself may lie on another disk; what is in it is made here
            raise KetapressError(_link_problem(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        new_folder = target.with_name(f"{_NEW_PREFIX}{slot.key}")
        _write_folder(new_folder, files)
        _replace_folder(new_folder, target)
        for folder in (target.parent, root / _OUTBOX, root):
            sync_folder(folder)
    except OSError as error:
        raise KetapressError(_write_problem(target, error)) from error
    return target


def edition_folder(root: Path, slot: Slot) -> Path:
    return root / _OUTBOX / slot.newsletter / slot.key


def read_edition_json(root: Path, slot: Slot) -> dict[str, Any] | None:
    """What `edition.json` says; None where it is missing or cannot be read as it was written."""
    try:
        manifest = json.loads((edition_folder(root, slot) / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and isinstance(manifest.get("sha256"), dict) else None


def changed_files(root: Path, slot: Slot) -> tuple[str, ...]:
    """The names of the files that are missing or not as they were written; `edition.json` where that cannot be told.

    A folder that is gone altogether, or was written on another machine, is nobody's edit: nothing has changed.
    """
    folder = edition_folder(root, slot)
    if not folder.is_dir():
        return ()
    manifest = read_edition_json(root, slot)
    if manifest is None:
        return (MANIFEST,)
    return tuple(
        name
        for name, expected_hash in manifest["sha256"].items()
        if _file_hash(folder / name) != expected_hash
    )


def remove_leftovers(root: Path) -> tuple[Path, ...]:
    """Removes what a crash left half-written or half-replaced, and returns what it removed.

    An old folder that was moved aside while its successor never arrived is put back instead.
    """
    leftovers = tuple(_find_leftovers(root))
    for path in leftovers:
        target = path.with_name(path.name.removeprefix(_NEW_PREFIX).removeprefix(_OLD_PREFIX))
        if path.name.startswith(_OLD_PREFIX) and not target.exists():
            path.rename(target)
        else:
            _remove(path)
    return leftovers


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """A new folder with these files, all of it on the disk when this returns."""
    _remove(folder)
    folder.mkdir()
    for name, content in files.items():
        write_new(folder / name, content, durable=True)
    sync_folder(folder)


def _replace_folder(new_folder: Path, target: Path) -> None:
    """Renames a folder into its place; a full folder cannot be renamed over, so the old one steps aside first."""
    old_folder = target.with_name(f"{_OLD_PREFIX}{target.name}")
    _remove(old_folder)
    if target.is_symlink() or target.exists():
        target.rename(old_folder)
    new_folder.rename(target)
    _remove(old_folder)


def _remove(path: Path) -> None:
    """Remove what stands there, if anything does: a folder with what is in it, a link alone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _find_leftovers(root: Path) -> Iterator[Path]:
    for prefix in (_NEW_PREFIX, _OLD_PREFIX):
        yield from sorted((root / _OUTBOX).glob(f"*/{prefix}*"))


def _file_hash(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _write_problem(target: Path, error: OSError) -> Problem:
    return Problem(
        code="outbox.write",
        message=f"The edition cannot be written to the outbox: {error.strerror or error}.",
        cure="Make room or allow writing there, then run the command again: nothing was lost.",
        path=f"outbox/{target.parent.name}/{target.name}",
    )


def _link_problem(target: Path) -> Problem:
    return Problem(
        code="outbox.link",
        message="The edition is not written to the outbox: this folder is a symbolic link, which may lead anywhere.",
        cure="Remove the link, or move the folder that it leads to here; then run the command again.",
        path=f"outbox/{target.parent.name}",
    )
