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

from ketapress.model.lazy_regex import pattern

_OPENS = pattern(r"^[ \t>]*(?:\[!\w|:{3,}[ \t]*[\w{]|(?:!!!|\?\?\?)\+?[ \t]+\w|===[ \t]+\")", re.MULTILINE)
_FENCE = pattern(r"[ \t>]*(`{3,}(?!.*`)|~{3,})")
_ALERT = pattern(r"(?P<quote>[ \t]*(?:>[ \t]?)+)\[!(?P<kind>[A-Za-z][\w-]*)\][+-]?[ \t]*(?P<title>.*)")
_ADMONITION = pattern(
    r"(?P<indent>[ \t]*)(?:!!!|\?\?\?)\+?[ \t]+(?P<kind>[A-Za-z][\w-]*)(?:[ \t]+[a-z][\w-]*)*(?:[ \t]+\"(?P<title>[^\"]*)\")?[ \t]*"
)
_TAB = pattern(r"(?P<indent>[ \t]*)===[ \t]+\"(?P<title>[^\"]*)\"[ \t]*")
_CONTAINER = pattern(
    r"(?P<indent>[ \t]*):{3,}[ \t]*\{?\.?(?:callout-)?(?P<kind>[A-Za-z][\w-]*)\}?(?P<title>.*)"
)
_CONTAINER_END = pattern(r"[ \t]*:{3,}[ \t]*")
_TITLE = pattern(r"\[(?P<bracketed>[^\]]*)\].*|.*?\btitle=\"(?P<named>[^\"]*)\".*|[\[{.#].*")
_LONGEST_TITLE = 300  # characters
KINDS = frozenset(
    {
        *("abstract", "admonition", "alert", "attention", "bug", "callout", "caution", "danger", "default"),
        *("details", "error", "example", "failure", "hint", "important", "info", "note", "notice", "primary"),
        *("question", "quote", "security", "success", "summary", "tip", "todo", "warn", "warning"),
    }
)
"""The words that open a box where the same marks open other things, too."""
_UNTITLED = frozenset({"admonition", "alert", "callout", "default", "notice", "primary", "quote"})
"""Kinds that say nothing to readers: such a box has no title but its own."""
_DEEPEST = 8  # boxes in each other; what lies deeper stays as it was written


def with_boxes(text: str) -> str:
    """The text with its boxes as quotations."""
    telling = (  # one letter is found ten times as fast as three
        ":::" in text
        or ("!" in text and ("[!" in text or "!!! " in text))
        or ("?" in text and "???" in text)
        or ("=" in text and '=== "' in text)
    )
    return "\n".join(_boxed(text.split("\n"), 0)) if telling and _OPENS.search(text) else text


def _boxed(lines: list[str], depth: int) -> list[str]:
    if depth > _DEEPEST:
        return lines
    done: list[str] = []
    at = 0
    while at < len(lines):
        at, written = (
            _fence(lines, at) or _alert(lines, at) or _opened(lines, at, depth) or (at + 1, [lines[at]])
        )
        done += written
    return done


def _fence(lines: list[str], at: int) -> tuple[int, list[str]] | None:
    """Fenced code, as it is, and where it ends; None where none begins."""
    found = _FENCE.match(lines[at])
    if not found:
        return None
    end = _end_of_fence(lines, at, found[1])
    return end, lines[at:end]


def _alert(lines: list[str], at: int) -> tuple[int, list[str]] | None:
    """The first line of a quotation that says what it is."""
    found = _ALERT.fullmatch(lines[at])
    if (
        not found
        or (at and _ALERT.fullmatch(lines[at - 1]))
        or _is_within(found["quote"], lines[at - 1 : at])
    ):
        return None
    title = _title(found["title"], found["kind"])
    return at + 1, [f"{found['quote']}**{title}**", found["quote"].rstrip()] if title else []


def _is_within(quote: str, before: list[str]) -> bool:
    """Whether the quotation began in the line before, so that nothing opens here."""
    return any(line.startswith(quote.rstrip()) and line.strip("> \t") for line in before)


def _opened(lines: list[str], at: int, depth: int) -> tuple[int, list[str]] | None:
    """The box, or the tab, that opens in a line, and where it ends."""
    if found := _CONTAINER.fullmatch(lines[at]):
        end = _end_of_container(lines, at)
        inside = _boxed(lines[at + 1 : end - 1], depth + 1)
        title = _title(found["title"].strip(" \t:"), found["kind"])
        is_known = found["kind"].lower() in KINDS
        return end, _box(found["indent"], title, inside) if is_known else ["", *inside, ""]
    found = _ADMONITION.fullmatch(lines[at]) or _TAB.fullmatch(lines[at])
    if not found:
        return None
    end, inside = _indented(lines, at + 1, found["indent"])
    inside = _boxed(inside, depth + 1)
    if not inside:
        return None
    if "kind" not in found.re.groupindex:  # a tab has none
        return end, ["", *(found["indent"] + line for line in (f"**{found['title']}**", "", *inside)), ""]
    title = "" if found["title"] == "" else _title(found["title"] or "", found["kind"])
    return end, _box(found["indent"], title, inside)


def _box(indent: str, title: str, inside: list[str]) -> list[str]:
    """The lines of a box, apart from what stands before and after it."""
    heading = [f"**{title}**", ""] if title else []
    return ["", *(f"{indent}> {line.removeprefix(indent)}".rstrip() for line in (*heading, *inside)), ""]


def _title(written: str, kind: str) -> str:
    """The title that the author gave, else the kind; empty where the kind says nothing."""
    written = written[:_LONGEST_TITLE]
    if found := _TITLE.fullmatch(written):
        written = found["bracketed"] or found["named"] or ""
    if written:
        return written.replace("**", "").strip()
    return "" if kind.lower() in _UNTITLED else kind.replace("-", " ").capitalize()


def _indented(lines: list[str], start: int, indent: str) -> tuple[int, list[str]]:
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
    inside = (line.removeprefix(indent) for line in lines[start:end])
    return end, [line[1:] if line.startswith("\t") else line[4:] for line in inside]


def _end_of_fence(lines: list[str], start: int, fence: str) -> int:
    closes = re.compile(rf"[ \t>]*{fence[0]}{{{len(fence)},}}[ \t]*")
    return next((at + 1 for at in range(start + 1, len(lines)) if closes.fullmatch(lines[at])), len(lines))


def _end_of_container(lines: list[str], start: int) -> int:
    """The line after the one that closes the container; where none does, it lasts to the end."""
    depth, at = 0, start
    while at < len(lines):
        if fence := _FENCE.match(lines[at]):
            at = _end_of_fence(lines, at, fence[1])
            continue
        if _CONTAINER_END.fullmatch(lines[at]):
            depth -= 1
        elif _CONTAINER.fullmatch(lines[at]):
            depth += 1
        at += 1
        if depth == 0:
            return at
    return len(lines) + 1
