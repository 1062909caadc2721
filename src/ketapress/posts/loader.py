"""The folder `posts/`: every file in it becomes a `Post` or a named problem, and the counts add up.

This is what other rooms call: `read_library` goes the whole way from files to posts, and `new_post` writes one file.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ketapress.model.errors import Problem, RefusedError
from ketapress.model.output import text_sha256
from ketapress.model.post import Post, next_change
from ketapress.model.settings import Settings
from ketapress.model.urls import slug
from ketapress.posts.cache.sqlite_cache import Cache, Census
from ketapress.posts.dates.parse import DateRules
from ketapress.posts.identity.assign import PinningRules, lasts, pinned
from ketapress.posts.identity.registry import Records, read_records, records_text, with_lines
from ketapress.posts.incremental import resumed
from ketapress.posts.library import Library, file_count, in_order, is_error
from ketapress.posts.parsing.parse import ReadingRules
from ketapress.posts.reader import Begin, Shelf, alone
from ketapress.posts.rendering.render import post
from ketapress.posts.source.files import reason, shown
from ketapress.posts.text.excerpt import one_line
from ketapress.system.atomic import write_new


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
    zone = ZoneInfo(settings.site.timezone)
    site = settings.site.url
    reading = ReadingRules(DateRules(zone, settings.posts.publish_at), settings.site.language)
    rules = PinningRules(now=now, late_posts=settings.posts.late_posts, site_url=site, zone=zone)
    with closing(Shelf(root / "posts", reading, cache, begin)) as shelf:
        return resumed(root, shelf, rules) or _library(shelf, read_records(root), rules)


def _library(shelf: Shelf, records: Records, rules: PinningRules) -> Library:
    """The whole reading."""
    manuscripts, silent = shelf.manuscripts()
    unread = frozenset(each.path.removeprefix("posts/") for each in silent if each.path and is_error(each))
    decided = pinned(manuscripts, unread, records, rules)
    bodies, unseen = shelf.bodies(decided.posts, rules.site_url)
    named = {shown(path) for body in bodies.values() for path in body.files}
    left = tuple(each for each in silent if each.path not in named)  # without papers that posts link to
    said = [*shelf.warnings(), *unseen, *(problem for body in bodies.values() for problem in body.problems)]
    found = in_order(left, said, decided.problems)
    kept, changed = with_lines(decided.records), decided.records != records
    lasting: tuple[Problem, ...] | None = decided.problems
    if changed and lasting:  # some are told once
        settled = pinned(manuscripts, unread, decided.records, rules)
        lasting = settled.problems if settled.records == decided.records else None
    seen = [(each, bodies[each.manuscript.path]) for each in decided.posts if each.manuscript.path in bodies]
    posts = {each.manuscript.path: post(each, body) for each, body in seen}
    lines = {each.manuscript.path: kept.lines[each.record.id][1] for each, _ in seen}
    ids = records_text(kept)
    census = None
    if not unseen and lasting is not None and all(map(lasts, lasting)):
        census = _census(shelf, posts, ids, left, lasting, rules.now)
    return Library(
        posts=tuple(posts.values()),
        problems=found,
        files=file_count(posts, found),
        new_ids=ids if changed else None,
        learned=shelf.learned(lines, posts, census),
        problems_again=None if lasting is None else in_order(left, said, lasting),
    )


def _census(
    shelf: Shelf,
    posts: Mapping[str, Post],
    ids: str,
    problems: tuple[Problem, ...],
    remarks: tuple[Problem, ...],
    now: datetime,
) -> Census:
    """The folder as a whole, as of now."""
    until = next_change(posts.values(), now)
    return Census(
        began=now.timestamp(),
        until=until.timestamp() if until else float("inf"),
        ids=text_sha256(ids),
        beside=shelf.beside,
        unread=shelf.unread(),
        listed=tuple(shelf.listed),
        problems=problems,
        remarks=remarks,
    )


def new_post(root: Path, title: str, settings: Settings, now: datetime) -> Path:
    """Writes a draft with that title, dated today, and returns where. Raises `RefusedError` where the file is there."""
    day = now.astimezone(ZoneInfo(settings.site.timezone)).date()
    title = one_line(title)
    path = root / "posts" / f"{day}-{slug(title) or 'untitled'}.md"
    header = f"---\ntitle: {json.dumps(title, ensure_ascii=False)}\ndate: {day}\ndraft: true\n---\n\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_new(path, header.encode())
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
