"""What the values of a header say: the names that Hugo, Jekyll, Pelican and Eleventy use, read as their users meant them.

In comes a header of strings, out go the fields of a post, and warnings for values that say nothing. Dates are read in
`manuscript`, which knows where else one may stand.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ketapress.model.errors import Problem, Severity
from ketapress.model.lazy_regex import pattern
from ketapress.model.urls import encoded_path
from ketapress.posts.frontmatter.status import is_draft, is_held
from ketapress.posts.frontmatter.typos import meant_name
from ketapress.posts.frontmatter.values import Value, first_text, flag, misunderstood, text
from ketapress.posts.text.excerpt import untagged
from ketapress.posts.text.strip_markdown import plain_text

_NESTED = {
    "taxonomies": ("tags", "categories", "authors"),
    "taxonomy": ("tag", "category", "author"),
    "extra": (
        *("author", "authors", "cover", "description", "draft", "hidden", "image", "password", "private"),
        *("lang", "thumbnail", "unlisted"),
    ),
}
_LANGUAGE = pattern(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_DIRECTIONS = {"ltr": "ltr", "rtl": "rtl"}
_TAGS = ("tags", "tag", "keywords", "categories", "category")
_SPLIT_AT_BLANKS = frozenset({"tags", "keywords", "categories"})
_PICTURES = (
    *("image", "images", "cover", "coverimage", "featuredimage", "featureimage", "heroimage", "thumbnail"),
    *("bannerimage", "ogimage", "socialimage", "img"),
)
"""As they are compared: `cover_image` and `coverImage` are one."""
_OLD_ADDRESSES = ("aliases", "alias", "redirect_from", "permalink", "url", "path")
_LONGEST_TAG = 100  # characters
_MARKS = pattern(r"[{\[*_`~\\]")
_TEMPLATE = pattern(r"\{[{%].*[}%]\}")
_PLACEHOLDER = pattern(r"(?:^|/):|\{[{%]")


class Fields(NamedTuple):
    """The fields of a post that its header gives; empty or None where it says nothing. `image` is the URL as written."""

    id: str | None
    title: str
    slug: str
    summary: str
    tags: tuple[str, ...]
    authors: tuple[str, ...]
    lang: str | None
    dir: str | None
    image: str
    image_alt: str
    canonical: str | None
    aliases: tuple[str, ...]
    path: str
    draft: bool
    hold: bool


def fields(header: Mapping[str, Value], *, pelican: bool = False) -> tuple[Fields, tuple[Problem, ...]]:
    """The fields of a header whose names are in lower case, and a warning for each value that cannot be used."""
    problems = list(_mistyped(header))
    header = _with_nested(header)
    picture = _picture(header)
    found = Fields(
        id=text(header.get("id")) or None,
        title=untagged(text(header.get("title"))) if "title" in header else "",
        slug=text(header.get("slug")),
        summary=_summary(header),
        tags=_tags(header, pelican=pelican),
        authors=_authors(header, pelican=pelican),
        lang=_language(header, problems),
        dir=_DIRECTIONS.get(text(header.get("dir")).lower()),
        image=picture[0],
        image_alt=picture[1],
        canonical=_canonical(header, problems),
        aliases=_aliases(header),
        path=first_text(header, "path", "permalink", "url"),
        draft=is_draft(header, problems),
        hold=is_held(header, problems),
    )
    return found, tuple(problems)


def _summary(header: Mapping[str, Value]) -> str:
    """The summary without marks of Markdown; none where a template would have written it."""
    written = first_text(header, "summary", "description", "excerpt", "subtitle")
    if not _MARKS.search(written):
        return untagged(written)
    return "" if _TEMPLATE.search(written) else untagged(plain_text(written))


def _with_nested(header: Mapping[str, Value]) -> Mapping[str, Value]:
    """The header with what Zola and Grav write in tables of their own."""
    for table, names in _NESTED.items():
        nested = header.get(table)
        if isinstance(nested, dict):
            header = {name: nested[name] for name in names if name in nested} | dict(header)
    return header


def _mistyped(header: Mapping[str, Value]) -> Iterator[Problem]:
    """A warning for each name that is nearly one of those that matter most, where that one is missing."""
    for name in header:
        meant = meant_name(name)
        if meant and meant not in header:
            yield Problem(
                code="post.header-name",
                severity=Severity.WARNING,
                message=f"the header says `{name[:40]}`, which means nothing here; `{meant}` may be meant.",
                cure=f"Write `{meant}: …`, or leave it if it is for another tool.",
            )


def _tags(header: Mapping[str, Value], *, pelican: bool) -> tuple[str, ...]:
    """Tags, then categories, each once. A string without commas is split at blanks under plural names, as in Jekyll."""
    found: dict[str, str] = {}
    for name in _TAGS:
        if name not in header:
            continue
        for tag in _listed(header[name], blanks=not pelican and name in _SPLIT_AT_BLANKS):
            found.setdefault(tag.casefold(), tag)
    return tuple(found.values())


def _listed(value: Value | None, *, blanks: bool) -> Iterator[str]:
    """The items of a list, or of a string with commas or semicolons."""
    if isinstance(value, list):
        items: Iterable[str] = map(_name, value)
    else:
        written = text(value)
        mark = next((mark for mark in ",;" if mark in written), " " if blanks else "\n")
        items = written.split(mark)
    for item in items:
        if tag := untagged(text(item))[:_LONGEST_TAG].strip().lstrip("# "):
            yield tag


def _authors(header: Mapping[str, Value], *, pelican: bool) -> tuple[str, ...]:
    value = header.get("authors") or header.get("author")
    if isinstance(value, str):
        several = pelican or "authors" in header
        names = value.split(";") if ";" in value else value.split(",") if several else [value]
    else:
        names = [_name(each) for each in (value if isinstance(value, list) else [value] if value else [])]
    return tuple(dict.fromkeys(name for each in names if (name := untagged(text(each)))))


def _name(value: Value) -> str:
    """What one of a list is called: itself, or the name in it."""
    return first_text(value, "name", "display_name", "title") if isinstance(value, dict) else text(value)


def _language(header: Mapping[str, Value], problems: list[Problem]) -> str | None:
    written = first_text(header, "lang", "language", "locale").replace("_", "-")
    if not written:
        return None
    if not _LANGUAGE.fullmatch(written):
        problems.append(
            misunderstood(
                "lang", written, "so the site's language is taken", "Write a tag such as `en` or `pt-BR`."
            )
        )
        return None
    return written


def _picture(header: Mapping[str, Value]) -> tuple[str, str]:
    """The post's image and its description, from the many names that themes gave it."""
    named = {name.replace("_", "").replace("-", ""): value for name, value in header.items()}
    for name in _PICTURES:
        value = named.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, dict):
            alt = first_text(value, "alt", "caption", "description", "desc")
            if (found := first_text(value, "url", "src", "path", "image", "feature")) and flag(found) is None:
                return found, alt
        elif (found := text(value)) and flag(value) is None:
            return found, first_text(named, "imagealt", f"{name}alt")
    return "", ""


def _canonical(header: Mapping[str, Value], problems: list[Problem]) -> str | None:
    written = first_text(header, "canonical", "canonical_url", "canonicalurl")
    if not written:
        return None
    if not re.match(r"https?://[^/\s]+", written):
        problems.append(
            misunderstood("canonical", written, "so it is left out", "Write a whole address, https://…")
        )
        return None
    return written


def _aliases(header: Mapping[str, Value]) -> tuple[str, ...]:
    """Old addresses of the post as paths under the site: `aliases`, `redirect_from`, and what was its permalink."""
    values = [header[name] for name in _OLD_ADDRESSES if name in header]
    written = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return tuple(dict.fromkeys(path for each in written if (path := _alias(text(each)))))


def _alias(written: str) -> str:
    """A literal address as an encoded path without the leading slash; empty where it is a pattern or leads out."""
    if _PLACEHOLDER.search(written) or flag(written) is not None:
        return ""
    try:
        path = urlsplit(written).path.lstrip("/")
    except ValueError:
        return ""
    return "" if ".." in path.split("/") else encoded_path(unquote(path))
