"""The list of pages for search engines (sitemaps.org/protocol.html): made anew whenever a post changes, so it takes no template."""

from collections.abc import Callable, Iterable
from html import escape

from ketapress.archive.articles import Dates
from ketapress.model.post import Post

_OPENING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
)


def sitemap(pages: Iterable[str], posts: Iterable[Post], url: Callable[[str], str], dates: Dates) -> str:
    """The addresses of pages, and of those posts that are at home here, with the instants when they changed last.

    `url` makes an address of a path.
    """
    lists = "".join(f"<url><loc>{escape(url(path))}</loc></url>\n" for path in pages)
    articles = "".join(
        f"<url><loc>{escape(url(post.url))}</loc><lastmod>{dates.instant(post.updated)}</lastmod></url>\n"
        for post in posts
        if not post.canonical
    )
    return f"{_OPENING}{lists}{articles}</urlset>\n"
