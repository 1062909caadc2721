"""Render Markdown as HTML with comrak: CommonMark, tables, footnotes, strikethrough, task lists, formulas, bare URLs.

Raw HTML passes through, so that the result still has to be sanitized. Why comrak: docs/notes/markdown-engine.md.
"""

import re
from html import escape
from urllib.parse import quote

import comrak

from ketapress.posts.dialects.shortcodes import ATTRIBUTE_BLOCK
from ketapress.posts.text.strip_markdown import strip_markdown

_MAX_COLUMNS = 128  # of a table; the limit of md4c
_MAX_CELLS = 500_000  # columns times lines of the post; short rows are filled up, so that the output grows with the square
_MIN_PIPES, _MIN_LINES = _MAX_COLUMNS - 1, _MAX_CELLS // _MAX_COLUMNS
_DELIMITER_ROW = re.compile(r"^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$", re.MULTILINE)
_CHECKBOXES = {
    '<input type="checkbox" checked="" disabled="" />': "☑",
    '<input type="checkbox" disabled="" />': "☐",
}
_LEADING_HEADING = re.compile(
    r"\s*(?:#[ \t]+([^\n]{1,300})(?:\n|\Z)|([^\s#>*`|-][^\n]{0,300})\n=+[ \t]*(?:\n|\Z))"
)
_TRAILING_ATTRIBUTES = re.compile(rf"[ \t]*{ATTRIBUTE_BLOCK}[ \t]*\Z")
_OPEN, _CLOSE = "\U0010ff02", "\U0010ff03"  # of a private use area, next to those of `placeholders`
_FORMULA = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}(?![^\n]*`)|~{3,})[^\n]*\n(?:[^\n]*\n)*?(?:[ \t>]*(?P=fence)[`~]*[ \t]*$|[^\n]*\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n)[^`]|(?<!`)(?!(?P=ticks)(?!`))`+){1,1000}?(?P=ticks)(?!`)|\\[$`]"
    r"|(?P<formula>\$\$(?:(?!\n[ \t]*\n)[^$]){1,5000}\$\$|(?<![\w$])\$(?![\s$])[^$`\n]{1,300}(?<![\s\\])\$(?![\w$]))",
    re.MULTILINE,
)
_FORMULA_PLACEHOLDER = re.compile(rf"{_OPEN}(\d+){_CLOSE}|%F4%8F%BC%82(\d+)%F4%8F%BC%83")
_MARKDOWN_ELEMENT = re.compile(r"(<[a-z]\w*\b[^<>\n]*\smarkdown=[\"']?(?:1|block|true)\b[^<>\n]*>)[ \t]*\n?")
_IMAGE_WITH_SPACES = re.compile(
    r"(!\[[^\]\[\n]*\]\()([^()<>\"'\n]*[ ][^()<>\"'\n]*\.(?:png|jpe?g|gif|webp|svg|avif))(?=\))",
    re.IGNORECASE,
)

_MAX_AT_SIGNS = 500  # comrak recurses once for each e-mail address; some 20,000 overflow its stack


def _build_extensions(*, autolink: bool) -> comrak.ExtensionOptions:
    extensions = comrak.ExtensionOptions()
    extensions.table = True
    extensions.footnotes = True
    extensions.strikethrough = True
    extensions.tasklist = True
    extensions.description_lists = True
    extensions.cjk_friendly_emphasis = True
    extensions.autolink = autolink
    return extensions


_EXTENSIONS = _build_extensions(autolink=False)
_AUTOLINK_EXTENSIONS = _build_extensions(autolink=True)
# `[text](https://…)` and `<https://…>`; two patterns that begin with a literal take a tenth of the time of one
_INLINE_LINK = re.compile(r"\[[^\[\]\\\n]*\]\(https?://[^\s()<>\[\]\\]*\)")
_AUTOLINK = re.compile(r"<https?://[^\s<>]+>")
_PARSE_OPTIONS = comrak.ParseOptions()
_RENDER_OPTIONS = comrak.RenderOptions()
_RENDER_OPTIONS.unsafe_ = True


def render_markdown(text: str) -> str:
    """Return Markdown as HTML that is not sanitized. A table of more than 128 columns is shown as its source."""
    if "markdown=" in text:
        text = _MARKDOWN_ELEMENT.sub(r"\1\n\n", text)
    if "![" in text:
        text = _IMAGE_WITH_SPACES.sub(r"\1<\2>", text)
    formulas: list[str] = []
    if "$" in text and _can_have_formulas(text):
        text = _FORMULA.sub(lambda match: _store_formula(match, formulas), text)
    safe_text = _escape_huge_tables(text)
    html = comrak.render_markdown(safe_text, _EXTENSIONS, _PARSE_OPTIONS, _RENDER_OPTIONS)
    if not _has_all_links(text, html) and _has_bare_urls(text):
        html = comrak.render_markdown(safe_text, _AUTOLINK_EXTENSIONS, _PARSE_OPTIONS, _RENDER_OPTIONS)
    if formulas:
        html = _FORMULA_PLACEHOLDER.sub(lambda match: _restore_formula(match, formulas), html)
    if "<input" in html:
        for checkbox, symbol in _CHECKBOXES.items():
            html = html.replace(checkbox, symbol)
    return html


def _has_all_links(text: str, html: str) -> bool:
    """Whether every URL of the text certainly became one of a link or an image."""
    if "@" in text or "www." in text or "]:" in text or "\\" in text:
        return False
    return text.count("://") == html.count('="http://') + html.count('="https://')


def _can_have_formulas(text: str) -> bool:
    """Whether the text may have a formula with characters that Markdown would interpret."""
    return _OPEN not in text and text.count("$") > 1 and ("\\" in text or "_" in text or "*" in text)


def _store_formula(match: re.Match[str], formulas: list[str]) -> str:
    """Return a placeholder for a formula, which passes through Markdown unchanged; code as it is."""
    if not match["formula"] or "\n>" in match[0]:
        return match[0]
    formulas.append(match[0])
    return f"{_OPEN}{len(formulas) - 1}{_CLOSE}"


def _restore_formula(placeholder: re.Match[str], formulas: list[str]) -> str:
    """Return a formula as its author wrote it."""
    formula = formulas[int(placeholder[1] or placeholder[2])]
    return escape(formula) if placeholder[1] else quote(formula, safe="")


def _has_bare_urls(text: str) -> bool:
    """Whether the text may have a URL or e-mail address that is no link yet; comrak's search for them doubles its time."""
    at_signs = text.count("@")
    if at_signs > _MAX_AT_SIGNS:
        return False
    if at_signs or "www." in text or ("\\" in text and ("\\[" in text or "\\<" in text)):
        return True
    link_count = len(_INLINE_LINK.findall(text)) + ("<" in text and len(_AUTOLINK.findall(text)))
    return text.count("://") > link_count


def split_leading_heading(text: str) -> tuple[str, str]:
    """Return the text of the level-one heading at the start of Markdown, empty if there is none, and the rest."""
    match = _LEADING_HEADING.match(text)
    if not match:
        return "", text
    heading = _TRAILING_ATTRIBUTES.sub("", match[1]).rstrip(" \t").rstrip("#") if match[1] else match[2]
    return strip_markdown(heading), text[match.end() :]


def _escape_huge_tables(text: str) -> str:
    """Escape the delimiter rows of tables that would take seconds and megabytes to render."""
    if text.count("|") < _MIN_PIPES and text.count("\n") < _MIN_LINES:
        return text
    lines = text.count("\n") + 1

    def escape_row(row: re.Match[str]) -> str:
        columns = row[0].count("|") + 1
        is_huge = columns > _MAX_COLUMNS or columns * lines > _MAX_CELLS
        return row[0].replace("-", "\\-", 1) if is_huge else row[0]

    return _DELIMITER_ROW.sub(escape_row, text)
