"""The formats of posts, by the suffix of the file."""

from enum import StrEnum


class Format(StrEnum):
    """The markup of a body."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


FORMAT_BY_SUFFIX = {
    ".txt": Format.TEXT,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".mdown": Format.MARKDOWN,
    ".mkd": Format.MARKDOWN,
    ".mkdn": Format.MARKDOWN,
    ".mdx": Format.MARKDOWN,
    ".html": Format.HTML,
    ".htm": Format.HTML,
}
"""Suffixes of posts, in lower case."""

MDX_SUFFIX = ".mdx"
"""The suffix of Markdown with JSX in it."""

UNSUPPORTED_SUFFIXES = frozenset(
    {
        *(".adoc", ".asciidoc", ".doc", ".docx", ".ipynb", ".odt", ".org", ".pdf", ".rst", ".rtf"),
        *(".tex", ".textile"),
    }
)
"""Suffixes of documents that Ketapress cannot read as posts."""
