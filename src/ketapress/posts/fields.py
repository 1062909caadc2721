"""What the values of a header say: the names that Hugo, Jekyll, Pelican and Eleventy use, read as their users meant them.

In comes a header of strings, out go the fields of a post, and warnings for values that say nothing. Dates are read in
`manuscript`, which knows where else one may stand.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ketapress.model.errors import Problem, Severity
from ketapress.model.urls import encoded_path
from ketapress.posts.header import Value
from ketapress.posts.prose import one_line, untagged

_NOTHING = {"", "null", "~", "none"}
_FLAGS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_PUBLIC_STATES = {
    "published",
    "publish",
    "public",
    "scheduled",
    "future",
    "sent",
    "final",
    "done",
    "ready",
    "approved",
}
_DRAFT_STATES = {
    "draft",
    "hidden",
    "skip",
    "unlisted",
    "private",
    "pending",
    "review",
    "idea",
    "trash",
    "archived",
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_DIRECTIONS = {"ltr": "ltr", "rtl": "rtl"}
_TAGS = ("tags", "tag", "keywords", "categories", "category")
_PICTURES = (
    "image",
    "images",
    "cover",
    "cover_image",
    "featured_image",
    "featuredimage",
    "thumbnail",
    "og_image",
)
_OLD_ADDRESSES = ("aliases", "alias", "redirect_from", "permalink", "url", "path")
_LONGEST_TAG = 100  # characters
_PLACEHOLDER = re.compile(r"(?:^|/):|\{[{%]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
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


def text(value: object) -> str:
    """A scalar as text on one line; empty for nothing, lists and mappings."""
    if not value or not isinstance(value, str) or value.strip().lower() in _NOTHING:
        return ""
    return one_line(value)


def flag(value: object) -> bool | None:
    """What a switch says; None where it says nothing or something else."""
    return _FLAGS.get(value.strip().lower()) if isinstance(value, str) else None


def fields(header: Mapping[str, Value], *, pelican: bool = False) -> tuple[Fields, tuple[Problem, ...]]:
    """The fields of a header whose names are in lower case, and a warning for each value that cannot be used."""
    problems: list[Problem] = []
    picture = _picture(header)
    found = Fields(
        id=text(header.get("id")) or None,
        title=untagged(text(header.get("title"))) if "title" in header else "",
        slug=text(header.get("slug")),
        summary=untagged(_first_text(header, "summary", "description", "excerpt", "subtitle")),
        tags=_tags(header, pelican=pelican),
        authors=_authors(header, pelican=pelican),
        lang=_language(header, problems),
        dir=_DIRECTIONS.get(text(header.get("dir")).lower()),
        image=picture[0],
        image_alt=picture[1],
        canonical=_canonical(header, problems),
        aliases=_aliases(header),
        path=_first_text(header, "path", "permalink", "url"),
        draft=_is_draft(header, problems),
        hold=_switched(header, "hold", problems),
    )
    return found, tuple(problems)


def _first_text(header: Mapping[str, Value], *names: str) -> str:
    for name in names:
        if name in header and (found := text(header[name])):
            return found
    return ""


def _is_draft(header: Mapping[str, Value], problems: list[Problem]) -> bool:
    status = text(header.get("status")).lower()
    if status and status not in _PUBLIC_STATES and status not in _DRAFT_STATES:
        problems.append(
            _odd("status", status, "so the post is taken as a draft", "Write `draft` or `published`.")
        )
    if status and status not in _PUBLIC_STATES:
        return True
    return _switched(header, "draft", problems) or flag(header.get("published")) is False


def _switched(header: Mapping[str, Value], name: str, problems: list[Problem]) -> bool:
    """Whether a switch is on. What cannot be read counts as on: it is safer to keep a post back than to send it."""
    value = header.get(name)
    if value is None or text(value) == "":
        return bool(value) and not isinstance(value, str)
    said = flag(value)
    if said is None:
        problems.append(_odd(name, text(value), "so it is taken as true", "Write `true` or `false`."))
    return said is not False


def _tags(header: Mapping[str, Value], *, pelican: bool) -> tuple[str, ...]:
    """Tags, then categories, each once. A string without commas is split at blanks, as Jekyll does, but not Pelican."""
    found: dict[str, str] = {}
    for name in _TAGS:
        if name not in header:
            continue
        for tag in _listed(header[name], blanks=not pelican):
            found.setdefault(tag.casefold(), tag)
    return tuple(found.values())


def _listed(value: Value | None, *, blanks: bool) -> Iterator[str]:
    """The items of a list, or of a string with commas or semicolons."""
    if isinstance(value, list):
        items: Iterable[str] = (each for each in value if isinstance(each, str))
    else:
        written = text(value)
        mark = next((mark for mark in ",;" if mark in written), " " if blanks else "\n")
        items = written.split(mark)
    for item in items:
        if tag := text(item)[:_LONGEST_TAG].strip(" #"):
            yield tag


def _authors(header: Mapping[str, Value], *, pelican: bool) -> tuple[str, ...]:
    value = header.get("authors") or header.get("author")
    if isinstance(value, str):
        several = pelican or "authors" in header
        names = value.split(";") if ";" in value else value.split(",") if several else [value]
        return tuple(name for each in names if (name := untagged(text(each))))
    people = value if isinstance(value, list) else [value] if value else []
    names = [text(each.get("name")) if isinstance(each, dict) else text(each) for each in people]
    return tuple(untagged(name) for name in names if name)


def _language(header: Mapping[str, Value], problems: list[Problem]) -> str | None:
    written = _first_text(header, "lang", "language", "locale").replace("_", "-")
    if not written:
        return None
    if not _LANGUAGE.fullmatch(written):
        problems.append(
            _odd("lang", written, "so the site's language is taken", "Write a tag such as `en` or `pt-BR`.")
        )
        return None
    return written


def _picture(header: Mapping[str, Value]) -> tuple[str, str]:
    """The post's image and its description, from the many names that themes gave it."""
    for name in _PICTURES:
        value = header.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, dict):
            alt = _first_text(value, "alt", "caption", "description")
            if found := _first_text(value, "url", "src", "path", "image", "feature"):
                return found, alt
        elif found := text(value):
            return found, _first_text(header, "image_alt", "imagealt")
    return "", ""


def _canonical(header: Mapping[str, Value], problems: list[Problem]) -> str | None:
    written = _first_text(header, "canonical", "canonical_url", "canonicalurl")
    if not written:
        return None
    if not re.match(r"https?://[^/\s]+", written):
        problems.append(_odd("canonical", written, "so it is left out", "Write a whole address, https://…"))
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


def _odd(name: str, value: str, consequence: str, cure: str) -> Problem:
    return Problem(
        code="post.header-value",
        severity=Severity.WARNING,
        message=f"`{name}: {value[:60]}` is not understood, {consequence}.",
        cure=cure,
    )
