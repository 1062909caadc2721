"""Marks in pairs that nobody knows by name go, and what stands between them stays: it was written for readers.

In comes a body as its author wrote it, out goes the same without the marks, line for line. Shortcodes of Hugo's themes,
tags of Hexo, Liquid and Nunjucks, Zola's `{% name() %}` … `{% end %}`. A title that the first of them gives is shown
in bold; what leads somewhere is a link; drawings are code. Programs (`{% for %}`, `{% if %}`) are none of these.
"""

import re
from html import escape

from ketapress.model.lazy_regex import pattern

_MARK = pattern(
    r"(?P<fence>^[ \t>]*(?P<mark>`{3,}(?![^\n]*`)|~{3,})[^\n]*\n(?:[^\n]*\n)*?(?:[ \t>]*(?P=mark)[`~]*[ \t]*$|[^\n]*\Z))"
    r"|(?P<code>`[^`\n]+`)"
    r"|\{\{[<%]\s*(?P<go_end>/?)\s*(?P<go>[A-Za-z][\w/-]*)(?P<go_words>(?:[^{}]|\{(?!\{)){0,500}?)[>%]\}\}"
    r"|\{%-?\s*(?P<end>end(?:_?(?=\w))?)?(?P<liquid>[A-Za-z]\w*|(?=\s*-?%))(?P<words>[^{}%]{0,500})-?%\}",
    re.MULTILINE,
)
_PROGRAMS = frozenset(
    {
        *(
            "assign",
            "block",
            "call",
            "capture",
            "case",
            "comment",
            "cycle",
            "filter",
            "for",
            "form",
            "if",
            "ifchanged",
        ),
        *(
            "macro",
            "paginate",
            "raw",
            "render",
            "renderTemplate",
            "set",
            "setAsync",
            "tablerow",
            "unless",
            "with",
        ),
    }
)
_DRAWINGS = frozenset({"chart", "echarts", "flow", "graphviz", "markmap", "mermaid", "plantuml", "wavedrom"})
_NAMED = pattern(r"\b([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,\"']+))")
_QUOTED = pattern(r"\"([^\"]*)\"|'([^']*)'")
_TITLES = ("title", "summary", "header", "label", "name", "tabname", "author")
_FOLDED = pattern(r".*(?:accordion|collaps|details|expand|fold|spoiler|toggle).*", re.IGNORECASE)
_MOST_WAITING = 50  # marks that are looked at for the one that is closed
_ADDRESSES = ("href", "url", "link", "to")
_NO_TITLE = pattern(
    r"\W*|[a-z]+|.*\bfa[brs]?[ -].*|https?://.*|.*\.\w{2,4}"
)  # numbers, icons, colours, files


def without_marks_around(body: str) -> str:
    """The body, and of each pair of marks what stands between them."""
    found = list(_MARK.finditer(body))
    pairs = dict(_pairs(found))
    if not pairs:
        return body
    closing = {close: _written(found[open_], found[close]) for open_, close in pairs.items()}
    pieces, at = [], 0
    for number, mark in enumerate(found):
        if number in pairs:
            shown = closing[pairs[number]][0]
        elif number in closing:
            shown = closing[number][1]
        else:
            continue
        pieces += [body[at : mark.start()], shown + "\n" * (mark[0].count("\n") - shown.count("\n"))]
        at = mark.end()
    return "".join([*pieces, body[at:]])


def _pairs(marks: list[re.Match[str]]) -> list[tuple[int, int]]:
    """The numbers of the marks that open something, each with that of the mark which closes it."""
    waiting: list[tuple[str, int]] = []
    pairs = []
    for number, mark in enumerate(marks):
        if mark["fence"] or mark["code"]:
            continue
        name = mark["go"] or mark["liquid"]
        if not (mark["go_end"] or mark["end"]):
            waiting.append((f"<{name}" if mark["go"] else name, number))
            continue
        wanted = f"<{name}" if mark["go"] else name
        at = next(
            (
                at
                for at in range(len(waiting) - 1, max(len(waiting) - _MOST_WAITING, 0) - 1, -1)
                if _closes(wanted, marks[waiting[at][1]])
            ),
            -1,
        )
        if at >= 0:
            opened, first = waiting[at]
            del waiting[at:]
            if opened not in _PROGRAMS:
                pairs.append((first, number))
    return pairs


def _closes(name: str, opened: re.Match[str]) -> bool:
    """Whether a mark of that name closes the one that was opened; Zola's has no name."""
    if not name:
        return bool(opened["liquid"]) and opened["words"].startswith("(")
    return name == (f"<{opened['go']}" if opened["go"] else opened["liquid"])


def _written(opened: re.Match[str], closed: re.Match[str]) -> tuple[str, str]:
    """What stands in the place of both marks."""
    name = opened["go"] or opened["liquid"]
    words = opened["go_words"] or opened["words"] or ""
    if name in _DRAWINGS and _is_alone(opened) and _is_alone(closed):
        return f"~~~{name}", "~~~"
    named = {key.lower(): a or b or c for key, a, b, c in _NAMED.findall(words)}
    if led := next((named[key] for key in _ADDRESSES if named.get(key)), ""):
        return f'<a href="{escape(led)}">', "</a>"
    title = next((named[key] for key in _TITLES if named.get(key)), "") or _title(name, _NAMED.sub("", words))
    title = title.replace("**", "")
    return (f"**{title}**{'  ' if _is_alone(opened) else ' '}" if title else ""), ""


def _title(name: str, words: str) -> str:
    """A title among words that have no names: in quotes, or behind an @, as themes of Hexo have it; all of what is folded."""
    said = [a or b for a, b in _QUOTED.findall(words)] or [words.partition("@")[2].strip()]
    if not any(said) and _FOLDED.fullmatch(name):
        return words.strip(" -()")
    return next((each for each in said if not _NO_TITLE.fullmatch(each)), "")


def _is_alone(mark: re.Match[str]) -> bool:
    """Whether a mark is all that its line holds."""
    before = mark.string[mark.string.rfind("\n", 0, mark.start()) + 1 : mark.start()]
    end = mark.string.find("\n", mark.end())
    return not (before.strip() or mark.string[mark.end() : end if end >= 0 else None].strip())
