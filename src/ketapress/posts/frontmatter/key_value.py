"""Headers that no fence opens: Pelican's and MultiMarkdown's `Key: value`, Nikola's `.. key: value`, Hexo's YAML.

In comes the text of a file, out go names and values with the place where the body begins, or None: then it is no header
but the text itself. Prose, too, may open with a word and a colon, so the names have to tell.
"""

import re
from collections.abc import Mapping

from ketapress.posts.frontmatter.values import Value

_FIELD_LINE = re.compile(r"([A-Za-z][\w-]*)::?[ \t]*(.*)")
_DECISIVE_NAMES = frozenset({"title", "date", "status", "draft"})
_HEADER_NAMES = _DECISIVE_NAMES | {
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
_HEXO_BLOCK = re.compile(r"([A-Za-z][\w-]*:(?:(?=[^\n]*\S)[^\n]*\n)+?)---[ \t]*(?:\n|\Z)")
_NIKOLA_BLOCK = re.compile(
    r"(?:<!--[ \t]*\n)?((?:\.\. [A-Za-z][\w-]*:[^\n]*(?:\n|\Z))+)(?:[ \t]*-->[ \t]*(?:\n|\Z))?"
)


def is_header(header: Mapping[str, object]) -> bool:
    """Whether the names are those of a header: one that hardly opens a text, or two that headers have."""
    known_names = _HEADER_NAMES & header.keys()
    return len(known_names) > 1 or not _DECISIVE_NAMES.isdisjoint(known_names)


def split_hexo_block(text: str) -> tuple[str, int]:
    """The lines above a line of dashes, as Hexo has them, and where the body begins; empty if a blank line comes first."""
    match = _HEXO_BLOCK.match(text)
    return (match[1], match.end()) if match else ("", 0)


def parse_key_values(text: str) -> tuple[dict[str, Value], int] | None:
    """The header that the text opens with, names in lower case, and where the body begins."""
    return _parse_nikola(text) or _parse_pelican(text)


def _parse_nikola(text: str) -> tuple[dict[str, Value], int] | None:
    """`.. key: value` lines, alone or as an HTML comment."""
    match = _NIKOLA_BLOCK.match(text)
    if not match:
        return None
    rows = (line[3:].partition(":") for line in match[1].splitlines())
    header = {key.lower(): value.strip() for key, _, value in rows}
    if "draft" in re.split(r"\s*,\s*", header.get("tags", "")):
        header["draft"] = "true"  # where there was no status, a tag said it
    return header, match.end()


def _parse_pelican(text: str) -> tuple[dict[str, Value], int] | None:
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
        if match := _FIELD_LINE.fullmatch(line):
            key = match[1].lower()
            header[key] = match[2].strip()
        elif key and line[0] in " \t":
            header[key] = f"{header[key]} {line.strip()}".strip()
        else:
            return None
    return (
        ({key: _strip_quotes(value) for key, value in header.items()}, position)
        if is_header(header)
        else None
    )


def _strip_quotes(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted and value[0] not in value[1:-1] else value
