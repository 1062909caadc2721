"""The posts that every tool builds: the same text for the same number, on any machine, at any time.

In: how many. Out: articles of 5 to 6 KB of Markdown, number 0 the newest, one a day backwards; and each as a file with
the header that a tool reads. An article depends on its number alone, so a larger corpus only reaches further back.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

NEWEST = datetime(2023, 6, 1, 9, tzinfo=UTC)
WITHOUT_ARCHIVE = (
    "2023-05"  # of this month and later ones, all posts are in the feed: it reaches back for 40 days
)
ENOUGH = 5_000  # characters of a body, reached by whole sections


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
_LINKING = _words(
    "a about after and as at before but by for from if in into is it near not of on or over so than that the to under"
    " was when which with"
)
_TAGS = _words("books care climate code design food garden history language music science travel")


@dataclass(frozen=True, slots=True)
class Article:
    """A post before any tool has seen it. `slug` names its file; `body` is Markdown that all the tools know."""

    slug: str
    title: str
    date: datetime
    tags: tuple[str, ...]
    body: str


def articles(count: int) -> Iterator[Article]:
    """Newest first."""
    return map(article, range(count))


def article(number: int) -> Article:
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


def with_yaml(article: Article, more: str = "") -> str:
    """The file that Hugo, Eleventy and Ketapress read, with `more` lines in its header."""
    tags = ", ".join(article.tags)
    return (
        f"---\ntitle: {json.dumps(article.title)}\ndate: {article.date.isoformat()}\ntags: [{tags}]\n{more}---\n\n"
        + article.body
    )


def with_yaml_and_months(article: Article) -> str:
    """The same file with what Hugo needs for Ketapress's addresses, its pages by year and its archives by month.

    Hugo makes such pages of terms that the posts name. Ketapress has no archive for a month whose posts are all in the
    feed, so that the posts of these months name none.
    """
    slug, month = article.slug.removeprefix(f"{article.date:%Y-%m-%d}-"), f"{article.date:%Y-%m}"
    months = [month] if month < WITHOUT_ARCHIVE else []
    return with_yaml(article, f'slug: {slug}\nyears: ["{article.date:%Y}"]\nmonths: {json.dumps(months)}\n')


def with_pelican_header(article: Article) -> str:
    """The same file as Pelican's Markdown reader wants it."""
    return (
        f"Title: {article.title}\nDate: {article.date:%Y-%m-%d %H:%M}\nSlug: {article.slug}\n"
        f"Tags: {', '.join(article.tags)}\n\n{article.body}"
    )


def _body(rng: Random) -> str:
    parts = [_paragraph(rng)]
    while sum(map(len, parts)) < ENOUGH:
        block = rng.choices(tuple(_BLOCKS), weights=tuple(_BLOCKS.values()))[0]
        parts += [f"## {_phrase(rng, 4).capitalize()}", _paragraph(rng), block(rng), _paragraph(rng)]
    return "\n\n".join(parts) + "\n"


def _phrase(rng: Random, words: int) -> str:
    return " ".join(rng.choice(_LINKING if place % 2 else _WORDS) for place in range(words))


def _sentence(rng: Random) -> str:
    words = _phrase(rng, rng.randrange(8, 20)).split()
    place = rng.randrange(len(words))
    words[place] = rng.choice(_DRESS).format(words[place])
    return f"{' '.join(words)}.".capitalize()


def _paragraph(rng: Random) -> str:
    return " ".join(_sentence(rng) for _ in range(rng.randrange(3, 7)))


def _list(rng: Random) -> str:
    return "\n".join(f"- {_sentence(rng)}" for _ in range(rng.randrange(3, 7)))


def _numbered(rng: Random) -> str:
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
_DRESS = (*["{}"] * 6, "*{}*", "**{}**", "`{}`", _PAGE, _PAGE, _SEARCH)
_BLOCKS = {_list: 4, _numbered: 2, _quote: 2, _code: 1, _table: 1}
