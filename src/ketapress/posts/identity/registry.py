"""`posts/.published.jsonl`: what the house remembers of each post, so that every clone and machine knows the same.

The first line says when the publication was first built; then one JSON object a line, ordered by id, so that version
control shows one changed line a changed post. Writing is whole or not at all. A line that cannot be read stops the
work: a lost id would mail a post twice.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ketapress.model.errors import ConfigurationError, Problem, RefusedError
from ketapress.system.atomic import write_atomic

NAME = ".published.jsonl"
_SCHEMA = 1
_SECONDS = len("2023-06-12T08:00:00")
_CONFLICT_MARKS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_CURE = "Bring the file back from version control or a backup, or mend the line; without it posts would be mailed again."

LOST = Problem(
    code="posts.ids-lost",
    path=f"posts/{NAME}",
    message="it is gone, but editions went out: without the ids in it, renamed posts would be mailed again.",
    cure="Bring it back from version control or a backup; to begin anew, take the readers along with `ketapress "
    "subscribers export`, then move ketapress.db and outbox/ away.",
)


class Record(NamedTuple):
    """What is kept of one post. Times are UTC, in whole seconds.

    `published` and `updated` are None until it is published; until then `id` and `url` may still change.
    `due` is the date it waits for, None while it is a draft or held. `held` says that a person is being asked whether
    it is a post that vanished. `gone` is when its file was seen to have vanished: its id is kept for ever. `displaced` says
    that another post has its path now, while a person is asked where it went.
    `aliases` are addresses it had before, as `url` is written.
    """

    id: str
    path: str
    url: str
    sha256: str
    first_seen: datetime
    published: datetime | None = None
    updated: datetime | None = None
    due: datetime | None = None
    gone: datetime | None = None
    held: bool = False
    displaced: bool = False
    in_editions: bool = True
    aliases: tuple[str, ...] = ()

    @property
    def is_home(self) -> bool:
        """Whether its path is still its own: that of one that vanished may be another post's now."""
        return self.gone is None and not self.displaced


class Records(NamedTuple):
    """All that is kept; `first_built` is None before the very first build.

    `lines` are those of the file, by ids, with what was read of each: a record that stays is not written anew.
    """

    first_built: datetime | None = None
    entries: tuple[Record, ...] = ()
    lines: Mapping[str, tuple[Record, str]] = MappingProxyType({})


def are_kept(root: Path) -> bool:
    """Whether there is a file of ids at all."""
    return (root / "posts" / NAME).exists()


def read_ids(root: Path) -> str | None:
    """The file's text; None where there is no file. Raises `ConfigurationError` where it cannot be read."""
    try:
        return (root / "posts" / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(f"it cannot be read: {error}", None) from None


def read_records(root: Path) -> Records:
    """What the file of a publication holds. Raises `ConfigurationError`, naming the line, where it is broken."""
    text = read_ids(root)
    if text is None:
        return Records()
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise _broken("it is empty", None)
    first_built = _first_built(*lines[0])
    entries = _entries(lines[1:])
    for what in ("id", "path"):
        _check_unique(what, entries)
    known = {record.id: (record, line) for (_, record), (_, line) in zip(entries, lines[1:], strict=True)}
    return Records(first_built, tuple(record for _, record in entries), known)


def write_ids(root: Path, text: str) -> None:
    """Puts the file in place, whole or not at all; it survives a power cut once this returns.

    Raises `RefusedError` where the disk is full or the folder may not be written.
    """
    try:
        write_atomic(root / "posts" / NAME, text.encode(), durable=True)
    except OSError as error:
        raise RefusedError(
            Problem(
                code="post.ids",
                message=f"the ids of the posts cannot be written: {(error.strerror or str(error)).lower()}.",
                cure="Make room, or give the right to write there; nothing was changed.",
                path=f"posts/{NAME}",
            )
        ) from None


def records_text(records: Records) -> str:
    """The file's text: the header, then the records in the order of their ids."""
    header = {"schema": _SCHEMA, "first_built": _moment_text(records.first_built)}
    in_order = sorted(records.entries, key=lambda record: record.id)
    return "".join(f"{line}\n" for line in [_line(header), *(_kept(each, records) for each in in_order)])


def _kept(record: Record, records: Records) -> str:
    """The line of a record: the one that it was read from, where it is still the same."""
    known, line = records.lines.get(record.id, (None, ""))
    return line if known == record else _line(_fields(record))


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _fields(record: Record) -> dict[str, Any]:
    """A record as it is written: what says nothing is left out."""
    row: dict[str, Any] = {
        "id": record.id,
        "path": record.path,
        "url": record.url,
        "sha256": record.sha256,
        "first_seen": _moment_text(record.first_seen),
        "published": _moment_text(record.published),
    }
    for name in ("updated", "due", "gone"):
        if moment := getattr(record, name):
            row[name] = _moment_text(moment)
    for name in ("held", "displaced"):
        if getattr(record, name):
            row[name] = True
    if not record.in_editions:
        row["in_editions"] = False
    if record.aliases:
        row["aliases"] = list(record.aliases)
    return row


def _entries(lines: list[tuple[int, str]]) -> list[tuple[int, Record]]:
    """The record of each line. All are decoded at once, which takes half the time, unless one of them is broken."""
    try:
        rows = json.loads(f"[{','.join(line for _, line in lines)}]")
    except ValueError:
        rows = []
    if len(rows) != len(lines) or not all(isinstance(row, dict) for row in rows):
        rows = [_row(number, line) for number, line in lines]
    return [(number, _record(number, row)) for (number, _), row in zip(lines, rows, strict=True)]


def _record(number: int, row: dict[str, Any]) -> Record:
    try:
        return Record(
            id=_text(row, "id"),
            path=_text(row, "path"),
            url=_text(row, "url"),
            sha256=_text(row, "sha256"),
            first_seen=_moment(_text(row, "first_seen")),
            published=_optional_moment(row, "published"),
            updated=_optional_moment(row, "updated"),
            due=_optional_moment(row, "due"),
            gone=_optional_moment(row, "gone"),
            held=row.get("held") is True,
            displaced=row.get("displaced") is True,
            in_editions=row.get("in_editions") is not False,
            aliases=tuple(map(str, row.get("aliases", ()))),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise _broken(f"the line is no record of a post ({error})", number) from None


def _first_built(number: int, line: str) -> datetime:
    row = _row(number, line)
    if row.get("schema") != _SCHEMA:
        raise _broken(
            f'its first line does not say `"schema": {_SCHEMA}`; a newer Ketapress may have written it',
            number,
        )
    try:
        return _moment(_text(row, "first_built"))
    except (KeyError, ValueError, TypeError) as error:
        raise _broken(
            f"its first line does not say when the publication was first built ({error})", number
        ) from None


def _row(number: int, line: str) -> dict[str, Any]:
    if line.startswith(_CONFLICT_MARKS):
        raise _broken(
            "version control left the mark of a conflict in it",
            number,
            "Keep the lines of both sides, take out the three marks, and keep one of two lines with the same id.",
        )
    try:
        row = json.loads(line)
    except ValueError as error:
        raise _broken(f"the line is not JSON ({error})", number) from None
    if not isinstance(row, dict):
        raise _broken("the line is no JSON object", number)
    return row


def _check_unique(what: str, entries: Iterable[tuple[int, Record]]) -> None:
    seen: dict[str, int] = {}
    for number, record in entries:
        if what == "path" and not record.is_home:
            continue
        value = getattr(record, what)
        if value in seen:
            raise _broken(f"it has the {what} `{value}` of line {seen[value]} once more", number)
        seen[value] = number


def _text(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value:
        raise TypeError(f"`{name}` is no text")
    return value


def _optional_moment(row: dict[str, Any], name: str) -> datetime | None:
    return _moment(row[name]) if row.get(name) else None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"`{text}` has no zone")
    return moment.astimezone(UTC)


def _moment_text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return f"{(moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()[:_SECONDS]}Z"


def _broken(why: str, line: int | None, cure: str = _CURE) -> ConfigurationError:
    return ConfigurationError(
        Problem(
            code="post.ids",
            message=f"the ids of the posts cannot be used: {why}.",
            cure=cure,
            path=f"posts/{NAME}",
            line=line,
        )
    )
