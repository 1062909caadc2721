"""Marks in pairs that nobody knows by name go, and what stands between them stays: it was written for readers.

In comes a body as its author wrote it, out goes the same without the marks, line for line. Shortcodes of Hugo's themes,
tags of Hexo, Liquid and Nunjucks, Zola's `{% name() %}` … `{% end %}`. A title that the first of them gives is shown
in bold; what leads somewhere is a link; drawings are code. Programs (`{% for %}`, `{% if %}`) are none of these.
"""

import re
from html import escape

_TAG = re.compile(
    r"(?P<fence>^[ \t>]*(?P<mark>`{3,}(?![^\n]*`)|~{3,})[^\n]*\n(?:[^\n]*\n)*?(?:[ \t>]*(?P=mark)[`~]*[ \t]*$|[^\n]*\Z))"
    r"|(?P<code>`[^`\n]+`)"
    r"|\{\{[<%]\s*(?P<go_end>/?)\s*(?P<go>[A-Za-z][\w/-]*)(?P<go_words>(?:[^{}]|\{(?!\{)){0,500}?)[>%]\}\}"
    r"|\{%-?\s*(?P<end>end(?:_?(?=\w))?)?(?P<liquid>[A-Za-z]\w*|(?=\s*-?%))(?P<words>[^{}%]{0,500})-?%\}",
    re.MULTILINE,
)
_CONTROL_TAGS = frozenset(
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
_DIAGRAM_LANGUAGES = frozenset(
    {"chart", "echarts", "flow", "graphviz", "markmap", "mermaid", "plantuml", "wavedrom"}
)
_ARGUMENT = re.compile(r"\b([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,\"']+))")
_QUOTED_STRING = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_TITLE_KEYS = ("title", "summary", "header", "label", "name", "tabname", "author")
_DISCLOSURE_NAME = re.compile(r".*(?:accordion|collaps|details|expand|fold|spoiler|toggle).*", re.IGNORECASE)
_MAX_OPEN_TAGS = 50  # marks that are looked at for the one that is closed
_URL_KEYS = ("href", "url", "link", "to")
_NOT_A_TITLE = re.compile(
    r"\W*|[a-z]+|.*\bfa[brs]?[ -].*|https?://.*|.*\.\w{2,4}"
)  # numbers, icons, colours, files


def remove_unknown_shortcodes(body: str) -> str:
    """The body, and of each pair of marks what stands between them."""
    tags = list(_TAG.finditer(body))
    pairs = dict(_find_pairs(tags))
    if not pairs:
        return body
    replacements = {
        end_index: _build_replacements(tags[start_index], tags[end_index])
        for start_index, end_index in pairs.items()
    }
    pieces, position = [], 0
    for index, tag in enumerate(tags):
        if index in pairs:
            replacement = replacements[pairs[index]][0]
        elif index in replacements:
            replacement = replacements[index][1]
        else:
            continue
        pieces += [
            body[position : tag.start()],
            replacement + "\n" * (tag[0].count("\n") - replacement.count("\n")),
        ]
        position = tag.end()
    return "".join([*pieces, body[position:]])


def _find_pairs(tags: list[re.Match[str]]) -> list[tuple[int, int]]:
    """The numbers of the marks that open something, each with that of the mark which closes it."""
    open_tags: list[tuple[str, int]] = []
    pairs = []
    for index, tag in enumerate(tags):
        if tag["fence"] or tag["code"]:
            continue
        name = tag["go"] or tag["liquid"]
        if not (tag["go_end"] or tag["end"]):
            open_tags.append((f"<{name}" if tag["go"] else name, index))
            continue
        tag_key = f"<{name}" if tag["go"] else name
        open_index = next(
            (
                open_index
                for open_index in range(len(open_tags) - 1, max(len(open_tags) - _MAX_OPEN_TAGS, 0) - 1, -1)
                if _is_matching_end(tag_key, tags[open_tags[open_index][1]])
            ),
            -1,
        )
        if open_index >= 0:
            start_key, start_index = open_tags[open_index]
            del open_tags[open_index:]
            if start_key not in _CONTROL_TAGS:
                pairs.append((start_index, index))
    return pairs


def _is_matching_end(name: str, start_tag: re.Match[str]) -> bool:
    """Whether a mark of that name closes the one that was opened; Zola's has no name."""
    if not name:
        return bool(start_tag["liquid"]) and start_tag["words"].startswith("(")
    return name == (f"<{start_tag['go']}" if start_tag["go"] else start_tag["liquid"])


def _build_replacements(start_tag: re.Match[str], end_tag: re.Match[str]) -> tuple[str, str]:
    """What stands in the place of both marks."""
    name = start_tag["go"] or start_tag["liquid"]
    arguments = start_tag["go_words"] or start_tag["words"] or ""
    if name in _DIAGRAM_LANGUAGES and _is_alone_on_line(start_tag) and _is_alone_on_line(end_tag):
        return f"~~~{name}", "~~~"
    named_arguments = {
        key.lower(): double or single or unquoted
        for key, double, single, unquoted in _ARGUMENT.findall(arguments)
    }
    if url := next((named_arguments[key] for key in _URL_KEYS if named_arguments.get(key)), ""):
        return f'<a href="{escape(url)}">', "</a>"
    title = next(
        (named_arguments[key] for key in _TITLE_KEYS if named_arguments.get(key)), ""
    ) or _parse_title(name, _ARGUMENT.sub("", arguments))
    title = title.replace("**", "")
    return (f"**{title}**{'  ' if _is_alone_on_line(start_tag) else ' '}" if title else ""), ""


def _parse_title(name: str, arguments: str) -> str:
    """A title among words that have no names: in quotes, or behind an @, as themes of Hexo have it; all of what is folded."""
    candidates = [double or single for double, single in _QUOTED_STRING.findall(arguments)] or [
        arguments.partition("@")[2].strip()
    ]
    if not any(candidates) and _DISCLOSURE_NAME.fullmatch(name):
        return arguments.strip(" -()")
    return next((candidate for candidate in candidates if not _NOT_A_TITLE.fullmatch(candidate)), "")


def _is_alone_on_line(tag: re.Match[str]) -> bool:
    """Whether a mark is all that its line holds."""
    text_before = tag.string[tag.string.rfind("\n", 0, tag.start()) + 1 : tag.start()]
    end = tag.string.find("\n", tag.end())
    return not (text_before.strip() or tag.string[tag.end() : end if end >= 0 else None].strip())
