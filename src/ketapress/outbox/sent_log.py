"""The log of sent editions in `outbox/`, so that a restored older database cannot send them again.

`.generation.json` has the generation: how often sending was started. `.sent.jsonl` has a line for each edition when its
first message may go out, and one when all have. Both are durable when a function returns. The store is not read here.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ketapress.model.edition import Slot, StoredEdition, Window
from ketapress.model.errors import KetapressError, Problem, RefusedError
from ketapress.system.atomic import open_or_create, sync_folder, write_all, write_atomic

_OUTBOX = "outbox"
GENERATION_FILE = ".generation.json"
SENT_FILE = ".sent.jsonl"


class SentLogEntry(NamedTuple):
    """One edition in the log. `has_started`: a message may have gone out; `is_finished`: all have."""

    slot: Slot
    window: Window | None
    subject: str
    post_ids: tuple[str, ...]
    has_started: bool
    is_finished: bool


def read_generation(root: Path) -> int:
    """Return how often sending was started, by the outbox; 0 without a file.

    Raises RefusedError where the file exists and cannot be parsed: then it is unknown what went out.
    """
    file = root / _OUTBOX / GENERATION_FILE
    try:
        generation = json.loads(file.read_bytes())["generation"]
    except FileNotFoundError:
        return 0
    except (ValueError, KeyError, TypeError):
        generation = None
    if not isinstance(generation, int):
        raise RefusedError(
            Problem(
                code="outbox.generation",
                path=f"{_OUTBOX}/{GENERATION_FILE}",
                message="the file cannot be read, so Ketapress cannot tell whether the database is an older copy; "
                "nothing is sent.",
                cure="Restore the file from a backup, or remove it and run `ketapress db restore --accept`.",
            )
        )
    return generation


def older_copy_problem(root: Path, generation: int) -> Problem | None:
    """Return a problem where a store of this generation is older than the outbox, else None.

    Raises RefusedError, as `read_generation` does.
    """
    newest_generation = read_generation(root)
    if generation >= newest_generation:
        return None
    return Problem(
        code="store.behind",
        path=f"{_OUTBOX}/{GENERATION_FILE}",
        message=f"outbox/ has generation {newest_generation}, and the database has {generation}: the database is an "
        "older copy, or another one. Editions sent since then would be sent again, so nothing is composed or sent.",
        cure="`ketapress db restore --accept --dry-run` lists what was sent since then, `ketapress db restore --accept` "
        "marks it as sent; or put the newer database back.",
    )


def raise_outbox_generation(root: Path, generation: int) -> None:
    """Set the generation of the outbox to at least this number; a higher one stays."""
    with _outbox_lock(root) as folder:
        if generation <= read_generation(root):
            return
        write_atomic(
            folder / GENERATION_FILE, _encode_line({"schema": 1, "generation": generation}), durable=True
        )


def record_progress(
    root: Path, edition: StoredEdition, *, has_started: bool, is_finished: bool, now: datetime
) -> None:
    """Append a line on an edition's progress, unless its last line says the same."""
    with _outbox_lock(root) as folder:
        last_entry = next(
            (entry for entry in read_sent_log(root) if entry.slot.edition == edition.slot.edition), None
        )
        if last_entry is None or (last_entry.has_started, last_entry.is_finished) != (
            has_started,
            is_finished,
        ):
            _append_line(
                folder / SENT_FILE,
                _entry_to_dict(edition, now, has_started=has_started, is_finished=is_finished),
            )
            sync_folder(folder)


def read_sent_log(root: Path) -> tuple[SentLogEntry, ...]:
    """Return the last entry of each edition, oldest slot first. Truncated lines, which a crash leaves, are skipped."""
    entries: dict[str, SentLogEntry] = {}
    try:
        text = (root / _OUTBOX / SENT_FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ()
    for line in text.splitlines():
        try:
            entry = _parse_entry(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue
        entries[entry.slot.edition] = entry
    return tuple(sorted(entries.values(), key=lambda entry: (entry.slot.at, entry.slot.newsletter)))


def _entry_to_dict(
    edition: StoredEdition, now: datetime, *, has_started: bool, is_finished: bool
) -> dict[str, Any]:
    window = edition.window
    return {
        "newsletter": edition.slot.newsletter,
        "slot": edition.slot.key,
        "at": edition.slot.at.isoformat(),
        "window": [window.start.isoformat(), window.end.isoformat()] if window else None,
        "subject": edition.subject,
        "posts": list(edition.post_ids),
        "left": has_started,
        "over": is_finished,
        "noted": now.isoformat(),
    }


def _parse_entry(record: dict[str, Any]) -> SentLogEntry:
    window = [datetime.fromisoformat(moment) for moment in record["window"] or ()]
    return SentLogEntry(
        slot=Slot(record["newsletter"], record["slot"], datetime.fromisoformat(record["at"])),
        window=Window(*window) if window else None,
        subject=record["subject"],
        post_ids=tuple(record["posts"]),
        has_started=record["left"],
        is_finished=record["over"],
    )


@contextmanager
def _outbox_lock(root: Path) -> Iterator[Path]:
    """Lock the outbox for one process at a time. Raises KetapressError for an error of the disk."""
    folder = root / _OUTBOX
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(descriptor)
    except OSError as error:
        raise KetapressError(
            Problem(
                code="outbox.write",
                path=_OUTBOX,
                message=f"the log of sent editions cannot be written: {error.strerror or error}; nothing is sent.",
                cure="Free disk space or fix the permissions, then run the command again.",
            )
        ) from error


def _append_line(file: Path, value: dict[str, Any]) -> None:
    """Append a line of JSON durably; after a truncated line it begins a new one."""
    descriptor = open_or_create(file, os.O_RDWR | os.O_APPEND)
    try:
        size = os.fstat(descriptor).st_size
        is_truncated = size and os.pread(descriptor, 1, size - 1) != b"\n"
        write_all(descriptor, b"\n" * bool(is_truncated) + _encode_line(value))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _encode_line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
