"""Remember the alerts that were sent, in `.ketapress/alerts.json`, so that a restart does not send them again.

An unreadable file counts as empty. A failed write (a full disk may be the very problem) only repeats alerts after the next
restart.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ketapress.alerts.policy import AlertState, AlertStates
from ketapress.model.errors import RefusedError
from ketapress.system.state_file import read_state, write_state

_FILE_NAME = "alerts.json"


def load_states(root: Path) -> AlertStates:
    try:
        return {key: _parse_state(entry) for key, entry in read_state(root, _FILE_NAME).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def save_states(root: Path, states: AlertStates) -> None:
    document = {
        key: {"since": state.since.isoformat(), "at": state.notified_at and state.notified_at.isoformat()}
        for key, state in states.items()
    }
    with suppress(OSError, RefusedError):
        write_state(root, _FILE_NAME, document)


def _parse_state(entry: Mapping[str, Any]) -> AlertState:
    since, notified_at = (
        datetime.fromisoformat(entry[field]) if entry[field] else None for field in ("since", "at")
    )
    if since is None or since.tzinfo is None or (notified_at and notified_at.tzinfo is None):
        raise ValueError("a time has no time zone")
    return AlertState(since, notified_at)
