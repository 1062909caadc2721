"""Edge: what was told, kept in `.ketapress/alerts.json`, so that a restart does not tell all of it again.

It is only a memory: what cannot be read is none, and what cannot be written (a full disk is one of the things to be
told) costs nothing but a repeat after the next restart.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ketapress.alerts.policy import Memory, Told
from ketapress.model.errors import RefusedError
from ketapress.system.state_file import read_state, write_state

_NAME = "alerts.json"


def read_memory(root: Path) -> Memory:
    try:
        return {name: _told(each) for name, each in read_state(root, _NAME).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def write_memory(root: Path, memory: Memory) -> None:
    kept = {
        name: {"since": told.since.isoformat(), "at": told.at and told.at.isoformat()}
        for name, told in memory.items()
    }
    with suppress(OSError, RefusedError):
        write_state(root, _NAME, kept)


def _told(kept: Mapping[str, Any]) -> Told:
    since, at = (datetime.fromisoformat(kept[key]) if kept[key] else None for key in ("since", "at"))
    if since is None or since.tzinfo is None or (at and at.tzinfo is None):
        raise ValueError("a time without a zone")
    return Told(since, at)
