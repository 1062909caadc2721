"""The page of a post, filled without its template: the template makes one page for each shape, and all others are filled.

A template takes ten times as long, and before it can begin, its library has to be loaded. In: a post with its
neighbours, and what the shipped `post.html` is filled with. Out: the same page that the template would make.

A shape is what two posts have in common whose pages differ in nothing but words: whatever the template asks with `if`
or `for`. What is added there has to be added here; the tests compare both ways.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from ketapress.model.post import Image, Post
from ketapress.model.prerender import Moulds, mark

_DATE = datetime(1994, 3, 2, 11, 22, 33, tzinfo=UTC)
_PUBLISHED = datetime(1995, 4, 3, 12, 23, 34, tzinfo=UTC)
_LONG_TITLE = 90  # characters; from here on the template sets it smaller

Values = Mapping[str, Any]
"""What `post.html` is filled with."""


class Dates(Protocol):
    """Instants as pages show them, in the zone and the language of the site."""

    def element(self, moment: datetime) -> str: ...
    def instant(self, moment: datetime) -> str: ...


class Articles(NamedTuple):
    """The moulds of posts' pages, and how dates are written in them."""

    moulds: Moulds
    dates: Dates

    def page(self, values: Values, filled: Callable[[Values], str]) -> str:
        """The page of these values; `filled` fills the template, where a shape is new."""
        mould = self.moulds.of(_shape(values), lambda: self._specimen(values, filled))
        return mould.filled(self._words(values))

    def _specimen(self, values: Values, filled: Callable[[Values], str]) -> str:
        """The page that the template makes of marks in the place of words."""
        written: Post = values["post"]
        post = _marked(written, date=_DATE, published=_PUBLISHED)
        body = mark("body")
        if written.image and post.image and written.image.url in values["body"]:
            body += post.image.url
        specimen = dict(values) | {
            "post": post,
            "body": body,
            "structured": mark("structured"),
            "url": mark("page"),
            "minutes": mark("minutes") if values["minutes"] else "",
            "tags": [(mark(f"tag{n}"), mark(f"path{n}")) for n, _ in enumerate(values["tags"])],
        }
        for name in ("newer", "older"):
            if values[name]:
                specimen[name] = _marked(values[name], name)
        page = filled(specimen).replace(body, mark("body"))
        page = page.replace(self.dates.element(_DATE), mark("date"))
        return page.replace(self.dates.instant(_PUBLISHED), mark("published"))

    def _words(self, values: Values) -> dict[str, str]:
        """What stands in the place of the marks."""
        post: Post = values["post"]
        words = {
            "title": post.title,
            "summary": post.summary,
            "canonical": post.canonical or "",
            "published": self.dates.instant(post.published or post.date),
            "date": self.dates.element(post.date),
            "body": values["body"],
            "structured": values["structured"],
            "page": values["url"],
            "minutes": values["minutes"],
        }
        if post.image:
            words |= {"image": post.image.url, "alt": post.image.alt}
        words |= {f"author{number}": name for number, name in enumerate(post.authors)}
        for number, (name, path) in enumerate(values["tags"]):
            words[f"tag{number}"], words[f"path{number}"] = name, path
        for name in ("newer", "older"):
            if other := values[name]:
                words |= {f"{name}_title": other.title, f"{name}_url": other.url}
        return words


def _shape(values: Values) -> tuple[object, ...]:
    post: Post = values["post"]
    image = post.image and (bool(post.image.alt), post.image.url in values["body"])
    return (
        "post.html",
        values["root"],
        values["has_editions"],
        values["has_tags"],
        *_speech(post),
        len(post.title) > _LONG_TITLE,
        bool(post.summary),
        bool(post.canonical),
        image,
        bool(values["minutes"]),
        len(post.authors),
        len(values["tags"]),
        values["newer"] and _speech(values["newer"]),
        values["older"] and _speech(values["older"]),
    )


def _speech(post: Post) -> tuple[str | None, str | None]:
    return post.lang, post.dir


def _marked(post: Post, name: str = "", **changes: Any) -> Post:
    """A post with marks in the place of its words; `name` tells a neighbour's from the post's own."""
    prefix = f"{name}_" if name else ""
    title = mark(f"{prefix}title")
    if len(post.title) > _LONG_TITLE:
        title = mark(f"{prefix}title", length=_LONG_TITLE)
    return post._replace(
        title=title,
        summary=mark("summary") if post.summary else "",
        url=mark(f"{prefix}url"),
        canonical=mark("canonical") if post.canonical else None,
        image=Image(url=mark("image"), alt=mark("alt") if post.image.alt else "") if post.image else None,
        authors=tuple(mark(f"author{number}") for number, _ in enumerate(post.authors)),
        **changes,
    )
