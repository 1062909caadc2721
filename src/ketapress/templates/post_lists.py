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

from ketapress.i18n.dates import time_element, written_month, zone
from ketapress.model.post import Post
from ketapress.templates.lang_attributes import attributes


@pass_context
def shelves(
    context: Context, posts: Iterable[Post], root: str, by_month: bool
) -> list[tuple[str | int, Markup]]:
    """The filter `shelves`: each heading, and the lines of its posts, which link to their pages from below `root`."""
    site, way = context["site"], escape(root)

    def heading(post: Post) -> str | int:
        if by_month:
            return written_month(post.date, site.timezone, site.language)
        return post.date.astimezone(zone(site.timezone)).year

    def line(post: Post) -> str:
        before, after = _line(
            post.date, site.timezone, site.language, post.url, post.title, post.lang, post.dir
        )
        return f"{before}{way}{after}"

    newest_first = sorted(posts, key=attrgetter("date"), reverse=True)
    return [
        (found, Markup("\n".join(map(line, shelf))))  # noqa: S704 - see _line
        for found, shelf in groupby(newest_first, heading)
    ]


@lru_cache(maxsize=2**15)  # lists are made one after the other, each of posts that stand in others too
def _line(
    moment: datetime, timezone: str, language: str, url: str, title: str, lang: str | None, way: str | None
) -> tuple[str, str]:
    """What stands before and after the way to the top: HTML in which what an author wrote is escaped."""
    day = time_element(moment, timezone, language, short=True)
    return (
        f'<li>{day} <a href="',
        f'{escape(url)}"><bdi{attributes(lang, way)}>{escape(title)}</bdi></a></li>',
    )
