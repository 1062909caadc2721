"""Write and read the folder of an edition, `outbox/NEWSLETTER/SLOT/`, so that a crash leaves it complete or absent.

A folder is written under a hidden name, synced to disk and renamed.
"""

import json
import shutil
from collections.abc import Mapping
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
    """Write the folder of an edition in the outbox of the publication `root`, or replace it.

    Raises KetapressError for an error of the disk. A crash leaves the old folder, the new one, or (between two renames)
    both under hidden names; the next run writes the edition again, which cleans up.
    """
    target = edition_folder(root, slot)
    try:
        if target.parent.is_symlink():  # `outbox/` itself may be a link to another disk, its folders may not
            raise KetapressError(
                Problem(
                    code="outbox.link",
                    message="The edition was not written to the outbox: this folder is a symbolic link, which may "
                    "point anywhere.",
                    cure="Remove the link, or move the folder that it points to here; then run the command again.",
                    path=f"outbox/{target.parent.name}",
                )
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        new_folder = target.with_name(f"{_NEW_PREFIX}{slot.key}")
        _write_folder(new_folder, files)
        _replace_folder(new_folder, target)
        for folder in (target.parent, root / _OUTBOX, root):
            sync_folder(folder)
    except OSError as error:
        raise KetapressError(
            Problem(
                code="outbox.write",
                message=f"The edition cannot be written to the outbox: {error.strerror or error}.",
                cure="Free disk space or fix the permissions, then run the command again; nothing was lost.",
                path=f"outbox/{target.parent.name}/{target.name}",
            )
        ) from error
    return target


def edition_folder(root: Path, slot: Slot) -> Path:
    return root / _OUTBOX / slot.newsletter / slot.key


def has_edition_folder(root: Path, slot: Slot) -> bool:
    """Return whether the outbox has a folder for the edition."""
    return edition_folder(root, slot).is_dir()


def read_edition_files(root: Path, slot: Slot) -> dict[str, bytes]:
    """Return the files in the folder of an edition by name; none if it cannot be read."""
    try:
        return {
            file.name: file.read_bytes() for file in edition_folder(root, slot).iterdir() if file.is_file()
        }
    except OSError:
        return {}


def read_edition_json(root: Path, slot: Slot) -> dict[str, Any] | None:
    """Return the content of `edition.json`; None where it is missing or damaged."""
    try:
        manifest = json.loads((edition_folder(root, slot) / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and isinstance(manifest.get("sha256"), dict) else None


def changed_files(root: Path, slot: Slot) -> tuple[str, ...]:
    """Return the names of missing and edited files; `edition.json` where it is damaged.

    A missing folder counts as unchanged: it was deleted as a whole, or written on another machine.
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


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a new folder with these files durably."""
    _remove(folder)
    folder.mkdir()
    for name, content in files.items():
        write_new(folder / name, content, durable=True)
    sync_folder(folder)


def _replace_folder(new_folder: Path, target: Path) -> None:
    """Rename a folder to its target; the old one is renamed first, because rename cannot replace a non-empty folder."""
    old_folder = target.with_name(f"{_OLD_PREFIX}{target.name}")
    _remove(old_folder)
    if target.is_symlink() or target.exists():
        target.rename(old_folder)
    new_folder.rename(target)
    _remove(old_folder)


def _remove(path: Path) -> None:
    """Remove a folder with its content, a file, or a link but not its target; nothing where the path does not exist."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _file_hash(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
