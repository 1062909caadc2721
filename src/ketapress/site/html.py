"""What the archive adds to the HTML of posts and editions, and what it tells machines of them."""

import json
import re
from html import escape
from math import ceil

from ketapress.model.lazy_regex import pattern
from ketapress.model.post import Post
from ketapress.model.settings import Settings

_HEAD_END = pattern(r"</head\s*>", re.IGNORECASE)
_BODY = pattern(r"<body\b[^>]*>", re.IGNORECASE)
_SCROLLING = '<div class="scroll" tabindex="0" role="group">'
_WORDS_A_MINUTE, _CHARACTERS_A_MINUTE = 220, 400
_WITHOUT_BLANKS = {"ja", "zh"}
_written = json.JSONEncoder(ensure_ascii=False).encode


def post_body(html: str, url: str) -> str:
    """A post's body as its own page at `url` shows it.

    Tables and listings scroll where they are too wide, also for those who have no mouse; what leads to another place of
    the same page (footnotes) does so wherever the page is read, also from disk.
    """
    if "#" in html:
        html = html.replace(f'href="{escape(url, quote=False)}#', 'href="#')
    if "<pre" in html:
        html = html.replace("<pre", '<pre tabindex="0"')
    if "<table" in html:
        html = html.replace("<table", f"{_SCROLLING}<table").replace("</table>", "</table></div>")
    return html


def reading_minutes(html: str, language: str) -> int:
    """About how long it takes to read: by the blanks between words, or by the characters where there are none."""
    if language.partition("-")[0].lower() in _WITHOUT_BLANKS:
        return ceil(
            (len(html.encode(errors="replace")) - len(html)) / 2 / _CHARACTERS_A_MINUTE
        )  # of 3 bytes each
    return ceil(html.count(" ") / _WORDS_A_MINUTE)


def edition_page(page: str, head: str, bar: str) -> str:
    """The page that the mail room made of an edition, with more in its head, a bar on top, and its body as main part."""
    framed = _BODY.sub(lambda tag: f"{tag[0]}{bar}<main>", page, count=1)
    main, end, rest = framed.rpartition("</body>")
    whole = f"{main}</main>{end}{rest}" if end else framed
    return _HEAD_END.sub(lambda tag: head + tag[0], whole, count=1)


def structured(post: Post, settings: Settings) -> str:
    """What search engines read of a post: schema.org in JSON-LD, with nothing in it that could end its element."""
    url = post.canonical or settings.page_url(post.url)
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
        "publisher": _publisher(settings),
    }
    return _written({name: value for name, value in found.items() if value}).replace("<", "\\u003c")


def _publisher(settings: Settings) -> dict[str, str]:
    publisher = {"@type": "Organization", "name": settings.site.title, "url": settings.page_url("")}
    return publisher | ({"logo": settings.site.logo} if settings.site.logo else {})
