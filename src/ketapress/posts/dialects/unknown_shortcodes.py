"""Remove unknown paired shortcodes; keep their content, which was written for readers.

Input and output are a body of a post, line for line. The shortcodes are those of Hugo themes, Hexo, Liquid, Nunjucks and
Zola (`{% name() %}` … `{% end %}`). A title in the start tag is shown in bold, one with a URL becomes a link, a diagram
becomes code. Control tags (`{% for %}`, `{% if %}`) are left as they are.
"""

import re
from html import escape

from ketapress.posts.dialects.arguments import find_named_arguments, find_quoted_strings

_TAG = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}(?![^\n]*`)|~{3,})[^\n]*\n(?:[^\n]*\n)*?(?:[ \t>]*(?P=fence)[`~]*[ \t]*$|[^\n]*\Z)"
    r"|(?P<code>`[^`\n]+`)"
    r"|\{\{[<%]\s*(?P<hugo_end>/?)\s*(?P<hugo>[A-Za-z][\w/-]*)(?P<hugo_arguments>(?:[^{}]|\{(?!\{)){0,500}?)[>%]\}\}"
    r"|\{%-?\s*(?P<liquid_end>end(?:_?(?=\w))?)?(?P<liquid>[A-Za-z]\w*|(?=\s*-?%))(?P<liquid_arguments>[^{}%]{0,500})-?%\}",
    re.MULTILINE,
)
_CONTROL_TAGS = frozenset(
    {
        *("assign", "block", "call", "capture", "case", "comment", "cycle", "filter", "for", "form", "if"),
        *("ifchanged", "macro", "paginate", "raw", "render", "renderTemplate", "set", "setAsync", "tablerow"),
        *("unless", "with"),
    }
)
_DIAGRAM_LANGUAGES = frozenset(
    {"chart", "echarts", "flow", "graphviz", "markmap", "mermaid", "plantuml", "wavedrom"}
)
_ARGUMENT = re.compile(r"\b([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,\"']+))")

_TITLE_KEYS = ("title", "summary", "header", "label", "name", "tabname", "author")
_DISCLOSURE_NAME = re.compile(r".*(?:accordion|collaps|details|expand|fold|spoiler|toggle).*", re.IGNORECASE)
_MAX_OPEN_TAGS = 50  # start tags that an end tag is compared with; a limit against quadratic time
_URL_KEYS = ("href", "url", "link", "to")
_NOT_A_TITLE = re.compile(  # a keyword, an icon, a URL, a file
    r"\W*|[a-z]+|.*\bfa[brs]?[ -].*|https?://.*|.*\.\w{2,4}"
)


def remove_unknown_shortcodes(body: str) -> str:
    """Return the body without the tags of unknown paired shortcodes."""
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
    """Return the indexes of the start tag and the end tag of each pair."""
    open_indexes: list[int] = []
    pairs = []
    for index, tag in enumerate(tags):
        if tag["fence"] or tag["code"]:
            continue
        if not (tag["hugo_end"] or tag["liquid_end"]):
            open_indexes.append(index)
            continue
        for depth, start_index in enumerate(reversed(open_indexes[-_MAX_OPEN_TAGS:]), 1):
            start_tag = tags[start_index]
            if _is_pair(start_tag, tag):
                del open_indexes[-depth:]
                if start_tag["liquid"] not in _CONTROL_TAGS:
                    pairs.append((start_index, index))
                break
    return pairs


def _is_pair(start_tag: re.Match[str], end_tag: re.Match[str]) -> bool:
    """Whether an end tag closes a start tag. Zola's `{% end %}` closes any call, `{% name() %}`."""
    if not (end_tag["hugo"] or end_tag["liquid"]):
        return bool(start_tag["liquid"]) and start_tag["liquid_arguments"].startswith("(")
    return start_tag.group("hugo", "liquid") == end_tag.group("hugo", "liquid")


def _build_replacements(start_tag: re.Match[str], end_tag: re.Match[str]) -> tuple[str, str]:
    """Return what replaces the start tag and the end tag."""
    name = start_tag["hugo"] or start_tag["liquid"]
    arguments = start_tag["hugo_arguments"] or start_tag["liquid_arguments"] or ""
    if name in _DIAGRAM_LANGUAGES and _is_alone_on_line(start_tag) and _is_alone_on_line(end_tag):
        return f"~~~{name}", "~~~"
    named = {key.lower(): value for key, value in find_named_arguments(arguments, _ARGUMENT)}
    if url := next((named[key] for key in _URL_KEYS if named.get(key)), ""):
        return f'<a href="{escape(url)}">', "</a>"
    title = next((named[key] for key in _TITLE_KEYS if named.get(key)), "")
    title = (title or _parse_title(name, _ARGUMENT.sub("", arguments))).replace("**", "")
    if not title:
        return "", ""
    line_break = (
        "  " if _is_alone_on_line(start_tag) else " "
    )  # two spaces at the end of a line are a hard break
    return f"**{title}**{line_break}", ""


def _parse_title(name: str, arguments: str) -> str:
    """Return the title among positional arguments: in quotes, after an @ (Hexo themes), or all of those of a disclosure."""
    candidates = find_quoted_strings(arguments) or [arguments.partition("@")[2].strip()]
    if not any(candidates) and _DISCLOSURE_NAME.fullmatch(name):
        return arguments.strip(" -()")
    return next((candidate for candidate in candidates if not _NOT_A_TITLE.fullmatch(candidate)), "")


def _is_alone_on_line(tag: re.Match[str]) -> bool:
    """Whether a tag is the only text on its line."""
    text_before = tag.string[tag.string.rfind("\n", 0, tag.start()) + 1 : tag.start()]
    end = tag.string.find("\n", tag.end())
    return not (text_before.strip() or tag.string[tag.end() : end if end >= 0 else None].strip())
