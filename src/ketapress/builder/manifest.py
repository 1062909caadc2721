"""What the last build made, kept in the folder `.ketapress` of the publication.

`built.json`: for each path under `public/`, the key that it was made for and the stamp of the file. It is only
a memory. Without it everything is made again, and it is not known which files of an earlier build may be removed. What cannot be read is no memory: it comes with a folder, and the folder may
come from anybody.
"""

from collections.abc import Mapping
from pathlib import Path

from ketapress.system.state_file import STATE_FOLDER, read_state, write_state

Made = tuple[str, str]
"""The key of a file, and its stamp."""
_BUILT = "built.json"
NAME = f"{STATE_FOLDER}/{_BUILT}"


def read_built(root: Path) -> dict[str, Made]:
    """What the last build made; nothing where there was none, or where it cannot be read."""
    outputs = read_state(root, _BUILT).get("outputs")
    if not isinstance(outputs, dict):
        return {}
    return {path: (made[0], made[1]) for path, made in outputs.items() if _is_made(made)}


def write_built(root: Path, outputs: Mapping[str, Made]) -> None:
    """Remembers what this build made, whole or not at all."""
    write_state(root, _BUILT, {"outputs": outputs})


def _is_made(found: object) -> bool:
    return isinstance(found, list) and len(found) == 2 and all(isinstance(part, str) for part in found)  # noqa: PLR2004 - key and stamp
