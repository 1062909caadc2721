"""Markdown becomes HTML: CommonMark with tables, footnotes, strikethrough, task lists, formulas and bare links, by comrak.

In comes the body of a post, out goes HTML that still has to be sanitised: raw HTML passes through. Why comrak:
docs/notes/markdown-engine.md.
"""

import re
from html import escape
from urllib.parse import quote

import comrak

from ketapress.model.lazy_regex import pattern
from ketapress.posts.dialects.shortcodes import ATTRIBUTES
from ketapress.posts.text.strip_markdown import plain_text

_MOST_COLUMNS = 128  # of a table; as md4c has it
_MOST_CELLS = 500_000  # columns times lines of the post: short rows are filled up, which squares the output
_FEWEST_PIPES, _FEWEST_LINES = _MOST_COLUMNS - 1, _MOST_CELLS // _MOST_COLUMNS
_DELIMITER_ROW = pattern(r"^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$", re.MULTILINE)
_CHECKBOXES = {
    '<input type="checkbox" checked="" disabled="" />': "☑",
    '<input type="checkbox" disabled="" />': "☐",
}
_LEADING_HEADING = pattern(
    r"\s*(?:#[ \t]+([^\n]{1,300})(?:\n|\Z)|([^\s#>*`|-][^\n]{0,300})\n=+[ \t]*(?:\n|\Z))"
)
_ATTRIBUTES = pattern(rf"[ \t]*{ATTRIBUTES}[ \t]*\Z")
_OPEN, _CLOSE = "\U0010ff02", "\U0010ff03"  # private use, as in `leftovers`
_FORMULA = pattern(
    r"^[ \t>]*(?P<fence>`{3,}(?![^\n]*`)|~{3,})[^\n]*\n(?:[^\n]*\n)*?(?:[ \t>]*(?P=fence)[`~]*[ \t]*$|[^\n]*\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n)[^`]|(?<!`)(?!(?P=ticks)(?!`))`+){1,1000}?(?P=ticks)(?!`)|\\[$`]"
    r"|(?P<formula>\$\$(?:(?!\n[ \t]*\n)[^$]){1,5000}\$\$|(?<![\w$])\$(?![\s$])[^$`\n]{1,300}(?<![\s\\])\$(?![\w$]))",
    re.MULTILINE,
)
_KEPT = pattern(rf"{_OPEN}(\d+){_CLOSE}|%F4%8F%BC%82(\d+)%F4%8F%BC%83")
_MARKDOWN_INSIDE = pattern(r"(<[a-z]\w*\b[^<>\n]*\smarkdown=[\"']?(?:1|block|true)\b[^<>\n]*>)[ \t]*\n?")
_SPACED_PICTURE = pattern(
    r"(!\[[^\]\[\n]*\]\()([^()<>\"'\n]*[ ][^()<>\"'\n]*\.(?:png|jpe?g|gif|webp|svg|avif))(?=\))",
    re.IGNORECASE,
)

_MOST_AT_SIGNS = 500  # comrak calls itself for each e-mail address of a paragraph, and dies of some 20,000


def _extensions(*, autolink: bool) -> comrak.ExtensionOptions:
    extensions = comrak.ExtensionOptions()
    extensions.table = True
    extensions.footnotes = True
    extensions.strikethrough = True
    extensions.tasklist = True
    extensions.description_lists = True
    extensions.cjk_friendly_emphasis = True
    extensions.autolink = autolink
    return extensions


_EXTENSIONS = _extensions(autolink=False)
_LINKING = _extensions(autolink=True)
# An address that is marked as one: `[text](https://…)`, `<https://…>`. Each begins with one certain letter: ten times as fast
_LINKED_ADDRESS = pattern(r"\[[^\[\]\\\n]*\]\(https?://[^\s()<>\[\]\\]*\)")
_ANGLED_ADDRESS = pattern(r"<https?://[^\s<>]+>")
_PARSING = comrak.ParseOptions()
_RENDERING = comrak.RenderOptions()
_RENDERING.unsafe_ = True


def markdown_html(text: str) -> str:
    """The text as unsanitised HTML. A table wider than 128 columns is shown as the text it was written as."""
    if "markdown=" in text:
        text = _MARKDOWN_INSIDE.sub(r"\1\n\n", text)
    if "![" in text:
        text = _SPACED_PICTURE.sub(r"\1<\2>", text)
    formulas: list[str] = []
    if "$" in text and _may_have_formulas(text):
        text = _FORMULA.sub(lambda found: _kept(found, formulas), text)
    guarded = _without_vast_tables(text)
    html = comrak.render_markdown(guarded, _EXTENSIONS, _PARSING, _RENDERING)
    if not _has_all_addresses(text, html) and _has_bare_addresses(text):
        html = comrak.render_markdown(guarded, _LINKING, _PARSING, _RENDERING)
    if formulas:
        html = _KEPT.sub(lambda kept: _formula(kept, formulas), html)
    if "<input" in html:
        for box, sign in _CHECKBOXES.items():
            html = html.replace(box, sign)
    return html


def _has_all_addresses(text: str, html: str) -> bool:
    """Whether it is plain that every address of the text became one of a link or a picture."""
    if "@" in text or "www." in text or "]:" in text or "\\" in text:
        return False
    return text.count("://") == html.count('="http://') + html.count('="https://')


def _may_have_formulas(text: str) -> bool:
    """Whether a formula may stand in the text, with something in it that Markdown would read as its own."""
    return _OPEN not in text and text.count("$") > 1 and ("\\" in text or "_" in text or "*" in text)


def _kept(found: re.Match[str], formulas: list[str]) -> str:
    """A token for a formula, which Markdown carries through; code as it is."""
    if not found["formula"] or "\n>" in found[0]:
        return found[0]
    formulas.append(found[0])
    return f"{_OPEN}{len(formulas) - 1}{_CLOSE}"


def _formula(kept: re.Match[str], formulas: list[str]) -> str:
    """A formula as it was written: readers see TeX, and TeX means every stroke."""
    written = formulas[int(kept[1] or kept[2])]
    return escape(written) if kept[1] else quote(written, safe="")


def _has_bare_addresses(text: str) -> bool:
    """Whether an address may stand in the text as it is; to look for them doubles what a post takes."""
    at_signs = text.count("@")
    if at_signs > _MOST_AT_SIGNS:
        return False
    if at_signs or "www." in text or ("\\" in text and ("\\[" in text or "\\<" in text)):
        return True
    marked = len(_LINKED_ADDRESS.findall(text)) + ("<" in text and len(_ANGLED_ADDRESS.findall(text)))
    return text.count("://") > marked


def leading_heading(text: str) -> tuple[str, str]:
    """The text's first heading of level one as plain text, and what follows it; no heading where it opens otherwise."""
    found = _LEADING_HEADING.match(text)
    if not found:
        return "", text
    heading = _ATTRIBUTES.sub("", found[1]).rstrip(" \t").rstrip("#") if found[1] else found[2]
    return plain_text(heading), text[found.end() :]


def _without_vast_tables(text: str) -> str:
    """The text with the delimiter rows escaped of tables that would take seconds and megabytes to draw."""
    if text.count("|") < _FEWEST_PIPES and text.count("\n") < _FEWEST_LINES:
        return text
    lines = text.count("\n") + 1

    def guarded(row: re.Match[str]) -> str:
        columns = row[0].count("|") + 1
        vast = columns > _MOST_COLUMNS or columns * lines > _MOST_CELLS
        return row[0].replace("-", "\\-", 1) if vast else row[0]

    return _DELIMITER_ROW.sub(guarded, text)
