"""Headers that no fence opens: Pelican's and MultiMarkdown's `Key: value`, Nikola's `.. key: value`, Hexo's YAML.

In comes the text of a file, out go names and values with the place where the body begins, or None: then it is no header
but the text itself. Prose, too, may open with a word and a colon, so the names have to tell.
"""

import re
from collections.abc import Mapping

from ketapress.model.lazy_regex import pattern
from ketapress.posts.frontmatter.values import Value

_LINE = pattern(r"([A-Za-z][\w-]*)::?[ \t]*(.*)")
_TELLING = frozenset({"title", "date", "status", "draft"})
_KNOWN = _TELLING | {
    *(
        "author",
        "authors",
        "categories",
        "category",
        "description",
        "hold",
        "id",
        "image",
        "keywords",
        "lang",
    ),
    *("layout", "modified", "permalink", "published", "slug", "summary", "tags"),
}
_CLOSED = pattern(r"([A-Za-z][\w-]*:(?:(?=[^\n]*\S)[^\n]*\n)+?)---[ \t]*(?:\n|\Z)")
_NIKOLA = pattern(r"(?:<!--[ \t]*\n)?((?:\.\. [A-Za-z][\w-]*:[^\n]*(?:\n|\Z))+)(?:[ \t]*-->[ \t]*(?:\n|\Z))?")


def is_telling(header: Mapping[str, object]) -> bool:
    """Whether the names are those of a header: one that hardly opens a text, or two that headers have."""
    known = _KNOWN & header.keys()
    return len(known) > 1 or not _TELLING.isdisjoint(known)


def closed_block(text: str) -> tuple[str, int]:
    """The lines above a line of dashes, as Hexo has them, and where the body begins; empty if a blank line comes first."""
    found = _CLOSED.match(text)
    return (found[1], found.end()) if found else ("", 0)


def key_value_lines(text: str) -> tuple[dict[str, Value], int] | None:
    """The header that the text opens with, names in lower case, and where the body begins."""
    return _nikola(text) or _pelican(text)


def _nikola(text: str) -> tuple[dict[str, Value], int] | None:
    """`.. key: value` lines, alone or as an HTML comment."""
    found = _NIKOLA.match(text)
    if not found:
        return None
    rows = (line[3:].partition(":") for line in found[1].splitlines())
    header = {key.lower(): value.strip() for key, _, value in rows}
    if "draft" in re.split(r"\s*,\s*", header.get("tags", "")):
        header["draft"] = "true"  # where there was no status, a tag said it
    return header, found.end()


def _pelican(text: str) -> tuple[dict[str, Value], int] | None:
    """`Key: value` lines up to a blank line or a line of dashes, continued by indented ones."""
    header: dict[str, str] = {}
    position, key = 0, ""
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end].rstrip()
        position = end + 1
        if line in {"", "---"}:
            break
        if found := _LINE.fullmatch(line):
            key = found[1].lower()
            header[key] = found[2].strip()
        elif key and line[0] in " \t":
            header[key] = f"{header[key]} {line.strip()}".strip()
        else:
            return None
    return (
        ({key: _unquoted(value) for key, value in header.items()}, position) if is_telling(header) else None
    )


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted and value[0] not in value[1:-1] else value
