"""Lists of posts as pages show them, newest first, a line each, under the months of a year or under years.

`{% for heading, lines in posts|shelves(root, by_month) %}`: in posts, out their headings with the lines below each. A post
stands in the list of its year and in those of its tags, so its line is written once, but for the way to the top.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from ketapress.i18n.dates import load_zone, month_name, render_time_element
from ketapress.model.post import Post
from ketapress.templates.lang_attributes import lang_attributes


@pass_context
def shelves_filter(
    context: Context, posts: Iterable[Post], root: str, by_month: bool
) -> list[tuple[str | int, Markup]]:
    """The filter `shelves`: each heading, and the lines of its posts, which link to their pages from below `root`."""
    site, prefix = context["site"], escape(root)

    def heading(post: Post) -> str | int:
        if by_month:
            return month_name(post.date, site.timezone, site.language)
        return post.date.astimezone(load_zone(site.timezone)).year

    def line(post: Post) -> str:
        head, tail = _render_line(
            post.date, site.timezone, site.language, post.url, post.title, post.lang, post.dir
        )
        return f"{head}{prefix}{tail}"

    newest_first = sorted(posts, key=attrgetter("date"), reverse=True)
    return [
        (label, Markup("\n".join(map(line, group))))  # noqa: S704 - see _line
        for label, group in groupby(newest_first, heading)
    ]


@lru_cache(maxsize=2**15)  # lists are made one after the other, each of posts that stand in others too
def _render_line(
    moment: datetime,
    timezone: str,
    language: str,
    url: str,
    title: str,
    lang: str | None,
    text_dir: str | None,
) -> tuple[str, str]:
    """What stands before and after the way to the top: HTML in which what an author wrote is escaped."""
    day = render_time_element(moment, timezone, language, short=True)
    return (
        f'<li>{day} <a href="',
        f'{escape(url)}"><bdi{lang_attributes(lang, text_dir)}>{escape(title)}</bdi></a></li>',
    )
