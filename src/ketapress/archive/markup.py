"""What the archive adds to the HTML of posts and editions, and what it tells machines of them."""

import json
import re

from ketapress.model.post import Post
from ketapress.model.settings import Settings

_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_SCROLLED = re.compile(r"<(?:table|pre)\b")
_SCROLLING = {"<pre": '<pre tabindex="0"', "<table": '<div class="scroll" tabindex="0" role="group"><table'}
_written = json.JSONEncoder(ensure_ascii=False).encode


def scrolling(html: str) -> str:
    """A post's body whose tables and listings scroll where they are too wide, also for those who have no mouse."""
    return _SCROLLED.sub(lambda tag: _SCROLLING[tag[0]], html).replace("</table>", "</table></div>")


def with_head(page: str, head: str) -> str:
    """A whole page with more at the end of its head."""
    return _HEAD_END.sub(lambda end: head + end[0], page, count=1)


def structured(post: Post, settings: Settings) -> str:
    """What search engines read of a post: schema.org in JSON-LD, with nothing in it that could end its element."""
    url = post.canonical or settings.page(post.url)
    names = post.authors or ((settings.site.author.name,) if settings.site.author else ())
    found = {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "mainEntityOfPage": url,
        "url": url,
        "headline": post.title,
        "description": post.summary,
        "datePublished": (post.published or post.date).isoformat(),
        "dateModified": post.updated.isoformat(),
        "inLanguage": post.lang or settings.site.language,
        "keywords": list(post.tags),
        "image": post.image.url if post.image else "",
        "author": [{"@type": "Person", "name": name} for name in names],
        "publisher": {"@type": "Organization", "name": settings.site.title, "url": settings.page("")},
    }
    return _written({name: value for name, value in found.items() if value}).replace("<", "\\u003c")
