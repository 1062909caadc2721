"""The filter `shelves`: lists of posts, newest first, grouped under months of a year or under years.

`{% for heading, lines in posts|shelves(root, by_month) %}`. A post is in the list of its year and in the lists of its
tags, so its line is rendered once and cached, except for the relative path to the site's root.
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
    """Return each heading with the lines of its posts. Links to their pages start with `root`."""
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


@lru_cache(maxsize=2**15)  # the lists of a site share most of their posts
def _render_line(
    moment: datetime,
    timezone: str,
    language: str,
    url: str,
    title: str,
    lang: str | None,
    text_dir: str | None,
) -> tuple[str, str]:
    """Return the HTML before and after the path to the root. Text of authors is escaped."""
    day = render_time_element(moment, timezone, language, short=True)
    return (
        f'<li>{day} <a href="',
        f'{escape(url)}"><bdi{lang_attributes(lang, text_dir)}>{escape(title)}</bdi></a></li>',
    )
