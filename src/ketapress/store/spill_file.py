"""Edge: where results go that the database does not take any more: a small file beside it, whose room is kept free.

In: what became of messages that the relay took. Out: the same, at the next start. Its blocks are allocated before
anything is sent, so that a full disk has room for it.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ketapress.model.delivery import DeliveryState, Result
from ketapress.system.atomic import open_or_create

NAME = "unwritten.json"
_ROOM = 65536  # bytes: some hundred results, and there is one a connection
_EMPTY = b"\0"


class Unwritten(NamedTuple):
    """Results of one edition, and the numbers of the workers in whose hands the deliveries were."""

    edition_id: int
    workers: tuple[int, ...]
    results: tuple[Result, ...]


class Spill:
    """One file, for one process at a time. Without a file nothing is kept."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def reserve(self) -> None:
        """Makes room, and empties it; what was in it is written by now."""
        if self._file is None:
            return
        with suppress(OSError):  # without room there is still the message on the screen
            if self._file.is_symlink():  # it came with the folder, and is not followed
                self._file.unlink()
            handle = open_or_create(self._file, os.O_WRONLY | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(handle, 0, _ROOM)
            finally:
                os.close(handle)

    def keep(self, unwritten: Unwritten) -> str:
        """Writes it where a power cut does not reach; the file's name, or nothing where that failed too."""
        if self._file is None:
            return ""
        try:
            handle = open_or_create(self._file, os.O_WRONLY, 0o600)
            try:
                os.pwrite(handle, json.dumps(_as_data(unwritten)).encode() + _EMPTY, 0)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError:
            return ""
        return f"{self._file.parent.name}/{self._file.name}"

    def kept(self) -> Unwritten | None:
        """What an earlier process could not write; None where there is nothing, or it is torn."""
        try:
            data = self._file.read_bytes().partition(_EMPTY)[0] if self._file else b""
            return _from_data(json.loads(data)) if data else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _as_data(unwritten: Unwritten) -> object:
    return {
        "edition": unwritten.edition_id,
        "workers": unwritten.workers,
        "results": [
            {
                "delivery": each.subscription_id,
                "state": each.state.value,
                "reply": each.reply,
                "next_at": each.next_at.isoformat() if each.next_at else None,
                "suppress": each.suppress,
            }
            for each in unwritten.results
        ],
    }


def _from_data(data: dict[str, object]) -> Unwritten:
    results: Sequence[dict[str, object]] = data["results"]  # type: ignore[assignment]  # what is wrong raises below
    return Unwritten(
        edition_id=int(str(data["edition"])),
        workers=tuple(int(str(each)) for each in data["workers"]),  # type: ignore[attr-defined]  # as above
        results=tuple(
            Result(
                subscription_id=int(str(each["delivery"])),
                state=DeliveryState(str(each["state"])),
                reply=str(each["reply"]),
                next_at=datetime.fromisoformat(str(each["next_at"])) if each["next_at"] else None,
                suppress=bool(each["suppress"]),
            )
            for each in results
        ),
    )
