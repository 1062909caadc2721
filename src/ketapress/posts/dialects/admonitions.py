"""Notes, tips and warnings that stand apart become quotations that open with their title in bold.

In comes Markdown, out goes Markdown that any renderer reads. A quotation is the one box that pages, feed readers and mail
programs all show as one. Four ways to write it are known:

- `> [!NOTE] Title`, as GitHub and Obsidian have it, of any kind, folded or not;
- `!!! note "Title"` and `??? note` above indented lines, as MkDocs and Python-Markdown have it, and its tabs, `=== "Title"`;
- `::: tip Title` … `:::`, as Docusaurus, VuePress, Pandoc and Quarto have it; of an unknown kind only the content stays;
- shortcodes in pairs (`{{< notice tip >}}`), which `shortcodes` writes as the third.

Within fenced code they are code.
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
_TITLE = re.compile(r"\[(?P<bracketed>[^\]]*)\].*|.*?\btitle=\"(?P<named>[^\"]*)\".*|[\[{.#].*")
_MAX_TITLE_LENGTH = 300  # characters
ADMONITION_KINDS = frozenset(
    {
        *("abstract", "admonition", "alert", "attention", "bug", "callout", "caution", "danger", "default"),
        *("details", "error", "example", "failure", "hint", "important", "info", "note", "notice", "primary"),
        *("question", "quote", "security", "success", "summary", "tip", "todo", "warn", "warning"),
    }
)
"""The words that open a box where the same marks open other things, too."""
_KINDS_WITHOUT_TITLE = frozenset({"admonition", "alert", "callout", "default", "notice", "primary", "quote"})
"""Kinds that say nothing to readers: such a box has no title but its own."""
_MAX_DEPTH = 8  # boxes in each other; what lies deeper stays as it was written


def convert_admonitions(text: str) -> str:
    """The text with its boxes as quotations."""
    has_candidates = (  # one letter is found ten times as fast as three
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
    """Fenced code, as it is, and where it ends; None where none begins."""
    match = _FENCE.match(lines[index])
    if not match:
        return None
    end = _find_fence_end(lines, index, match[1])
    return end, lines[index:end]


def _parse_alert(lines: list[str], index: int) -> tuple[int, list[str]] | None:
    """The first line of a quotation that says what it is."""
    match = _ALERT.fullmatch(lines[index])
    if (
        not match
        or (index and _ALERT.fullmatch(lines[index - 1]))
        or _is_continuation(match["quote"], lines[index - 1 : index])
    ):
        return None
    title = _parse_title(match["title"], match["kind"])
    return index + 1, [f"{match['quote']}**{title}**", match["quote"].rstrip()] if title else []


def _is_continuation(quote: str, previous_lines: list[str]) -> bool:
    """Whether the quotation began in the line before, so that nothing opens here."""
    return any(line.startswith(quote.rstrip()) and line.strip("> \t") for line in previous_lines)


def _parse_block(lines: list[str], index: int, depth: int) -> tuple[int, list[str]] | None:
    """The box, or the tab, that opens in a line, and where it ends."""
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
    """The lines of a box, apart from what stands before and after it."""
    heading = [f"**{title}**", ""] if title else []
    return ["", *(f"{indent}> {line.removeprefix(indent)}".rstrip() for line in (*heading, *content)), ""]


def _parse_title(text: str, kind: str) -> str:
    """The title that the author gave, else the kind; empty where the kind says nothing."""
    text = text[:_MAX_TITLE_LENGTH]
    if match := _TITLE.fullmatch(text):
        text = match["bracketed"] or match["named"] or ""
    if text:
        return text.replace("**", "").strip()
    return "" if kind.lower() in _KINDS_WITHOUT_TITLE else kind.replace("-", " ").capitalize()


def _dedent_block(lines: list[str], start: int, indent: str) -> tuple[int, list[str]]:
    """Where the lines end that are indented by four more blanks, and those lines without these."""
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
    """The line after the one that closes the container; where none does, it lasts to the end."""
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
