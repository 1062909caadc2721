"""The registry of posts, `posts/.published.jsonl`: what each clone and machine has to know of a post that was seen once.

The first line says when the publication was first built. One JSON object a line follows, ordered by id, so that version
control shows one changed line for a changed post. A line that cannot be read is an error that stops the build: a lost
id would mail a post twice.
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
_CURE = "Restore the file from version control or a backup, or fix the line; without it, posts would be mailed again."

REGISTRY_LOST = Problem(
    code="posts.ids-lost",
    path=f"posts/{REGISTRY_NAME}",
    message="the file is missing, but editions were sent: without the ids in it, renamed posts would be mailed again.",
    cure="Restore it from version control or a backup. To start over instead, save the subscribers with `ketapress "
    "subscribers export`, then move ketapress.db and outbox/ away.",
)


class RegistryEntry(NamedTuple):
    """The entry of one post. Times are UTC, in whole seconds.

    `published` and `updated` are None until the post is published; until then `id` and `url` may still change. `due` is
    the date it waits for, None while it is a draft or on hold. `held` means that a person is asked whether it is a
    missing post, and `question` has the ids of those; the entry stays until the question is answered, also where its file
    is missing meanwhile. `gone` is when the post's file was found to be missing; the id is kept forever. `displaced` means
    that another post has its path, while a person is asked where it went. `aliases` are former URLs.

    `title`, `date` (the author's) and `words` (a sketch) are what a new post is compared with once the file is missing;
    entries of older versions have none.
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
    title: str = ""
    date: datetime | None = None
    words: str = ""
    question: tuple[str, ...] = ()

    @property
    def has_own_path(self) -> bool:
        """Whether the post still has its path; that of a missing post may belong to another one by now."""
        return self.gone is None and not self.displaced


class Registry(NamedTuple):
    """All entries. `first_built` is None before the first build.

    `raw_lines` are the lines of the file by id, each with its entry: an unchanged entry is not formatted again.
    """

    first_built: datetime | None = None
    entries: tuple[RegistryEntry, ...] = ()
    raw_lines: Mapping[str, tuple[RegistryEntry, str]] = MappingProxyType({})


def has_registry(root: Path) -> bool:
    """Whether the publication has a registry."""
    return (root / "posts" / REGISTRY_NAME).exists()


def read_registry_text(root: Path) -> str | None:
    """Return the text of the registry; None where there is none. Raises `ConfigurationError` if it cannot be read."""
    try:
        return (root / "posts" / REGISTRY_NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _registry_error(f"the file cannot be read: {error}", None) from None


def read_registry(root: Path) -> Registry:
    """Return the registry of a publication. Raises `ConfigurationError` with the line where it is broken."""
    text = read_registry_text(root)
    if text is None:
        return Registry()
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise _registry_error("the file is empty", None)
    first_built = _parse_header(*lines[0])
    entries = _parse_lines(lines[1:])
    for field in ("id", "path"):
        _check_unique(field, entries)
    raw_lines = {entry.id: (entry, line) for (_, entry), (_, line) in zip(entries, lines[1:], strict=True)}
    return Registry(first_built, tuple(entry for _, entry in entries), raw_lines)


def write_registry_text(root: Path, text: str) -> None:
    """Write the registry, whole or not at all; it survives a power failure once this returns.

    Raises `RefusedError` if the disk is full or the folder is not writable.
    """
    try:
        write_atomic(root / "posts" / REGISTRY_NAME, text.encode(), durable=True)
    except OSError as error:
        raise RefusedError(
            Problem(
                code="post.ids",
                message=f"the ids of the posts cannot be written: {(error.strerror or str(error)).lower()}.",
                cure="Free disk space, or grant write permission; nothing was changed.",
                path=f"posts/{REGISTRY_NAME}",
            )
        ) from None


def format_registry(registry: Registry) -> str:
    """Return the text of the registry: the header, then the entries in the order of their ids."""
    header = {"schema": _SCHEMA, "first_built": _format_moment(registry.first_built)}
    entries = sorted(registry.entries, key=lambda entry: entry.id)
    return "".join(
        f"{line}\n" for line in [_to_json(header), *(_format_entry(entry, registry) for entry in entries)]
    )


def _format_entry(entry: RegistryEntry, registry: Registry) -> str:
    """Return the line of an entry: the one that it was read from if it is unchanged."""
    known_entry, line = registry.raw_lines.get(entry.id, (None, ""))
    return line if known_entry == entry else _to_json(_to_row(entry))


def _to_json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _to_row(entry: RegistryEntry) -> dict[str, Any]:
    """Return the JSON object of an entry, without the fields that are empty."""
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
    rest = {
        "aliases": list(entry.aliases),
        "title": entry.title,
        "date": _format_moment(entry.date),
        "words": entry.words,
        "question": list(entry.question),
    }
    return row | {name: value for name, value in rest.items() if value}


def _parse_lines(lines: list[tuple[int, str]]) -> list[tuple[int, RegistryEntry]]:
    """Return the entry of each line. All are decoded at once, in half the time, unless one of them is broken."""
    try:
        rows = json.loads(f"[{','.join(line for _, line in lines)}]")
    except (ValueError, RecursionError):
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
            title=str(row.get("title", "")),
            date=_parse_optional_moment(row, "date"),
            words=str(row.get("words", "")),
            question=tuple(map(str, row.get("question", ()))),
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise _registry_error(f"the line is not the entry of a post ({error})", number) from None


def _parse_header(number: int, line: str) -> datetime:
    row = _parse_row(number, line)
    if row.get("schema") != _SCHEMA:
        raise _registry_error(
            f'the first line does not say `"schema": {_SCHEMA}`; a newer version of Ketapress may have written it',
            number,
        )
    try:
        return _parse_moment(_require_text(row, "first_built"))
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise _registry_error(
            f"the first line does not say when the publication was first built ({error})", number
        ) from None


def _parse_row(number: int, line: str) -> dict[str, Any]:
    if line.startswith(_CONFLICT_MARKERS):
        raise _registry_error(
            "the line is a conflict marker of version control",
            number,
            "Keep the lines of both sides, remove the three markers, and keep only one of two lines with the same id.",
        )
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _registry_error(f"the line is not JSON ({error})", number) from None
    if not isinstance(row, dict):
        raise _registry_error("the line is not a JSON object", number)
    return row


def _check_unique(field: str, entries: Iterable[tuple[int, RegistryEntry]]) -> None:
    first_lines: dict[str, int] = {}
    for number, entry in entries:
        if field == "path" and not entry.has_own_path:
            continue
        value = getattr(entry, field)
        if value in first_lines:
            raise _registry_error(
                f"the line repeats the {field} `{value}` of line {first_lines[value]}", number
            )
        first_lines[value] = number


def _require_text(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value:
        raise TypeError(f"`{name}` is not text")
    return value


def _parse_optional_moment(row: dict[str, Any], name: str) -> datetime | None:
    return _parse_moment(row[name]) if row.get(name) else None


def _parse_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"`{text}` has no time zone")
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
