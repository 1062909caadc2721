"""What was read of a file as JSON has it, and back: manuscripts, bodies, posts, problems.

Pure. What comes back equals what was written down, to the zone of an instant; what has another shape is None.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from ketapress.model.errors import Problem, Severity
from ketapress.model.post import FiledPost, Image, Post, Text
from ketapress.posts.frontmatter.fields import Fields
from ketapress.posts.parsing.parse import Manuscript
from ketapress.posts.rendering.render import Body

_SHAPES = (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError)


class Row(NamedTuple):
    """One file that is a post: its stamp, its manuscript without a body, the warnings about it, the body that readers see.

    `line` is that of its record, and `post` what all of these made; None where the row is read for the others.
    """

    stamp: str
    manuscript: Manuscript
    warnings: tuple[Problem, ...]
    body: Body
    line: str = ""
    post: Post | None = None

    def row(self, body: Body) -> Self:
        """The same with another body."""
        return self._replace(body=body)


class Kept(NamedTuple):
    """A post as a row has it: its file's stamp, its record's line, what its body asked for, and all warnings."""

    stamp: str
    line: str
    asked: tuple[tuple[str, str | None], ...]
    warnings: tuple[Problem, ...]
    post: Post


def decoded(texts: list[str]) -> Iterator[Any]:
    """The values of each text of JSON: all at once, which takes half the time, unless one of them is broken."""
    with suppress(ValueError):
        found = json.loads(f"[{','.join(texts)}]")
        if len(found) == len(texts):
            return iter(found)
    return map(_decoded_alone, texts)


def about(row: Row) -> str:
    """A row without HTML: its manuscript with the fields apart, its body, and the warnings about both."""
    manuscript, body = list(map(_plain, row.manuscript)), list(row.body)
    manuscript[_FIELDS] = manuscript[_MARKS] = body[_HTML] = body[_PROBLEMS] = None
    said = list(map(_plain, row.manuscript.fields))
    return json.dumps(
        [manuscript, said, body, problem_values(row.warnings), problem_values(row.body.problems)]
    )


def row(stamp: str, line: str, values: Any, html: str) -> Row | None:
    """The row of decoded values and an HTML."""
    try:
        manuscript, said, body, of_file, of_body = values
        for place in _MOMENTS:
            manuscript[place] = manuscript[place] and _moment(manuscript[place])
        for place in _LISTS:
            said[place] = tuple(said[place])
        manuscript[_FIELDS], manuscript[_MARKS] = Fields(*said), ()
        body[_ASKED], body[_FILES] = tuple(map(tuple, body[_ASKED])), tuple(body[_FILES])
        body[_HTML], body[_PROBLEMS] = html, problems_of(of_body)
        return Row(stamp, Manuscript(*manuscript), problems_of(of_file), Body(*body), line)
    except _SHAPES:
        return None


def post_text(row: Row) -> str:
    """The post of a row without HTML, with what it asked for and the warnings about it."""
    assert row.post is not None  # whoever keeps a row has its post
    post = list(map(_plain, row.post))
    post[_POST_HTML] = None
    warnings = [*problem_values(row.warnings), *problem_values(row.body.problems)]
    return json.dumps([post, row.post.length, row.body.asked, warnings])


def kept(stamp: str, line: str, values: Any, fetch: Callable[[FiledPost], str]) -> Kept | None:
    """The post of decoded values; `fetch` brings its HTML."""
    try:
        post, length, asked, warnings = values
        for place in _POST_MOMENTS:
            if post[place] is not None:
                post[place] = _moment(post[place])
        for place in _POST_LISTS:
            post[place] = tuple(post[place])
        if post[_IMAGE]:
            post[_IMAGE] = Image(*post[_IMAGE])
        post[_POST_HTML] = Text(lambda: fetch(filed), length)
        filed = FiledPost(*post)
        asked = tuple(map(tuple, asked)) if asked else ()
        return Kept(stamp, line, asked, problems_of(warnings) if warnings else (), filed)
    except _SHAPES:
        return None


def problem_values(problems: tuple[Problem, ...]) -> list[list[Any]]:
    return [list(each) for each in problems]


def problems_of(values: list[list[Any]]) -> tuple[Problem, ...]:
    return tuple(map(_problem, values))


def _problem(values: list[Any]) -> Problem:
    problem = Problem(*values)
    return problem._replace(severity=Severity(problem.severity))


def _decoded_alone(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


_FIELDS, _MARKS = map(Manuscript._fields.index, ("fields", "marks"))
_MOMENTS = tuple(map(Manuscript._fields.index, ("date", "expires")))
_LISTS = tuple(map(Fields._fields.index, ("tags", "authors", "aliases")))
_HTML, _PROBLEMS, _ASKED, _FILES = map(Body._fields.index, ("html", "problems", "asked", "files"))
_POST_MOMENTS = tuple(map(Post._fields.index, ("date", "published", "updated", "expires")))
_POST_LISTS = tuple(map(Post._fields.index, ("tags", "authors", "aliases", "files")))
_POST_HTML, _IMAGE = map(Post._fields.index, ("html", "image"))


def _plain(value: Any) -> Any:
    """A value as JSON has it: an instant of UTC in seconds, any other as an object, because its zone is a part of it."""
    if not isinstance(value, datetime):
        return value
    zone = value.tzinfo
    if zone is UTC and not value.microsecond:
        return int(value.timestamp())
    where = zone.key if isinstance(zone, ZoneInfo) else (value.utcoffset() or timedelta()).total_seconds()
    return {"at": value.replace(tzinfo=None).isoformat(), "fold": value.fold, "zone": where}


def _moment(plain: int | Mapping[str, Any]) -> datetime:
    if isinstance(plain, int):
        return datetime.fromtimestamp(plain, UTC)
    return datetime.fromisoformat(plain["at"]).replace(tzinfo=_zone(plain["zone"]), fold=plain["fold"])


@cache
def _zone(where: str | float) -> tzinfo:
    return ZoneInfo(where) if isinstance(where, str) else timezone(timedelta(seconds=where))
