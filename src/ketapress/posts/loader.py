"""The folder `posts/` as a whole: every file in it becomes a `Post` or a named problem.

This is what other packages call: `load_posts` goes all the way from files to posts, and `new_post` writes one file.
"""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ketapress.model.errors import Problem, RefusedError
from ketapress.model.settings import Settings
from ketapress.model.urls import slugify
from ketapress.posts.cache.post_cache import PostCache
from ketapress.posts.dates.parse import DateRules
from ketapress.posts.identity.assign import IdentityRules, assign_identities
from ketapress.posts.identity.copies import remove_copies
from ketapress.posts.identity.recovery import read_feed_items, recover_entries
from ketapress.posts.identity.registry import read_registry
from ketapress.posts.identity.registry_text import format_registry
from ketapress.posts.library import Library, file_count, is_error, sort_problems
from ketapress.posts.parsing.parse import ParseRules
from ketapress.posts.reader import PostReader
from ketapress.posts.rendering.render import build_post
from ketapress.posts.source.files import display_path, error_reason
from ketapress.posts.text.excerpt import to_single_line
from ketapress.system.atomic import write_new


def load_posts(root: Path, settings: Settings, now: datetime, cache: PostCache | None = None) -> Library:
    """Return everything in `posts/` of the publication folder `root`, as of `now`. Nothing is written.

    With a cache the result is the same, and what it has is neither read nor rendered again. Raises `ConfigurationError`
    where there is no such folder or the file of ids cannot be used.
    """
    zone = ZoneInfo(settings.site.timezone)
    site_url = settings.site.url
    rules = IdentityRules(
        now=now,
        late_posts=settings.posts.late_posts,
        site_url=site_url,
        zone=zone,
        has_author_dates=settings.posts.dates == "author",
    )
    reader_result = ParseRules(DateRules(zone, settings.posts.publish_at), settings.site.language)
    reader = PostReader(root / "posts", reader_result, cache)
    records = read_registry(root)
    parsed_posts, file_problems = reader.read()
    original_posts, copy_problems = remove_copies(
        parsed_posts, records, lambda path: (root / "posts" / path).is_symlink()
    )
    problem_paths = frozenset(
        problem.path.removeprefix("posts/") for problem in file_problems if problem.path and is_error(problem)
    )
    identities = assign_identities(original_posts, problem_paths, records, rules)
    known_paths = {entry.path for entry in records.entries if entry.published}
    new_entries = [post.entry for post in identities.posts if post.entry.path not in known_paths]
    if new_entries and (items := read_feed_items(root)):
        lost_entries = recover_entries(items, identities.registry.entries, new_entries, now)
        if lost_entries:
            registry = records._replace(entries=(*records.entries, *lost_entries), is_saved=False)
            identities = assign_identities(original_posts, problem_paths, registry, rules)
    bodies, late_problems = reader.render(identities.posts, site_url)
    attachments = {display_path(path) for body in bodies.values() for path in body.files}
    problems = [
        *(problem for problem in file_problems if problem.path not in attachments),
        *copy_problems,
        *reader.warnings(),
        *late_problems,
        *(problem for body in bodies.values() for problem in body.problems),
    ]
    remarks: tuple[Problem, ...] | None = identities.problems
    if identities.problems and identities.registry != records:  # some are reported only once
        again = assign_identities(parsed_posts, problem_paths, identities.registry, rules)
        remarks = again.problems if again.registry == identities.registry else None
    posts = tuple(
        build_post(post, bodies[post.parsed_post.path], has_author_date=rules.has_author_dates)
        for post in identities.posts
        if post.parsed_post.path in bodies
    )
    all_problems = sort_problems(problems, identities.problems)
    return Library(
        posts=posts,
        problems=all_problems,
        files=file_count(posts, all_problems) + len(copy_problems),
        new_ids=format_registry(identities.registry) if identities.registry != records else None,
        problems_again=None if remarks is None else sort_problems(problems, remarks),
        new_entries=reader.new_entries,
    )


def new_post(root: Path, title: str, settings: Settings, now: datetime) -> Path:
    """Write a draft with this title, dated today, and return its path. Raises `RefusedError` where the file exists."""
    day = now.astimezone(ZoneInfo(settings.site.timezone)).date()
    title = to_single_line(title)
    path = root / "posts" / f"{day}-{slugify(title) or 'untitled'}.md"
    header = f"---\ntitle: {json.dumps(title, ensure_ascii=False)}\ndate: {day}\ndraft: true\n---\n\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_new(path, header.encode())
    except OSError as error:
        existing_path = isinstance(error, FileExistsError)
        raise RefusedError(
            Problem(
                code="post.new",
                message=f"the post is not written: {'it is there already' if existing_path else error_reason(error)}.",
                cure="Choose another title, or write on in that file."
                if existing_path
                else "Make room, or give the user who runs Ketapress the right to write there; then begin it again.",
                path=f"posts/{path.name}",
            )
        ) from None
    return path
