"""What the last build made, kept in the folder `.ketapress` of the publication.

`built.json`: for each path under `public/`, the key that it was made for and the stamp of the file. `moulds.json`: the
moulds of one site key. Both are only memories. Without the first everything is made again, and it is not known which
files of an earlier build may be removed. What cannot be read is no memory: it comes with a folder, and the folder may
come from anybody.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Made = tuple[str, str]
"""The key of a file, and its stamp."""
NAME = ".ketapress/built.json"
_MOULDS = ".ketapress/moulds.json"


def read_built(root: Path) -> dict[str, Made]:
    """What the last build made; nothing where there was none, or where it cannot be read."""
    outputs = _read(root / NAME).get("outputs")
    if not isinstance(outputs, dict):
        return {}
    return {path: (made[0], made[1]) for path, made in outputs.items() if _is_made(made)}


def write_built(root: Path, outputs: Mapping[str, Made]) -> None:
    """Remembers what this build made, whole or not at all."""
    _write(root / NAME, {"outputs": outputs})


def read_moulds(root: Path, site: str) -> dict[str, Any]:
    """The pieces of the moulds that were cut under this site key, by their shapes; nothing where another one wrote."""
    memory = _read(root / _MOULDS)
    moulds = memory.get("moulds") if memory.get("site") == site else None
    return moulds if isinstance(moulds, dict) else {}


def write_moulds(root: Path, site: str, moulds: Mapping[str, Any]) -> None:
    """Remembers the pieces of moulds, whole or not at all."""
    _write(root / _MOULDS, {"site": site, "moulds": moulds})


def _read(place: Path) -> dict[str, Any]:
    try:
        found = json.loads(place.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(place: Path, memory: Mapping[str, Any]) -> None:
    place.parent.mkdir(exist_ok=True)
    temporary = place.with_suffix(".new")
    temporary.unlink(missing_ok=True)  # a link that came with the folder would be followed
    temporary.write_text(json.dumps(memory, ensure_ascii=False), encoding="utf-8")
    temporary.replace(place)


def _is_made(found: object) -> bool:
    return isinstance(found, list) and len(found) == 2 and all(isinstance(part, str) for part in found)  # noqa: PLR2004 - key and stamp
