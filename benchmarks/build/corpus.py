"""The posts that all tools build: the same text for the same number, on any machine, at any time.

An article has 5 to 6 KB of Markdown. Article 0 is the newest, and there is one for each day before it. An article depends
only on its number, so that a larger corpus adds only older ones. The `format_` functions return the file for a tool.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

NEWEST = datetime(2023, 6, 1, 9, tzinfo=UTC)
FIRST_MONTH_IN_FEED = "2023-05"  # from this month on, the feed contains all posts: it covers 40 days
MIN_BODY_LENGTH = 5_000  # characters of a body, which ends with a whole section


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_WORDS = _words(
    "answer archive autumn balance bridge budget button careful chapter circle clear coffee column common copper corner"
    " cotton county danger decent detail dinner distance double editor effort engine evening example fabric factor"
    " fallow farmer figure finger forest former friend garden gentle gravel growth harbour harvest hollow honest"
    " journal kettle ladder letter lesson likely listen little market matter measure meadow method middle minute mirror"
    " moment morning motion narrow nature needle notice number object office orange origin paper parcel pattern pencil"
    " people period person pocket poetry prefer pretty problem proper public quarter quiet railway reader reason record"
    " remark repair result river rubber salad sample season second shelter signal silver simple single slight spring"
    " station steady stitch street subject summer supper table temper thread timber tongue travel treaty twelve useful"
    " valley velvet village visit volume walnut weather window winter wonder writer yellow"
)
_FUNCTION_WORDS = _words(
    "a about after and as at before but by for from if in into is it near not of on or over so than that the to under"
    " was when which with"
)
_TAGS = _words("books care climate code design food garden history language music science travel")


@dataclass(frozen=True, slots=True)
class Article:
    """A post, independent of any tool. `slug` is the name of its file; `body` is Markdown that all tools support."""

    slug: str
    title: str
    date: datetime
    tags: tuple[str, ...]
    body: str


def make_articles(count: int) -> Iterator[Article]:
    """Return an iterator of articles, newest first."""
    return map(make_article, range(count))


def make_article(number: int) -> Article:
    rng = Random(number)
    date = NEWEST - timedelta(days=number)
    title = f"{_phrase(rng, 3).capitalize()}, number {number}"
    return Article(
        slug=f"{date:%Y-%m-%d}-{'-'.join(rng.sample(_WORDS, 3))}",
        title=title,
        date=date,
        tags=tuple(sorted(rng.sample(_TAGS, 2))),
        body=_body(rng),
    )


def format_post(article: Article, fields: str = "") -> str:
    """Return the file for Hugo, Eleventy and Ketapress, with the lines `fields` added to its front matter."""
    tags = ", ".join(article.tags)
    return (
        f"---\ntitle: {json.dumps(article.title)}\ndate: {article.date.isoformat()}\ntags: [{tags}]\n{fields}---\n\n"
        + article.body
    )


def format_hugo_post(article: Article) -> str:
    """Return the file for Hugo with the fields for Ketapress's addresses, pages by year and archives by month.

    Hugo makes these pages from taxonomies. Ketapress has no archive for a month whose posts are all in the feed, so the
    posts of these months have no term for it.
    """
    slug, month = article.slug.removeprefix(f"{article.date:%Y-%m-%d}-"), f"{article.date:%Y-%m}"
    months = [month] if month < FIRST_MONTH_IN_FEED else []
    return format_post(article, f'slug: {slug}\nyears: ["{article.date:%Y}"]\nmonths: {json.dumps(months)}\n')


def format_pelican_post(article: Article) -> str:
    """Return the file for Pelican's Markdown reader."""
    return (
        f"Title: {article.title}\nDate: {article.date:%Y-%m-%d %H:%M}\nSlug: {article.slug}\n"
        f"Tags: {', '.join(article.tags)}\n\n{article.body}"
    )


def _body(rng: Random) -> str:
    parts = [_paragraph(rng)]
    while sum(map(len, parts)) < MIN_BODY_LENGTH:
        block = rng.choices(tuple(_BLOCKS), weights=tuple(_BLOCKS.values()))[0]
        parts += [f"## {_phrase(rng, 4).capitalize()}", _paragraph(rng), block(rng), _paragraph(rng)]
    return "\n\n".join(parts) + "\n"


def _phrase(rng: Random, words: int) -> str:
    return " ".join(rng.choice(_FUNCTION_WORDS if position % 2 else _WORDS) for position in range(words))


def _sentence(rng: Random) -> str:
    words = _phrase(rng, rng.randrange(8, 20)).split()
    position = rng.randrange(len(words))
    words[position] = rng.choice(_MARKUP).format(words[position])
    return f"{' '.join(words)}.".capitalize()


def _paragraph(rng: Random) -> str:
    return " ".join(_sentence(rng) for _ in range(rng.randrange(3, 7)))


def _list(rng: Random) -> str:
    return "\n".join(f"- {_sentence(rng)}" for _ in range(rng.randrange(3, 7)))


def _ordered_list(rng: Random) -> str:
    return "\n".join(f"{number}. {_sentence(rng)}" for number in range(1, rng.randrange(4, 7)))


def _quote(rng: Random) -> str:
    return f"> {_sentence(rng)}\n> {_sentence(rng)}"


def _code(rng: Random) -> str:
    lines = (
        f'    return {rng.choice(_WORDS)}["{rng.choice(_WORDS)}"] < {rng.randrange(99)}' for _ in range(6)
    )
    return "\n".join(("```python", f"def {rng.choice(_WORDS)}():", *lines, "```"))


def _table(rng: Random) -> str:
    rows = (f"| {_phrase(rng, 3)} | {rng.randrange(999)} | {rng.choice(_WORDS)} |" for _ in range(6))
    return "\n".join(("| what | how many | where |", "|---|--:|---|", *rows))


_PAGE, _SEARCH = "[{0}](https://{0}.example/notes/{0}.html)", "[{0}](https://{0}.example/find?from=a&to=b)"
_MARKUP = (*["{}"] * 6, "*{}*", "**{}**", "`{}`", _PAGE, _PAGE, _SEARCH)
_BLOCKS = {_list: 4, _ordered_list: 2, _quote: 2, _code: 1, _table: 1}
