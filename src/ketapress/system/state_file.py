"""The private folder `.ketapress/` of a publication, and small JSON state files in it.

The folder may come from anyone: an invalid state file counts as empty, and symbolic links are never followed.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any

from ketapress.model.errors import Problem, RefusedError
from ketapress.system.atomic import remove_leftovers, write_atomic, write_new

STATE_FOLDER = ".ketapress"
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def make_state_folder(root: Path) -> Path:
    """Create `.ketapress/` in the publication folder, for locks, secrets and state. Git ignores it.

    Raises RefusedError where it is a symbolic link, because files outside could be overwritten.
    """
    folder = root / STATE_FOLDER
    if folder.is_symlink():
        raise RefusedError(_LINK_PROBLEM)
    folder.mkdir(mode=0o755, exist_ok=True)
    ignore = folder / ".gitignore"
    if not os.path.lexists(ignore):
        with suppress(FileExistsError):
            write_new(ignore, b"*\n")
    return folder


def make_state_subfolder(root: Path, *names: str) -> Path:
    """Create a folder at that path in `.ketapress/`. A symbolic link in the path is removed: Ketapress makes none."""
    folder = make_state_folder(root)
    for name in names:
        folder /= name
        if folder.is_symlink():
            folder.unlink()
        folder.mkdir(exist_ok=True)
    return folder


def read_state(root: Path, name: str) -> dict[str, Any]:
    """Read a state file; empty where it is missing or cannot be read."""
    try:
        handle = os.open(root / STATE_FOLDER / name, _READ_FLAGS)
        with os.fdopen(handle, "rb") as stream:
            state = json.loads(stream.read() if S_ISREG(os.fstat(handle).st_mode) else b"")
    except (OSError, ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) else {}


def write_state(root: Path, name: str, value: Mapping[str, Any]) -> None:
    """Replace a state file atomically. Raises OSError, and RefusedError as `make_state_folder` does."""
    write_atomic(
        make_state_folder(root) / name, json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
    )


def remove_state(root: Path, *names: str) -> None:
    """Remove files of older versions from `.ketapress/`, and unfinished files of killed processes."""
    folder = root / STATE_FOLDER
    for name in names:
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):
        remove_leftovers(str(folder), [file.name for file in folder.iterdir()])


_LINK_PROBLEM = Problem(
    code="folder.link",
    path=STATE_FOLDER,
    message="the folder is a symbolic link, so files outside Ketapress could be overwritten.",
    cure="Remove the link; Ketapress creates the folder again. To keep it on another disk, mount that disk there.",
)
