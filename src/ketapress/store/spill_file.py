"""A small file for results that the database does not accept any more; the next start of sending writes them.

Its disk blocks are allocated before anything is sent, so that a full disk has room for it.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ketapress.model.delivery import DeliveryResult, DeliveryState
from ketapress.system.atomic import open_or_create

SPILL_FILE_NAME = "unwritten.json"
_RESERVED_BYTES = 65536  # some hundred results; each open connection has at most one
_TERMINATOR = b"\0"


class UnsavedResults(NamedTuple):
    """Results of one edition, and the ids of the workers that held the deliveries."""

    edition_id: int
    worker_ids: tuple[int, ...]
    results: tuple[DeliveryResult, ...]


class SpillFile:
    """The spill file of one process. Without a path nothing is saved."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def reserve(self) -> None:
        """Empty the file and allocate its blocks. Its results must be in the database by now."""
        if self._path is None:
            return
        with suppress(OSError):  # without the file, unsaved results are at least named in the error
            if self._path.is_symlink():  # a link that came with the folder must not be followed
                self._path.unlink()
            descriptor = open_or_create(self._path, os.O_WRONLY | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, _RESERVED_BYTES)
            finally:
                os.close(descriptor)

    def save(self, unsaved: UnsavedResults) -> str:
        """Write results durably. Return the file's name for messages; empty if that failed, too."""
        if self._path is None:
            return ""
        try:
            descriptor = open_or_create(self._path, os.O_WRONLY, 0o600)
            try:
                os.pwrite(descriptor, json.dumps(_to_data(unsaved)).encode() + _TERMINATOR, 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            return ""
        return f"{self._path.parent.name}/{self._path.name}"

    def load(self) -> UnsavedResults | None:
        """Return the results that an earlier process saved; None if there are none, or the file is damaged."""
        try:
            data = self._path.read_bytes().partition(_TERMINATOR)[0] if self._path else b""
            return _from_data(json.loads(data)) if data else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _to_data(unsaved: UnsavedResults) -> object:
    return {
        "edition": unsaved.edition_id,
        "workers": unsaved.worker_ids,
        "results": [
            {
                "delivery": result.subscription_id,
                "state": result.state.value,
                "reply": result.reply,
                "next_at": result.next_at.isoformat() if result.next_at else None,
                "suppress": result.suppress,
            }
            for result in unsaved.results
        ],
    }


def _from_data(data: dict[str, object]) -> UnsavedResults:
    results: Sequence[dict[str, object]] = data["results"]  # type: ignore[assignment]  # wrong types raise below
    return UnsavedResults(
        edition_id=int(str(data["edition"])),
        worker_ids=tuple(int(str(entry)) for entry in data["workers"]),  # type: ignore[attr-defined]  # as above
        results=tuple(
            DeliveryResult(
                subscription_id=int(str(entry["delivery"])),
                state=DeliveryState(str(entry["state"])),
                reply=str(entry["reply"]),
                next_at=datetime.fromisoformat(str(entry["next_at"])) if entry["next_at"] else None,
                suppress=bool(entry["suppress"]),
            )
            for entry in results
        ),
    )
