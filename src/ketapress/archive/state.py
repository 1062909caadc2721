"""What the last build made, kept in `.ketapress/built.json` of the publication: a list of paths under `public/`.

It is only a memory. Without it nothing is lost but the knowledge which files of an earlier build may be removed.
"""

import json
from collections.abc import Collection
from pathlib import Path

_NAME = Path(".ketapress") / "built.json"


def read_built(root: Path) -> frozenset[str]:
    """The paths that the last build made; none where there was no build, or its list cannot be read."""
    try:
        state = json.loads((root / _NAME).read_bytes())
    except (OSError, ValueError):
        return frozenset()
    paths = state.get("paths") if isinstance(state, dict) else None
    return (
        frozenset(path for path in paths if isinstance(path, str)) if isinstance(paths, list) else frozenset()
    )


def write_built(root: Path, paths: Collection[str]) -> None:
    """Remembers what this build made, whole or not at all."""
    place = root / _NAME
    place.parent.mkdir(exist_ok=True)
    temporary = place.with_suffix(".new")
    temporary.write_text(json.dumps({"paths": sorted(paths)}, indent=0, ensure_ascii=False), encoding="utf-8")
    temporary.replace(place)
