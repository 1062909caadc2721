"""Headers without a fence: Pelican's and MultiMarkdown's `Key: value`, Nikola's `.. key: value`, Hexo's YAML.

Prose may begin with a word and a colon too, so the names decide whether it is a header.
"""

import re
from collections.abc import Mapping

from ketapress.posts.frontmatter.values import Value

_FIELD_LINE = re.compile(r"([A-Za-z][\w-]*)::?[ \t]*(.*)")
_DECISIVE_NAMES = frozenset({"title", "date", "status", "draft"})
_HEADER_NAMES = _DECISIVE_NAMES | {
    *("author", "authors", "categories", "category", "description", "hold", "id", "image", "keywords"),
    *("lang", "layout", "modified", "permalink", "published", "slug", "summary", "tags"),
}
_HEXO_BLOCK = re.compile(r"([A-Za-z][\w-]*:(?:(?=[^\n]*\S)[^\n]*\n)+?)---[ \t]*(?:\n|\Z)")
_NIKOLA_BLOCK = re.compile(
    r"(?:<!--[ \t]*\n)?((?:\.\. [A-Za-z][\w-]*:[^\n]*(?:\n|\Z))+)(?:[ \t]*-->[ \t]*(?:\n|\Z))?"
)


def is_header(header: Mapping[str, object]) -> bool:
    """Whether the names are those of a header: one that prose rarely begins with, or two that headers have."""
    known_names = _HEADER_NAMES & header.keys()
    return len(known_names) > 1 or not _DECISIVE_NAMES.isdisjoint(known_names)


def split_hexo_block(text: str) -> tuple[str, int]:
    """Return the lines above a line of dashes, and where the body begins. They are empty if a blank line comes first."""
    match = _HEXO_BLOCK.match(text)
    return (match[1], match.end()) if match else ("", 0)


def parse_key_values(text: str) -> tuple[dict[str, Value], int] | None:
    """Return the header of Pelican or Nikola, its names in lower case, and where the body begins; None if there is none."""
    return _parse_nikola(text) or _parse_pelican(text)


def _parse_nikola(text: str) -> tuple[dict[str, Value], int] | None:
    """Parse `.. key: value` lines, which may be in an HTML comment."""
    match = _NIKOLA_BLOCK.match(text)
    if not match:
        return None
    rows = (line[3:].partition(":") for line in match[1].splitlines())
    header = {key.lower(): value.strip() for key, _, value in rows}
    if "draft" in re.split(r"\s*,\s*", header.get("tags", "")):
        header["draft"] = "true"  # how Nikola marked drafts before it had `status`
    return header, match.end()


def _parse_pelican(text: str) -> tuple[dict[str, Value], int] | None:
    """Parse `Key: value` lines up to a blank line or a line of dashes. Indented lines continue a value."""
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
    if not is_header(header):
        return None
    return {key: _strip_quotes(value) for key, value in header.items()}, position


def _strip_quotes(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted and value[0] not in value[1:-1] else value
