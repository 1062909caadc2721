"""What the last build made, kept in `.ketapress/built.json` of the publication.

For each path under `public/`, the key that it was made for and the stamp of the file. It is only a memory. Without it everything is made again, and it is not known which files of an earlier build may be
removed. What cannot be read is no memory: it comes with a folder, and the folder may come from anybody.
"""

import json
from collections.abc import Mapping
from pathlib import Path

Made = tuple[str, str]
"""The key of a file, and its stamp."""
NAME = ".ketapress/built.json"


def read_built(root: Path) -> dict[str, Made]:
    """What the last build made; nothing where there was none, or where it cannot be read."""
    try:
        state = json.loads((root / NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    outputs = state.get("outputs") if isinstance(state, dict) else None
    if not isinstance(outputs, dict):
        return {}
    return {path: (made[0], made[1]) for path, made in outputs.items() if _is_made(made)}


def write_built(root: Path, outputs: Mapping[str, Made]) -> None:
    """Remembers what this build made, whole or not at all."""
    place = root / NAME
    place.parent.mkdir(exist_ok=True)
    temporary = place.with_suffix(".new")
    temporary.unlink(missing_ok=True)  # a link that came with the folder would be followed
    temporary.write_text(json.dumps({"outputs": outputs}, ensure_ascii=False), encoding="utf-8")
    temporary.replace(place)


def _is_made(found: object) -> bool:
    return isinstance(found, list) and len(found) == 2 and all(isinstance(part, str) for part in found)  # noqa: PLR2004 - key and stamp
