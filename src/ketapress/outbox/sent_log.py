"""What the outbox knows of sending, so that an older copy of the database cannot send it all again.

In: the publication's folder. Out: two small files in `outbox/`: `.generation.json`, how often sending was started, and
`.sent.jsonl`, a line for each edition when it began to go out and when it was over. Both are durable when a function
returns. It never reads the store: who is behind whom is for its caller to say.
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
    """One edition, as the outbox has it. `left`: a message of it may have gone out; `over`: all of it has."""

    slot: Slot
    window: Window | None
    subject: str
    post_ids: tuple[str, ...]
    has_started: bool
    is_finished: bool


def read_generation(root: Path) -> int:
    """How often sending was started, as the outbox remembers it; 0 where it remembers nothing.

    Raises RefusedError where the file is there and cannot be understood: then nobody knows what went out.
    """
    file = root / _OUTBOX / GENERATION_FILE
    try:
        generation = json.loads(file.read_bytes())["generation"]
    except FileNotFoundError:
        return 0
    except (ValueError, KeyError, TypeError):
        generation = None
    if not isinstance(generation, int):
        raise RefusedError(_UNREADABLE_GENERATION)
    return generation


def older_copy_problem(root: Path, generation: int) -> Problem | None:
    """That a store of this generation is an older copy: the outbox knows of more starts of sending. None where it is not.

    Raises RefusedError, as `outbox_generation` does.
    """
    newest_generation = read_generation(root)
    return (
        _build_older_copy_problem(generation, newest_generation) if generation < newest_generation else None
    )


def raise_outbox_generation(root: Path, generation: int) -> None:
    """The outbox knows of at least so many starts from here on; a higher number that it has stays."""
    with _outbox_lock(root) as folder:
        if generation <= read_generation(root):
            return
        write_atomic(
            folder / GENERATION_FILE, _encode_line({"schema": 1, "generation": generation}), durable=True
        )


def record_progress(
    root: Path, edition: StoredEdition, *, has_started: bool, is_finished: bool, now: datetime
) -> None:
    """Writes down how far an edition is; nothing where the last line about it says the same."""
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
    """The editions that began to go out, each by its last line, oldest slot first. A line that was cut off is none."""
    entries: dict[str, SentLogEntry] = {}
    for line in _read_lines(root / _OUTBOX / SENT_FILE):
        try:
            entry = _parse_entry(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue
        entries[entry.slot.edition] = entry
    return tuple(sorted(entries.values(), key=lambda each: (each.slot.at, each.slot.newsletter)))


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


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


@contextmanager
def _outbox_lock(root: Path) -> Iterator[Path]:
    """The outbox, for one process at a time. Raises KetapressError where the disk refuses."""
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
        raise KetapressError(_write_problem(error)) from error


def _append_line(file: Path, value: dict[str, Any]) -> None:
    """One line of JSON, on the disk when this returns; after a line that was cut off it begins a new one."""
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


_UNREADABLE_GENERATION = Problem(
    code="outbox.generation",
    path=f"{_OUTBOX}/{GENERATION_FILE}",
    message="it cannot be read, so nobody can tell whether the database is an older copy; nothing is sent.",
    cure="Bring the file back from a backup, or remove it and run `ketapress db restore --accept`.",
)


def _build_older_copy_problem(store_generation: int, newest_generation: int) -> Problem:
    return Problem(
        code="store.behind",
        path=f"{_OUTBOX}/{GENERATION_FILE}",
        message=f"outbox/ has generation {newest_generation}, and this database {store_generation}: it is an older copy, or another one. "
        "What went out since would go out again, so nothing is composed or sent.",
        cure="`ketapress db restore --accept --dry-run` tells what went out since, `ketapress db restore --accept` "
        "marks it as sent; or put the newer database back.",
    )


def _write_problem(error: OSError) -> Problem:
    return Problem(
        code="outbox.write",
        path=_OUTBOX,
        message=f"what goes out cannot be written down there: {error.strerror or error}; nothing is sent.",
        cure="Make room or allow writing there, then run the command again.",
    )
