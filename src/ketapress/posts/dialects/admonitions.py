"""Convert admonitions (notes, tips, warnings) to block quotes that begin with their title in bold.

Input and output are Markdown. A block quote is the only kind of box that pages, feed readers and mail programs all show.
The syntaxes:

- `> [!NOTE] Title` of GitHub and Obsidian, any kind, collapsed or not;
- `!!! note "Title"` and `??? note` above indented lines, of MkDocs and Python-Markdown, with its tabs (`=== "Title"`);
- `::: tip Title` … `:::` of Docusaurus, VuePress, Pandoc and Quarto; of an unknown kind only the content stays;
- paired shortcodes (`{{< notice tip >}}`), which `paired_shortcodes` has converted to the third syntax.

Fenced code is left as it is.
"""

import re

_ANY_START = re.compile(
    r"^[ \t>]*(?:\[!\w|:{3,}[ \t]*[\w{]|(?:!!!|\?\?\?)\+?[ \t]+\w|===[ \t]+\")", re.MULTILINE
)
_FENCE = re.compile(r"[ \t>]*(`{3,}(?!.*`)|~{3,})")
_ALERT = re.compile(r"(?P<quote>[ \t]*(?:>[ \t]?)+)\[!(?P<kind>[A-Za-z][\w-]*)\][+-]?[ \t]*(?P<title>.*)")
_ADMONITION = re.compile(
    r"(?P<indent>[ \t]*)(?:!!!|\?\?\?)\+?[ \t]+(?P<kind>[A-Za-z][\w-]*)(?:[ \t]+[a-z][\w-]*)*(?:[ \t]+\"(?P<title>[^\"]*)\")?[ \t]*"
)
_TAB = re.compile(r"(?P<indent>[ \t]*)===[ \t]+\"(?P<title>[^\"]*)\"[ \t]*")
_CONTAINER = re.compile(
    r"(?P<indent>[ \t]*):{3,}[ \t]*\{?\.?(?:callout-)?(?P<kind>[A-Za-z][\w-]*)\}?(?P<title>.*)"
)
_CONTAINER_END = re.compile(r"[ \t]*:{3,}[ \t]*")
_TITLE = re.compile(r"\[(?P<brackets>[^\]]*)\].*|.*?\btitle=\"(?P<attribute>[^\"]*)\".*|[\[{.#].*")
_MAX_TITLE_LENGTH = 300  # characters
ADMONITION_KINDS = frozenset(
    {
        *("abstract", "admonition", "alert", "attention", "bug", "callout", "caution", "danger", "default"),
        *("details", "error", "example", "failure", "hint", "important", "info", "note", "notice", "primary"),
        *("question", "quote", "security", "success", "summary", "tip", "todo", "warn", "warning"),
    }
)
"""The names of containers, shortcodes and components that are admonitions."""
_KINDS_WITHOUT_TITLE = frozenset({"admonition", "alert", "callout", "default", "notice", "primary", "quote"})
"""Kinds whose names tell readers nothing, so that they are not used as titles."""
_MAX_DEPTH = 8  # levels of nesting; deeper admonitions stay as they are


def convert_admonitions(text: str) -> str:
    """Return Markdown with its admonitions as block quotes."""
    has_candidates = (  # a search for one character takes a tenth of the time of a search for three
        ":::" in text
        or ("!" in text and ("[!" in text or "!!! " in text))
        or ("?" in text and "???" in text)
        or ("=" in text and '=== "' in text)
    )
    return (
        "\n".join(_convert_lines(text.split("\n"), 0)) if has_candidates and _ANY_START.search(text) else text
    )


def _convert_lines(lines: list[str], depth: int) -> list[str]:
    if depth > _MAX_DEPTH:
        return lines
    output: list[str] = []
    index = 0
    while index < len(lines):
        index, block = (
            _parse_fence(lines, index)
            or _parse_alert(lines, index)
            or _parse_block(lines, index, depth)
            or (index + 1, [lines[index]])
        )
        output += block
    return output


def _parse_fence(lines: list[str], index: int) -> tuple[int, list[str]] | None:
    """Return the index after the fenced code that begins at `index`, and its lines; None where none begins."""
    match = _FENCE.match(lines[index])
    if not match:
        return None
    end = _find_fence_end(lines, index, match[1])
    return end, lines[index:end]


def _parse_alert(lines: list[str], index: int) -> tuple[int, list[str]] | None:
    """Return the index after the first line of a GitHub alert, and that line as a title; None where none begins."""
    match = _ALERT.fullmatch(lines[index])
    if not match:
        return None
    previous_line = lines[index - 1] if index else ""
    quote = match["quote"].rstrip()
    continues_quote = previous_line.startswith(quote) and previous_line.strip("> \t")
    if continues_quote or _ALERT.fullmatch(previous_line):
        return None
    title = _parse_title(match["title"], match["kind"])
    return index + 1, [f"{match['quote']}**{title}**", quote] if title else []


def _parse_block(lines: list[str], index: int, depth: int) -> tuple[int, list[str]] | None:
    """Return the index after the admonition or tab that begins at `index`, and its new lines; None where none begins."""
    if match := _CONTAINER.fullmatch(lines[index]):
        end = _find_container_end(lines, index)
        content = _convert_lines(lines[index + 1 : end - 1], depth + 1)
        title = _parse_title(match["title"].strip(" \t:"), match["kind"])
        is_known = match["kind"].lower() in ADMONITION_KINDS
        return end, _format_blockquote(match["indent"], title, content) if is_known else ["", *content, ""]
    match = _ADMONITION.fullmatch(lines[index]) or _TAB.fullmatch(lines[index])
    if not match:
        return None
    end, content = _dedent_block(lines, index + 1, match["indent"])
    content = _convert_lines(content, depth + 1)
    if not content:
        return None
    if "kind" not in match.re.groupindex:  # a tab has none
        return end, ["", *(match["indent"] + line for line in (f"**{match['title']}**", "", *content)), ""]
    title = "" if match["title"] == "" else _parse_title(match["title"] or "", match["kind"])
    return end, _format_blockquote(match["indent"], title, content)


def _format_blockquote(indent: str, title: str, content: list[str]) -> list[str]:
    """Return the lines of a block quote between two blank lines."""
    heading = [f"**{title}**", ""] if title else []
    return ["", *(f"{indent}> {line.removeprefix(indent)}".rstrip() for line in (*heading, *content)), ""]


def _parse_title(text: str, kind: str) -> str:
    """Return the author's title, else the kind; an empty string for a kind that tells readers nothing."""
    text = text[:_MAX_TITLE_LENGTH]
    if match := _TITLE.fullmatch(text):
        text = match["brackets"] or match["attribute"] or ""
    if text:
        return text.replace("**", "").strip()
    return "" if kind.lower() in _KINDS_WITHOUT_TITLE else kind.replace("-", " ").capitalize()


def _dedent_block(lines: list[str], start: int, indent: str) -> tuple[int, list[str]]:
    """Return the index after the lines that are indented by four more spaces, and those lines without them."""
    end = start
    while start < len(lines) and not lines[start].strip():
        start += 1
    while end < len(lines) and (
        not lines[end].strip() or lines[end].startswith((f"{indent}    ", f"{indent}\t"))
    ):
        end += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    content = (line.removeprefix(indent) for line in lines[start:end])
    return end, [line[1:] if line.startswith("\t") else line[4:] for line in content]


def _find_fence_end(lines: list[str], start: int, fence: str) -> int:
    end_line = re.compile(rf"[ \t>]*{fence[0]}{{{len(fence)},}}[ \t]*")
    return next(
        (index + 1 for index in range(start + 1, len(lines)) if end_line.fullmatch(lines[index])), len(lines)
    )


def _find_container_end(lines: list[str], start: int) -> int:
    """Return the index after the line that closes the container; an unclosed container reaches the end."""
    depth, index = 0, start
    while index < len(lines):
        if fence := _FENCE.match(lines[index]):
            index = _find_fence_end(lines, index, fence[1])
            continue
        if _CONTAINER_END.fullmatch(lines[index]):
            depth -= 1
        elif _CONTAINER.fullmatch(lines[index]):
            depth += 1
        index += 1
        if depth == 0:
            return index
    return len(lines) + 1
