"""Keep the memories of a publication: small JSON files in its folder `.ketapress/`.

In: a name, a value. Out: the same value at the next start, or nothing. They come with a folder, and the folder may come
from anybody: what cannot be read is no memory, and no link is followed to read or write one.
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
    """Make `.ketapress/` in the publication folder, for locks, secrets and memories. It hides itself from git.

    Raises RefusedError where it is a link: then files that are not ours could be in the way of all of them.
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
    """Make a folder of that path in `.ketapress/`. A link on the way is removed: what is made here is none."""
    folder = make_state_folder(root)
    for name in names:
        folder /= name
        if folder.is_symlink():
            folder.unlink()
        folder.mkdir(exist_ok=True)
    return folder


def read_state(root: Path, name: str) -> dict[str, Any]:
    """Read a memory; empty where there is none, or where it cannot be read."""
    try:
        state = json.loads(_read_bytes(root / STATE_FOLDER / name))
    except (OSError, ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) else {}


def write_state(root: Path, name: str, value: Mapping[str, Any]) -> None:
    """Replace a memory, whole or not at all. Raises OSError where the disk refuses, RefusedError as `private_folder`."""
    write_atomic(
        make_state_folder(root) / name, json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
    )


def remove_state(root: Path, *names: str) -> None:
    """Remove files of older versions from the folder, and what killed processes left unfinished in it."""
    folder = root / STATE_FOLDER
    for name in names:
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):
        remove_leftovers(str(folder), [file.name for file in folder.iterdir()])


def _read_bytes(file: Path) -> bytes:
    handle = os.open(file, _READ_FLAGS)
    with os.fdopen(handle, "rb") as stream:
        return stream.read() if S_ISREG(os.fstat(handle).st_mode) else b""


_LINK_PROBLEM = Problem(
    code="folder.link",
    path=STATE_FOLDER,
    message="it is a symbolic link, so what is kept in it could be written over files that are not Ketapress's.",
    cure="Remove the link: the folder is made anew. To keep it on another disk, mount that disk there.",
)
