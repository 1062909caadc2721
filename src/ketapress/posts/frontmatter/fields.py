"""The fields of a post, from the names and values that Hugo, Jekyll, Pelican, Eleventy and other tools use.

Dates are parsed in `post_date`, because a date may also stand outside the header.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ketapress.model.errors import Problem, Severity
from ketapress.model.urls import encode_path
from ketapress.posts.frontmatter.status import is_draft, is_on_hold
from ketapress.posts.frontmatter.typos import suggest_name
from ketapress.posts.frontmatter.values import Value, find_text, invalid_value, parse_flag, to_text
from ketapress.posts.text.excerpt import clean_title
from ketapress.posts.text.strip_markdown import strip_markdown

_NESTED_TABLES = {
    "taxonomies": ("tags", "categories", "authors"),
    "taxonomy": ("tag", "category", "author"),
    "extra": (
        *("author", "authors", "cover", "description", "draft", "hidden", "image", "password", "private"),
        *("lang", "thumbnail", "unlisted"),
    ),
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_DIRECTIONS = {"ltr": "ltr", "rtl": "rtl"}
_TAG_NAMES = ("tags", "tag", "keywords", "categories", "category")
_SPACE_SEPARATED_NAMES = frozenset({"tags", "keywords", "categories"})
_IMAGE_NAMES = (
    *("image", "images", "cover", "coverimage", "featuredimage", "featureimage", "heroimage", "thumbnail"),
    *("bannerimage", "ogimage", "socialimage", "img"),
)
"""Names without separators: `cover_image` and `coverImage` are one."""
_ALIAS_NAMES = ("aliases", "alias", "redirect_from", "permalink", "url", "path")
_MAX_TAG_LENGTH = 100  # characters
_MARKDOWN_CHARACTER = re.compile(r"[{\[*_`~\\]")
_TEMPLATE_TAG = re.compile(r"\{[{%].*[}%]\}")
_PLACEHOLDER = re.compile(r"(?:^|/):|\{[{%]")


class Fields(NamedTuple):
    """The fields in the header of a post; empty or None where they are missing. `image` is the URL as written."""

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


def parse_fields(
    header: Mapping[str, Value], *, is_pelican: bool = False
) -> tuple[Fields, tuple[Problem, ...]]:
    """Return the fields of a header whose names are in lower case, and a warning for each value that is not valid."""
    problems = list(_find_typos(header))
    header = _flatten_tables(header)
    image, image_alt = _parse_image(header)
    post_fields = Fields(
        id=to_text(header.get("id")) or None,
        title=clean_title(to_text(header.get("title"))) if "title" in header else "",
        slug=to_text(header.get("slug")),
        summary=_parse_summary(header, problems),
        tags=_parse_tags(header, is_pelican=is_pelican),
        authors=_parse_authors(header, is_pelican=is_pelican),
        lang=_parse_language(header, problems),
        dir=_DIRECTIONS.get(to_text(header.get("dir")).lower()),
        image=image,
        image_alt=image_alt,
        canonical=_parse_canonical(header, problems),
        aliases=_parse_aliases(header),
        path=find_text(header, "path", "permalink", "url"),
        draft=is_draft(header, problems),
        hold=is_on_hold(header, problems),
    )
    return post_fields, tuple(problems)


def _parse_summary(header: Mapping[str, Value], problems: list[Problem]) -> str:
    """Return the summary without Markdown; empty, with a warning, where it is a template of another program."""
    summary = find_text(header, "summary", "description", "excerpt", "subtitle")
    if not _MARKDOWN_CHARACTER.search(summary):
        return clean_title(summary)
    if not _TEMPLATE_TAG.search(summary):
        return clean_title(strip_markdown(summary))
    consequence = "because Ketapress fills no templates in posts, so the summary is the first paragraph"
    problems.append(
        invalid_value("summary", summary, consequence, "Write the summary as plain text, or remove it.")
    )
    return ""


def _flatten_tables(header: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return the header with the fields that Zola and Grav keep in tables added at the top level."""
    for table, names in _NESTED_TABLES.items():
        values = header.get(table)
        if isinstance(values, dict):
            header = {name: values[name] for name in names if name in values} | dict(header)
    return header


def _find_typos(header: Mapping[str, Value]) -> Iterator[Problem]:
    """Yield a warning for each name that is probably a typo of an important one, where that one is missing."""
    for name in header:
        suggestion = suggest_name(name)
        if suggestion and suggestion not in header:
            yield Problem(
                code="post.header-name",
                severity=Severity.WARNING,
                message=f"the field `{name[:40]}` in the header is unknown. Did you mean `{suggestion}`?",
                cure=f"Write `{suggestion}: …`, or leave it if it is for another tool.",
            )


def _parse_tags(header: Mapping[str, Value], *, is_pelican: bool) -> tuple[str, ...]:
    """Return tags, then categories, each once. Jekyll separates those under a plural name by spaces."""
    tags: dict[str, str] = {}
    for name in _TAG_NAMES:
        if name not in header:
            continue
        for tag in _split_list(
            header[name], split_at_spaces=not is_pelican and name in _SPACE_SEPARATED_NAMES
        ):
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())


def _split_list(value: Value | None, *, split_at_spaces: bool) -> Iterator[str]:
    """Yield the items of a list, or of a string with commas or semicolons."""
    if isinstance(value, list):
        items: Iterable[str] = map(_parse_name, value)
    else:
        list_text = to_text(value)
        separator = next(
            (separator for separator in ",;" if separator in list_text), " " if split_at_spaces else "\n"
        )
        items = list_text.split(separator)
    for item in items:
        if tag := clean_title(to_text(item))[:_MAX_TAG_LENGTH].strip().lstrip("# "):
            yield tag


def _parse_authors(header: Mapping[str, Value], *, is_pelican: bool) -> tuple[str, ...]:
    value = header.get("authors") or header.get("author")
    if isinstance(value, str):
        is_list = is_pelican or "authors" in header
        names = value.split(";") if ";" in value else value.split(",") if is_list else [value]
    else:
        names = [
            _parse_name(item) for item in (value if isinstance(value, list) else [value] if value else [])
        ]
    return tuple(dict.fromkeys(name for item in names if (name := clean_title(to_text(item)))))


def _parse_name(value: Value) -> str:
    """Return the name of an item in a list of tags or authors, which may be a mapping."""
    return find_text(value, "name", "display_name", "title") if isinstance(value, dict) else to_text(value)


def _parse_language(header: Mapping[str, Value], problems: list[Problem]) -> str | None:
    language = find_text(header, "lang", "language", "locale").replace("_", "-")
    if not language:
        return None
    if not _LANGUAGE.fullmatch(language):
        problems.append(
            invalid_value(
                "lang",
                language,
                "so the site's language is used",
                "Write a language tag such as `en` or `pt-BR`.",
            )
        )
        return None
    return language


def _parse_image(header: Mapping[str, Value]) -> tuple[str, str]:
    """Return the URL of the post's image and its alt text, from the many names that themes use."""
    values = {name.replace("_", "").replace("-", ""): value for name, value in header.items()}
    for name in _IMAGE_NAMES:
        value = values.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, dict):
            alt = find_text(value, "alt", "caption", "description", "desc")
            if (url := find_text(value, "url", "src", "path", "image", "feature")) and parse_flag(
                url
            ) is None:
                return url, alt
        elif (url := to_text(value)) and parse_flag(value) is None:
            return url, find_text(values, "imagealt", f"{name}alt")
    return "", ""


def _parse_canonical(header: Mapping[str, Value], problems: list[Problem]) -> str | None:
    url = find_text(header, "canonical", "canonical_url", "canonicalurl")
    if not url:
        return None
    if not re.match(r"https?://[^/\s]+", url):
        problems.append(
            invalid_value("canonical", url, "so it is ignored", "Write a complete URL, https://…")
        )
        return None
    return url


def _parse_aliases(header: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the former URLs of the post as paths under the site: its aliases, redirects and permalink."""
    values = [header[name] for name in _ALIAS_NAMES if name in header]
    items = [item for value in values for item in (value if isinstance(value, list) else [value])]
    return tuple(dict.fromkeys(path for item in items if (path := _parse_alias(to_text(item)))))


def _parse_alias(url: str) -> str:
    """Return the encoded path of a URL without the leading slash; empty for a URL pattern, and for a path with `..`."""
    if _PLACEHOLDER.search(url) or parse_flag(url) is not None:
        return ""
    try:
        path = urlsplit(url).path.lstrip("/")
    except ValueError:
        return ""
    return "" if ".." in path.split("/") else encode_path(unquote(path))
