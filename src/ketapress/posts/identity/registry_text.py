"""The text of the registry of posts, `.published.jsonl`.

The first line says when the publication was first built. One JSON object a line follows, ordered by id, so that version
control shows one changed line for a changed post and can merge two files by keeping the lines of both. A line that cannot
be read is an error that stops the build: a lost id would mail a post twice.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ketapress.model.errors import ConfigurationError, Problem
from ketapress.posts.identity.registry_entry import Registry, RegistryEntry

TRACKED_REGISTRY = "posts/.published.jsonl"
_SCHEMA = 1
_ISO_LENGTH = len("2023-06-12T08:00:00")
_CONFLICT_MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_MARKER_LENGTH = 7
_CONFLICTS = re.compile(r"(?:<\|?=>)+")
_CURE = "Restore the file from version control or a backup, or fix the line; without it, posts would be mailed again."


class RegistryLines(NamedTuple):
    """What one file says: its entries with their lines, also several of one id, as a merge of two files leaves them."""

    first_built: datetime
    entries: tuple[tuple[int, RegistryEntry, str], ...]


def parse_registry(text: str, path: str) -> RegistryLines:
    """Return the entries in a text. Raises `ConfigurationError` with the line where it is broken; `path` names the file."""
    try:
        lines = _resolve_conflicts(text)
        if not lines:
            raise registry_error("the file is empty", None)
        rows = _parse_rows(lines[1:])
        first_built = _parse_header(lines[0][0], _parse_row(*lines[0]))
        entries = []
        for (number, line), row in zip(lines[1:], rows, strict=True):
            if "schema" in row and "id" not in row:
                first_built = min(first_built, _parse_header(number, row))
            else:
                entries.append((number, _parse_entry(number, row), line))
    except ConfigurationError as error:
        raise ConfigurationError(*(problem._replace(path=path) for problem in error.problems)) from None
    return RegistryLines(first_built, tuple(entries))


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


def _parse_rows(lines: list[tuple[int, str]]) -> list[dict[str, Any]]:
    """Return the object of each line. All are decoded at once, in half the time, unless one of them is broken."""
    try:
        rows = json.loads(f"[{','.join(line for _, line in lines)}]")
    except (ValueError, RecursionError):
        rows = []
    if len(rows) == len(lines) and all(isinstance(row, dict) for row in rows):
        return list(rows)
    return [_parse_row(number, line) for number, line in lines]


def _resolve_conflicts(text: str) -> list[tuple[int, str]]:
    """Return the lines that are not blank, with their numbers. Where git left a conflict, both sides are kept.

    The lines of the common ancestor, which some styles of conflict have, are left out. Markers that are not the three of
    one conflict are kept: they stop the reading.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    markers = [line[:_MARKER_LENGTH] for _, line in lines if line.startswith(_CONFLICT_MARKERS)]
    if not markers or not _CONFLICTS.fullmatch("".join(marker[0] for marker in markers)):
        return lines
    both_sides, is_ancestor = [], False
    for number, line in lines:
        if line.startswith(_CONFLICT_MARKERS):
            is_ancestor = line.startswith("|")
        elif not is_ancestor:
            both_sides.append((number, line))
    return both_sides


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
        raise registry_error(f"the line is not the entry of a post ({error})", number) from None


def _parse_header(number: int, row: dict[str, Any]) -> datetime:
    if row.get("schema") != _SCHEMA:
        raise registry_error(
            f'the line does not say `"schema": {_SCHEMA}`; a newer version of Ketapress may have written it',
            number,
        )
    try:
        return _parse_moment(_require_text(row, "first_built"))
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise registry_error(
            f"the line does not say when the publication was first built ({error})", number
        ) from None


def _parse_row(number: int, line: str) -> dict[str, Any]:
    if line.startswith(_CONFLICT_MARKERS):
        raise registry_error(
            "the line is a conflict marker of version control without the other two",
            number,
            "Keep the lines of both sides, remove the three markers, and keep only one of two lines with the same id.",
        )
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise registry_error(f"the line is not JSON ({error})", number) from None
    if not isinstance(row, dict):
        raise registry_error("the line is not a JSON object", number)
    return row


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


def registry_error(reason: str, line: int | None, cure: str = _CURE) -> ConfigurationError:
    """Return the error that stops all work because the ids of posts are not known."""
    return ConfigurationError(
        Problem(
            code="post.ids",
            message=f"the ids of the posts cannot be used: {reason}.",
            cure=cure,
            path=TRACKED_REGISTRY,
            line=line,
        )
    )
