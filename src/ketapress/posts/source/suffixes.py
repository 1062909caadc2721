"""What a post can be written in, by the ending of its file."""

from enum import StrEnum


class Format(StrEnum):
    """What a body is written in."""

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
"""The endings of posts, in lower case."""

MDX_SUFFIX = ".mdx"
"""The ending of Markdown that is a program, too."""

UNSUPPORTED_SUFFIXES = frozenset(
    {
        *(".adoc", ".asciidoc", ".doc", ".docx", ".ipynb", ".odt", ".org", ".pdf", ".rst", ".rtf"),
        *(".tex", ".textile"),
    }
)
"""The endings of writing that Ketapress cannot read."""
