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

REGISTRY_NAME = ".published.jsonl"
_SCHEMA = 1
_ISO_LENGTH = len("2023-06-12T08:00:00")
_CONFLICT_MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_CURE = "Bring the file back from version control or a backup, or mend the line; without it posts would be mailed again."

REGISTRY_LOST = Problem(
    code="posts.ids-lost",
    path=f"posts/{REGISTRY_NAME}",
    message="it is gone, but editions went out: without the ids in it, renamed posts would be mailed again.",
    cure="Bring it back from version control or a backup; to begin anew, take the readers along with `ketapress "
    "subscribers export`, then move ketapress.db and outbox/ away.",
)


class RegistryEntry(NamedTuple):
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
    def has_own_path(self) -> bool:
        """Whether its path is still its own: that of one that vanished may be another post's now."""
        return self.gone is None and not self.displaced


class Registry(NamedTuple):
    """All that is kept; `first_built` is None before the very first build.

    `lines` are those of the file, by ids, with what was read of each: a record that stays is not written anew.
    """

    first_built: datetime | None = None
    entries: tuple[RegistryEntry, ...] = ()
    raw_lines: Mapping[str, tuple[RegistryEntry, str]] = MappingProxyType({})


def has_registry(root: Path) -> bool:
    """Whether there is a file of ids at all."""
    return (root / "posts" / REGISTRY_NAME).exists()


def read_registry_text(root: Path) -> str | None:
    """The file's text; None where there is no file. Raises `ConfigurationError` where it cannot be read."""
    try:
        return (root / "posts" / REGISTRY_NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _registry_error(f"it cannot be read: {error}", None) from None


def read_registry(root: Path) -> Registry:
    """What the file of a publication holds. Raises `ConfigurationError`, naming the line, where it is broken."""
    text = read_registry_text(root)
    if text is None:
        return Registry()
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise _registry_error("it is empty", None)
    first_built = _parse_header(*lines[0])
    entries = _parse_lines(lines[1:])
    for field in ("id", "path"):
        _check_unique(field, entries)
    raw_lines = {entry.id: (entry, line) for (_, entry), (_, line) in zip(entries, lines[1:], strict=True)}
    return Registry(first_built, tuple(entry for _, entry in entries), raw_lines)


def write_registry_text(root: Path, text: str) -> None:
    """Puts the file in place, whole or not at all; it survives a power cut once this returns.

    Raises `RefusedError` where the disk is full or the folder may not be written.
    """
    try:
        write_atomic(root / "posts" / REGISTRY_NAME, text.encode(), durable=True)
    except OSError as error:
        raise RefusedError(
            Problem(
                code="post.ids",
                message=f"the ids of the posts cannot be written: {(error.strerror or str(error)).lower()}.",
                cure="Make room, or give the right to write there; nothing was changed.",
                path=f"posts/{REGISTRY_NAME}",
            )
        ) from None


def format_registry(registry: Registry) -> str:
    """The file's text: the header, then the records in the order of their ids."""
    header = {"schema": _SCHEMA, "first_built": _format_moment(registry.first_built)}
    entries = sorted(registry.entries, key=lambda record: record.id)
    return "".join(
        f"{line}\n" for line in [_to_json(header), *(_format_entry(entry, registry) for entry in entries)]
    )


def _format_entry(entry: RegistryEntry, registry: Registry) -> str:
    """The line of a record: the one that it was read from, where it is still the same."""
    known_entry, line = registry.raw_lines.get(entry.id, (None, ""))
    return line if known_entry == entry else _to_json(_to_row(entry))


def _to_json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _to_row(entry: RegistryEntry) -> dict[str, Any]:
    """A record as it is written: what says nothing is left out."""
    row: dict[str, Any] = {
        "id": entry.id,
        "path": entry.path,
        "url": entry.url,
        "sha256": entry.sha256,
        "first_seen": _format_moment(entry.first_seen),
        "published": _format_moment(entry.published),
    }
    for name in ("updated", "due", "gone"):
        if moment := getattr(entry, name):
            row[name] = _format_moment(moment)
    for name in ("held", "displaced"):
        if getattr(entry, name):
            row[name] = True
    if not entry.in_editions:
        row["in_editions"] = False
    if entry.aliases:
        row["aliases"] = list(entry.aliases)
    return row


def _parse_lines(lines: list[tuple[int, str]]) -> list[tuple[int, RegistryEntry]]:
    """The record of each line. All are decoded at once, which takes half the time, unless one of them is broken."""
    try:
        rows = json.loads(f"[{','.join(line for _, line in lines)}]")
    except ValueError:
        rows = []
    if len(rows) != len(lines) or not all(isinstance(row, dict) for row in rows):
        rows = [_parse_row(number, line) for number, line in lines]
    return [(number, _parse_entry(number, row)) for (number, _), row in zip(lines, rows, strict=True)]


def _parse_entry(number: int, row: dict[str, Any]) -> RegistryEntry:
    try:
        return RegistryEntry(
            id=_require_text(row, "id"),
            path=_require_text(row, "path"),
            url=_require_text(row, "url"),
            sha256=_require_text(row, "sha256"),
            first_seen=_parse_moment(_require_text(row, "first_seen")),
            published=_parse_optional_moment(row, "published"),
            updated=_parse_optional_moment(row, "updated"),
            due=_parse_optional_moment(row, "due"),
            gone=_parse_optional_moment(row, "gone"),
            held=row.get("held") is True,
            displaced=row.get("displaced") is True,
            in_editions=row.get("in_editions") is not False,
            aliases=tuple(map(str, row.get("aliases", ()))),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise _registry_error(f"the line is no record of a post ({error})", number) from None


def _parse_header(number: int, line: str) -> datetime:
    row = _parse_row(number, line)
    if row.get("schema") != _SCHEMA:
        raise _registry_error(
            f'its first line does not say `"schema": {_SCHEMA}`; a newer Ketapress may have written it',
            number,
        )
    try:
        return _parse_moment(_require_text(row, "first_built"))
    except (KeyError, ValueError, TypeError) as error:
        raise _registry_error(
            f"its first line does not say when the publication was first built ({error})", number
        ) from None


def _parse_row(number: int, line: str) -> dict[str, Any]:
    if line.startswith(_CONFLICT_MARKERS):
        raise _registry_error(
            "version control left the mark of a conflict in it",
            number,
            "Keep the lines of both sides, take out the three marks, and keep one of two lines with the same id.",
        )
    try:
        row = json.loads(line)
    except ValueError as error:
        raise _registry_error(f"the line is not JSON ({error})", number) from None
    if not isinstance(row, dict):
        raise _registry_error("the line is no JSON object", number)
    return row


def _check_unique(field: str, entries: Iterable[tuple[int, RegistryEntry]]) -> None:
    first_lines: dict[str, int] = {}
    for number, entry in entries:
        if field == "path" and not entry.has_own_path:
            continue
        value = getattr(entry, field)
        if value in first_lines:
            raise _registry_error(
                f"it has the {field} `{value}` of line {first_lines[value]} once more", number
            )
        first_lines[value] = number


def _require_text(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value:
        raise TypeError(f"`{name}` is no text")
    return value


def _parse_optional_moment(row: dict[str, Any], name: str) -> datetime | None:
    return _parse_moment(row[name]) if row.get(name) else None


def _parse_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"`{text}` has no zone")
    return moment.astimezone(UTC)


def _format_moment(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return f"{(moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()[:_ISO_LENGTH]}Z"


def _registry_error(reason: str, line: int | None, cure: str = _CURE) -> ConfigurationError:
    return ConfigurationError(
        Problem(
            code="post.ids",
            message=f"the ids of the posts cannot be used: {reason}.",
            cure=cure,
            path=f"posts/{REGISTRY_NAME}",
            line=line,
        )
    )
