"""HTML that the site adds to posts and editions, and the data that it adds for search engines."""

import json
import re
import unicodedata
from html import escape, unescape
from math import ceil

from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.urls import slugify

_HEADING = re.compile(r"<h([1-6])((?: [^>]*)?)>((?:[^<]|<(?!/?h[1-6][ >]))*+)</h\1>")
_TAG = re.compile(r"<[^>]*>")
_ID = re.compile(r" id=\"([^\"]*)\"")
_PREFIXED_ID = re.compile(r" id=\"p[0-9a-f]{8}-([^\"]+)\"")  # unique among posts that are shown together
_BLANK = re.compile(r"\s")
_PUNCTUATION = re.compile(r"[^\w\s-]")
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_SCROLL_BOX = '<div class="scroll" tabindex="0" role="group">'
_WORDS_A_MINUTE, _CHARACTERS_A_MINUTE = 220, 400
_WITHOUT_BLANKS = {"ja", "zh"}
_encode = json.JSONEncoder(ensure_ascii=False).encode


def post_body(html: str, url: str) -> str:
    """Return the body of a post as its own page at `url` shows it.

    Tables and code scroll where they are too wide, also by keyboard. Links within the page (footnotes) become relative, so
    that they work wherever the page is read, also from disk. Headings get the ids that Hugo and Zola give them, so that
    links of other posts and sites lead there; in feeds and mail, where posts are shown together, they have none.
    """
    if "<h" in html:
        html = _add_heading_ids(html)
    if "#" in html:
        html = html.replace(f'href="{escape(url, quote=False)}#', 'href="#')
    if "<pre" in html:
        html = html.replace("<pre", '<pre tabindex="0"')
    if "<table" in html:
        html = html.replace("<table", f"{_SCROLL_BOX}<table").replace("</table>", "</table></div>")
    return html


def _add_heading_ids(html: str) -> str:
    """Return HTML whose headings have an id by each of the two rules; a number follows where a heading repeats."""
    taken = {"main", *_ID.findall(html)}  # the template has one of its own

    def add_ids(heading: re.Match[str]) -> str:
        level, attributes, content = heading.groups()
        words = unescape(_TAG.sub("", content)).strip()
        prefixed_id = _PREFIXED_ID.search(attributes)
        names = [prefixed_id[1]] if prefixed_id else []
        for name in dict.fromkeys((_hugo_anchor(words), _zola_anchor(words))):
            number, unique_name = 0, name
            while name and unique_name in taken:
                number += 1
                unique_name = f"{name}-{number}"
            names.append(unique_name)
        names = [name for name in dict.fromkeys(names) if name and name not in taken]
        taken.update(names)
        if names and not _ID.search(attributes):
            attributes += f' id="{escape(names.pop(0))}"'
        targets = "".join(f'<span id="{escape(name)}"></span>' for name in names)
        return f"<h{level}{attributes}>{targets}{content}</h{level}>"

    return _HEADING.sub(add_ids, html)


def _hugo_anchor(words: str) -> str:
    """Return the anchor of a heading as Hugo and GitHub make it: punctuation goes, each blank becomes a hyphen."""
    return _BLANK.sub("-", _PUNCTUATION.sub("", words.lower()))


def _zola_anchor(words: str) -> str:
    """Return the anchor of a heading as Zola makes it: without accents, whatever is no letter or digit is one hyphen."""
    letters = unicodedata.normalize("NFKD", words)
    return slugify("".join(letter for letter in letters if not unicodedata.combining(letter)))


def reading_minutes(html: str, language: str) -> int:
    """Return about how long it takes to read HTML: by the blanks between words, or by characters in languages without."""
    if language.partition("-")[0].lower() in _WITHOUT_BLANKS:
        return ceil(
            (len(html.encode(errors="replace")) - len(html)) / 2 / _CHARACTERS_A_MINUTE
        )  # of 3 bytes each
    return ceil(html.count(" ") / _WORDS_A_MINUTE)


def edition_page(page: str, head: str, bar: str) -> str:
    """Return the page of an edition with `head` at the end of its head, `bar` on top, and its body as the main part."""
    page = _BODY.sub(lambda tag: f"{tag[0]}{bar}<main>", page, count=1)
    main, end, rest = page.rpartition("</body>")
    if end:
        page = f"{main}</main>{end}{rest}"
    return _HEAD_END.sub(lambda tag: head + tag[0], page, count=1)


def structured_data(post: Post, settings: Settings) -> str:
    """Return the data of a post for search engines: schema.org in JSON-LD, without `<`, which could end its element."""
    url = post.canonical or settings.page_url(post.url)
    names = post.authors or ((settings.site.author.name,) if settings.site.author else ())
    members = {
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
    return _encode({name: value for name, value in members.items() if value}).replace("<", "\\u003c")


def _publisher(settings: Settings) -> dict[str, str]:
    publisher = {"@type": "Organization", "name": settings.site.title, "url": settings.page_url("")}
    return publisher | ({"logo": settings.site.logo} if settings.site.logo else {})
