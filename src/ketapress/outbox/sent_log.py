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
GENERATION = ".generation.json"
SENT = ".sent.jsonl"


class Noted(NamedTuple):
    """One edition, as the outbox has it. `left`: a message of it may have gone out; `over`: all of it has."""

    slot: Slot
    window: Window | None
    subject: str
    post_ids: tuple[str, ...]
    left: bool
    over: bool


def outbox_generation(root: Path) -> int:
    """How often sending was started, as the outbox remembers it; 0 where it remembers nothing.

    Raises RefusedError where the file is there and cannot be understood: then nobody knows what went out.
    """
    file = root / _OUTBOX / GENERATION
    try:
        found = json.loads(file.read_bytes())["generation"]
    except FileNotFoundError:
        return 0
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, int):
        raise RefusedError(_UNREADABLE)
    return found


def behind(root: Path, generation: int) -> Problem | None:
    """That a store of this generation is an older copy: the outbox knows of more starts of sending. None where it is not.

    Raises RefusedError, as `outbox_generation` does.
    """
    known = outbox_generation(root)
    return _behind(generation, known) if generation < known else None


def raise_outbox_generation(root: Path, generation: int) -> None:
    """The outbox knows of at least so many starts from here on; a higher number that it has stays."""
    with _kept(root) as folder:
        if generation <= outbox_generation(root):
            return
        write_atomic(folder / GENERATION, _as_line({"schema": 1, "generation": generation}), durable=True)


def note(root: Path, edition: StoredEdition, *, left: bool, over: bool, now: datetime) -> None:
    """Writes down how far an edition is; nothing where the last line about it says the same."""
    with _kept(root) as folder:
        known = next((each for each in noted(root) if each.slot.edition == edition.slot.edition), None)
        if known is None or (known.left, known.over) != (left, over):
            _append(folder / SENT, _line(edition, now, left=left, over=over))
            sync_folder(folder)


def noted(root: Path) -> tuple[Noted, ...]:
    """The editions that began to go out, each by its last line, oldest slot first. A line that was cut off is none."""
    last: dict[str, Noted] = {}
    for line in _lines(root / _OUTBOX / SENT):
        try:
            found = _noted(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue
        last[found.slot.edition] = found
    return tuple(sorted(last.values(), key=lambda each: (each.slot.at, each.slot.newsletter)))


def _line(edition: StoredEdition, now: datetime, *, left: bool, over: bool) -> dict[str, Any]:
    window = edition.window
    return {
        "newsletter": edition.slot.newsletter,
        "slot": edition.slot.key,
        "at": edition.slot.at.isoformat(),
        "window": [window.after.isoformat(), window.until.isoformat()] if window else None,
        "subject": edition.subject,
        "posts": list(edition.post_ids),
        "left": left,
        "over": over,
        "noted": now.isoformat(),
    }


def _noted(line: dict[str, Any]) -> Noted:
    window = [datetime.fromisoformat(each) for each in line["window"] or ()]
    return Noted(
        slot=Slot(line["newsletter"], line["slot"], datetime.fromisoformat(line["at"])),
        window=Window(*window) if window else None,
        subject=line["subject"],
        post_ids=tuple(line["posts"]),
        left=line["left"],
        over=line["over"],
    )


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


@contextmanager
def _kept(root: Path) -> Iterator[Path]:
    """The outbox, for one process at a time. Raises KetapressError where the disk refuses."""
    folder = root / _OUTBOX
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(handle)
    except OSError as fault:
        raise KetapressError(_unwritable(fault)) from fault


def _append(file: Path, value: dict[str, Any]) -> None:
    """One line of JSON, on the disk when this returns; after a line that was cut off it begins a new one."""
    handle = open_or_create(file, os.O_RDWR | os.O_APPEND)
    try:
        size = os.fstat(handle).st_size
        cut_off = size and os.pread(handle, 1, size - 1) != b"\n"
        write_all(handle, b"\n" * bool(cut_off) + _as_line(value))
        os.fsync(handle)
    finally:
        os.close(handle)


def _as_line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


_UNREADABLE = Problem(
    code="outbox.generation",
    path=f"{_OUTBOX}/{GENERATION}",
    message="it cannot be read, so nobody can tell whether the database is an older copy; nothing is sent.",
    cure="Bring the file back from a backup, or remove it and run `ketapress db restore --accept`.",
)


def _behind(mine: int, known: int) -> Problem:
    return Problem(
        code="store.behind",
        path=f"{_OUTBOX}/{GENERATION}",
        message=f"outbox/ has generation {known}, and this database {mine}: it is an older copy, or another one. "
        "What went out since would go out again, so nothing is composed or sent.",
        cure="`ketapress db restore --accept --dry-run` tells what went out since, `ketapress db restore --accept` "
        "marks it as sent; or put the newer database back.",
    )


def _unwritable(fault: OSError) -> Problem:
    return Problem(
        code="outbox.write",
        path=_OUTBOX,
        message=f"what goes out cannot be written down there: {fault.strerror or fault}; nothing is sent.",
        cure="Make room or allow writing there, then run the command again.",
    )
