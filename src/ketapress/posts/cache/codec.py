"""Parsed files and bodies as the bytes of cache entries, and back.

A value becomes a JSON object with its fields by name. The HTML of a body follows that object on a line of its own,
because it is long and JSON would escape it. Bytes that no `dump_...` function wrote become None.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ketapress.model.errors import Problem, Severity
from ketapress.posts.frontmatter.fields import Fields
from ketapress.posts.parsing.parse import ParsedPost
from ketapress.posts.rendering.render import Body

_FOREIGN = (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)
"""What is raised by bytes of another shape."""


class ParsedFile(NamedTuple):
    """A file that is a post: what its author wrote, warnings about it, and the link targets that its body asks for."""

    parsed_post: ParsedPost
    warnings: tuple[Problem, ...]
    links: tuple[str, ...] = ()


def dump_file(file: ParsedFile) -> bytes:
    """Return the bytes of a parsed file without its HTML, which is in its body."""
    values = {
        "parsed_post": parsed_post_to_dict(file.parsed_post),
        "warnings": [problem._asdict() for problem in file.warnings],
        "links": file.links,
    }
    return json.dumps(values).encode()


def load_file(data: bytes) -> ParsedFile | None:
    """Return the parsed file of these bytes, without HTML; None where they are foreign."""
    try:
        values = json.loads(data)
        return ParsedFile(
            parsed_post_from_dict(values["parsed_post"]),
            tuple(map(problem_from_dict, values["warnings"])),
            tuple(values["links"]),
        )
    except _FOREIGN:
        return None


def dump_body(body: Body) -> bytes:
    """Return the bytes of a body."""
    values = body._asdict() | {"problems": [problem._asdict() for problem in body.problems]}
    html: str = values.pop("html")
    return json.dumps(values).encode() + b"\n" + html.encode(errors="surrogatepass")


def load_body(data: bytes) -> Body | None:
    """Return the body of these bytes; None where they are foreign."""
    head, _, html = data.partition(b"\n")
    try:
        values = json.loads(head)
        for name in ("files", "links"):
            values[name] = tuple(values[name])
        values["problems"] = tuple(map(problem_from_dict, values["problems"]))
        return Body(html=html.decode(errors="surrogatepass"), **values)
    except _FOREIGN:
        return None


def parsed_post_to_dict(parsed_post: ParsedPost) -> dict[str, Any]:
    """Return the fields of a parsed post, but not its HTML."""
    values = parsed_post._asdict() | {
        "fields": parsed_post.fields._asdict(),
        "date": instant_to_json(parsed_post.date),
        "expires": parsed_post.expires and instant_to_json(parsed_post.expires),
    }
    del values["html"], values["foreign_tags"]
    return values


def parsed_post_from_dict(values: dict[str, Any]) -> ParsedPost:
    """Return the parsed post of these fields, with empty HTML."""
    fields = values["fields"]
    for name in ("tags", "authors", "aliases"):
        fields[name] = tuple(fields[name])
    values["fields"] = Fields(**fields)
    values["date"] = instant_from_json(values["date"])
    if values["expires"] is not None:
        values["expires"] = instant_from_json(values["expires"])
    return ParsedPost(html="", foreign_tags=(), **values)


def problem_from_dict(values: dict[str, Any]) -> Problem:
    """Return the problem of these fields."""
    values["severity"] = Severity(values["severity"])
    return Problem(**values)


def instant_to_json(instant: datetime) -> int | dict[str, Any]:
    """Return an instant of UTC in seconds since 1970, and any other with its zone, which is a part of it."""
    zone = instant.tzinfo
    if zone is UTC and not instant.microsecond:
        return int(instant.timestamp())
    key = zone.key if isinstance(zone, ZoneInfo) else (instant.utcoffset() or timedelta()).total_seconds()
    return {"at": instant.replace(tzinfo=None).isoformat(), "fold": instant.fold, "zone": key}


def instant_from_json(text: int | Mapping[str, Any]) -> datetime:
    """Return the instant that `instant_to_json` describes."""
    if isinstance(text, int):
        return datetime.fromtimestamp(text, UTC)
    return datetime.fromisoformat(text["at"]).replace(tzinfo=_zone(text["zone"]), fold=text["fold"])


@cache
def _zone(key: str | float) -> tzinfo:
    return ZoneInfo(key) if isinstance(key, str) else timezone(timedelta(seconds=key))
