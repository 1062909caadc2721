"""Edge: what was told, kept in `.ketapress/alerts.json`, so that a restart does not tell all of it again.

It is only a memory: what cannot be read is none, and what cannot be written (a full disk is one of the things to be
told) costs nothing but a repeat after the next restart.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ketapress.alerts.policy import Memory, Told

NAME = ".ketapress/alerts.json"


def read_memory(root: Path) -> Memory:
    try:
        kept = json.loads((root / NAME).read_bytes())
        return {str(name): _told(each) for name, each in kept.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def write_memory(root: Path, memory: Memory) -> None:
    kept = {
        name: {"since": told.since.isoformat(), "at": told.at and told.at.isoformat()}
        for name, told in memory.items()
    }
    place = root / NAME
    fresh = place.with_suffix(".new")
    with suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        fresh.unlink(missing_ok=True)
        fresh.write_text(json.dumps(kept), encoding="utf-8")
        fresh.replace(place)


def _told(kept: Mapping[str, Any]) -> Told:
    since, at = (datetime.fromisoformat(kept[key]) if kept[key] else None for key in ("since", "at"))
    if since is None or since.tzinfo is None or (at and at.tzinfo is None):
        raise ValueError("a time without a zone")
    return Told(since, at)
