"""Count the files of a site by kind, so that the work of two tools can be compared.

The kind of a file follows from its path.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_KINDS = (
    ("compressed feeds", r".*\.gz"),
    ("front page", r"index\.html"),
    ("pages by year", r"\d{4}/index\.html"),
    ("pages by subject", r"tags/(\w+/(page/\d+/)?)?index\.html|tags/\w+/\d{4}\.html"),
    ("posts", r"\d{4}/.+\.html|posts/.+\.html"),
    ("other pages", r"\w+\.html"),
    ("feeds by subject", r"tags/\w+/feed\.xml"),
    ("archives, RSS", r"feeds/\d{4}-\d\d[./]feed\.xml"),
    ("archives, Atom", r"feeds/\d{4}-\d\d[./]atom\.xml"),
    ("archives, JSON Feed", r"feeds/\d{4}-\d\d[./]feed\.json"),
    ("feed, RSS", r"(feed|index)\.xml"),
    ("feed, Atom", r"atom\.xml"),
    ("feed, JSON Feed", r"feed\.json"),
    ("OPML", r"feeds\.opml"),
    ("sitemap", r"sitemap\.xml"),
    ("robots.txt", r"robots\.txt"),
    ("style sheets", r".*\.css"),
    ("other files", r".*"),
)
"""The kinds, each with a pattern for a whole path in the site. The first match decides."""


class Size(NamedTuple):
    """The number of files of a kind, and their bytes."""

    files: int
    bytes: int


def measure_sizes(folder: Path) -> dict[str, Size]:
    """Return the size of each kind of file in `folder`."""
    sizes = {kind: Size(0, 0) for kind, _ in _KINDS}
    for file in folder.rglob("*"):
        if file.is_file():
            kind = _kind(file.relative_to(folder).as_posix())
            size = sizes[kind]
            sizes[kind] = Size(size.files + 1, size.bytes + file.stat().st_size)
    return {kind: size for kind, size in sizes.items() if size.files}


def format_comparison(sites: Mapping[str, Mapping[str, Size]]) -> Iterator[str]:
    """Yield the lines of a Markdown table: a row for each kind, two columns for each site, and the sums."""
    yield f"| kind | {' | '.join(f'{name}: files | bytes' for name in sites)} |"
    yield f"|---|{'--:|--:|' * len(sites)}"
    for kind, _ in _KINDS:
        if any(kind in site for site in sites.values()):
            yield _row(kind, [site.get(kind, Size(0, 0)) for site in sites.values()])
    yield _row("all", [Size(*map(sum, zip(*site.values(), strict=True))) for site in sites.values()])


def _kind(path: str) -> str:
    return next(kind for kind, pattern in _KINDS if re.fullmatch(pattern, path))


def _row(kind: str, sizes: list[Size]) -> str:
    return f"| {kind} | {' | '.join(f'{size.files:,} | {size.bytes:,}' for size in sizes)} |"
