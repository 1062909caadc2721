"""The folder `posts/`: every file in it becomes a `Post` or a named problem, and the counts add up.

This is what other rooms call: `read_library` goes the whole way from files to posts, and `new_post` writes one file.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ketapress.model.errors import Problem, RefusedError, Severity
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.urls import slug
from ketapress.posts.cache import Cache, Row
from ketapress.posts.dates import DateRules
from ketapress.posts.files import reason, shown
from ketapress.posts.ids import Records, read_records
from ketapress.posts.manuscript import ReadingRules
from ketapress.posts.pinning import PinningRules, pinned
from ketapress.posts.prose import one_line
from ketapress.posts.rendering import post
from ketapress.posts.shelf import Begin, Shelf, alone


class Library(NamedTuple):
    """What `posts/` holds: all posts, also drafts, held and future ones, in the order of their paths.

    `files` counts what should be a post: the posts and the distinct paths of the problems that are errors.
    `records` have to be written where `changed` says that they differ from the file. `learned` is what a cache may keep
    beside what it has: the rows of files that were read, and the paths of those that are gone.
    `problems_again` is what the next reading finds, once the records are written and if nothing changes until then: a
    post is asked about its address once. None where that is not known.
    """

    posts: tuple[Post, ...]
    problems: tuple[Problem, ...]
    files: int
    records: Records
    changed: bool
    learned: tuple[Mapping[str, Row], frozenset[str]] = ({}, frozenset())
    problems_again: tuple[Problem, ...] | None = None


def read_library(
    root: Path,
    settings: Settings,
    now: datetime,
    cache: Cache | None = None,
    begin: Begin = alone,
) -> Library:
    """Everything in `posts/` of the publication folder `root`, as of `now`. Reads only.

    What the cache has is the same as what would be read, and is not read again. Where there is much to read, a companion,
    which `begin` begins, reads half of it. Raises `ConfigurationError` where there is no such folder or the ids cannot be
    used.
    """
    records = read_records(root)
    zone = ZoneInfo(settings.site.timezone)
    site = settings.site.url
    reading = ReadingRules(DateRules(zone, settings.posts.publish_at), settings.site.language)
    with closing(Shelf(root / "posts", reading, cache, begin)) as shelf:
        rules = PinningRules(now=now, late_posts=settings.posts.late_posts, site_url=site, zone=zone)
        return _library(shelf, records, rules)


def _library(shelf: Shelf, records: Records, rules: PinningRules) -> Library:
    manuscripts, problems = shelf.manuscripts()
    unread = frozenset(each.path.removeprefix("posts/") for each in problems if each.path and _is_error(each))
    decided = pinned(manuscripts, unread, records, rules)
    bodies, unseen = shelf.bodies(decided.posts, rules.site_url)
    named = {shown(path) for body in bodies.values() for path in body.files}
    problems = [problem for problem in problems if problem.path not in named]  # papers that posts link to
    problems += [*unseen, *(problem for body in bodies.values() for problem in body.problems)]
    found, again = _in_order(problems, decided.problems), None
    changed = decided.records != records
    if not changed or not decided.problems:
        again = found
    elif (settled := pinned(manuscripts, unread, decided.records, rules)).records == decided.records:
        again = _in_order(problems, settled.problems)
    bad = {problem.path for problem in found if _is_error(problem)}
    seen = [(each, bodies.get(each.manuscript.path)) for each in decided.posts]
    posts = tuple(post(each, body) for each, body in seen if body)
    return Library(posts, found, len(posts) + len(bad), decided.records, changed, shelf.learned(), again)


def new_post(root: Path, title: str, settings: Settings, now: datetime) -> Path:
    """Writes a draft with that title, dated today, and returns where. Raises `RefusedError` where the file is there."""
    day = now.astimezone(ZoneInfo(settings.site.timezone)).date()
    title = one_line(title)
    path = root / "posts" / f"{day}-{slug(title) or 'untitled'}.md"
    header = f"---\ntitle: {json.dumps(title, ensure_ascii=False)}\ndate: {day}\ndraft: true\n---\n\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(header)
    except OSError as error:
        there = isinstance(error, FileExistsError)
        raise RefusedError(
            Problem(
                code="post.new",
                message=f"the post is not written: {'it is there already' if there else reason(error)}.",
                cure="Choose another title, or write on in that file."
                if there
                else "Make room, or give the user who runs Ketapress the right to write there; then begin it again.",
                path=f"posts/{path.name}",
            )
        ) from None
    return path


def _in_order(problems: Iterable[Problem], more: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems in the order of files and lines."""
    return tuple(
        sorted(
            [*problems, *more],
            key=lambda problem: (problem.path or "", problem.line or 0, problem.code, problem.message),
        )
    )


def _is_error(problem: Problem) -> bool:
    return problem.severity is Severity.ERROR
