"""What stands between two marks of another tool is written as Markdown or HTML has it: code, boxes, captions.

In comes a body as its author wrote it, out goes the same, with as many lines as before or more, so that lines can still
be counted. Jekyll, Octopress and Hexo (Liquid), Hugo, WordPress. Within fenced code everything stays as it is.
"""

import re
from collections import Counter
from html import escape

from ketapress.model.lazy_regex import pattern
from ketapress.posts.dialects.admonitions import KINDS
from ketapress.posts.dialects.unknown_shortcodes import without_marks_around

_FENCED = (  # to the end of the body, where nothing closes it
    r"^[ \t>]*(?P<fence>`{3,}(?![^\n]*`)|~{3,})[^\n]*\n"
    r"(?:[^\n]*\n)*?(?:[ \t>]*(?P=fence)[`~]*[ \t]*$|[^\n]*\Z)"
)
_CODE = pattern(
    rf"{_FENCED}|^(?P<before>[^\n{{]*)(?:\{{%-?[ \t]*(?P<liquid>highlight|codeblock)\b(?P<words>[^%\n]{{0,200}})%\}}"
    r"|\{\{[<%][ \t]*(?:highlight|codeblock|code)\b(?P<go_words>[^\n]{0,200}?)[%>]\}\})(?P<break>[ \t]*\n?)"
    r"(?P<code>(?:(?!\{%-?\s*(?:highlight|codeblock)|\{\{[<%]\s*(?:highlight|codeblock|code)\b).)*?)\n?[ \t]*"
    r"(?:\{%-?\s*end(?:highlight|codeblock)\s*-?%\}|\{\{[<%]\s*/\s*(?:highlight|codeblock|code)\s*[%>]\}\})(?P<after>[^\n]*)$"
    r"|^(?P<indent>[ \t]*)\[(?P<press>sourcecode|code)\b(?P<press_words>[^\]\n]{0,200})\][ \t]*\n?"
    r"(?P<press_code>(?:(?!\[/?(?:source)?code\]).)*?)\n?[ \t]*\[/(?P=press)\][ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_LANGUAGES = {
    "highlight": pattern(r"^\s*\"?([\w+#-]+)"),
    "codeblock": pattern(r"\blang:([\w+#-]+)"),  # Octopress; what comes first is a title
    "press": pattern(r"\b(?:lang|language)=[\"']?([\w+#-]+)"),
}
_RAW = pattern(r"^[ \t]*\{%-?\s*(?:end)?raw\s*-?%\}[ \t]*\n?|\{%-?\s*(?:end)?raw\s*-?%\}", re.MULTILINE)
_QUOTES = frozenset({"blockquote", "centerquote", "cq", "pullquote", "quote"})
_ATTRIBUTIONS = ("author", "by", "source", "title", "link", "url", "cite")
_BOX_NAMES = "|".join(sorted(KINDS | _QUOTES))
_BOX = pattern(
    rf"{_FENCED}|^(?P<indent>[ \t]*)(?:\{{\{{[<%]\s*(?P<go_end>/?)\s*(?P<go>{_BOX_NAMES})\b(?P<go_words>[^\n{{}}]{{0,300}})[%>]\}}\}}"
    rf"|\{{%-?\s*(?P<end>end)?(?P<liquid>{_BOX_NAMES})\b(?P<words>[^\n{{}}]{{0,300}})%\}})[ \t]*$",
    re.MULTILINE,
)
_NAMED = pattern(
    r"\b(type|kind|context|color|style|title|summary)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']+))"
)
_ANY_NAMED = pattern(r"\b([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']+))")
_ICON = pattern(r"\bfa[brs]?[ -]")
_LABEL = pattern(r"\{%-?\s*label\s+(?:\w+\s+)?@\s*([^{}%]*?)\s*-?%\}")  # of themes of Hexo
_ESCAPED = pattern(r"\\\[(/?(?:audio|caption|embed|gallery|playlist|video)\b(?:[^\[\]\n\\]|\\_)*)\\\]")
_QUOTED = pattern(r"\"([^\"]*)\"|'([^']*)'")
_CAPTION = pattern(
    r"\[caption\b[^\]\n]{0,300}\]\s*(?P<picture>(?:<a\b[^<>]*>\s*)?<img\b[^<>]*>(?:\s*</a>)?|(?P<linked>\[)?!\[(?P<alt>[^\]\n]*)\]\((?P<src>[^()\s]*)(?:\s+\"[^\"\n]*\")?\)(?(linked)\]\((?P<href>[^()\s]*)\)))"
    r"(?P<text>(?:(?!\[/?caption).){0,1000}?)\[/caption\]",
    re.DOTALL,
)
_EMBED = pattern(r"\[(embed|youtube|vimeo)\b[^\]\n]{0,200}?\]?\s*(https?://[^\s\[\]<>\"]+)\s*(?:\[/\1\]|\])")


def with_pairs(body: str, *, is_html: bool) -> str:
    """The body with what is known of such pairs in its own format."""
    if "{%" in body or "{{" in body or "code]" in body:
        body = _CODE.sub(lambda found: _code(found, is_html=is_html), body)
    if not is_html and ("{%" in body or "{{" in body):
        if "{% label" in body:
            body = _LABEL.sub(r"\1", body)
        body = without_marks_around(_with_containers(body))
    if "\\[" in body:  # what a converter to Markdown took for text
        body = _ESCAPED.sub(_unescaped, body)
    if "[caption" in body:
        body = _CAPTION.sub(_figure, body)
    if "[embed" in body or "[youtube" in body or "[vimeo" in body:
        body = _EMBED.sub(lambda found: f"<{found[2]}>" if not is_html else _link(found[2]), body)
    return body


def _code(found: re.Match[str], *, is_html: bool) -> str:
    """A block of code in the body's format; where it begins within a line or ends there, code in that line."""
    if found["fence"]:
        return found[0]
    if found["press"]:
        name, words, before, after = "press", found["press_words"], found["indent"], ""
    else:
        name, words = found["liquid"] or "highlight", found["words"] or found["go_words"] or ""
        before, after = found["before"], found["after"]
    written = _RAW.sub("", found["press_code"] or found["code"] or "").rstrip("\n")
    if before.strip() and "\n" not in found["break"] + written:
        return before + _inline_code(written.strip(), is_html=is_html) + after
    language = _LANGUAGES["press"].search(words) or _LANGUAGES[name].search(words)
    indent = before if not before.strip() else ""
    block = _block(language[1] if language else "", written, indent, is_html=is_html)
    opening = "" if indent == before else f"{before.rstrip()}\n\n"
    closing = f"\n\n{after}" if after.strip() else ""
    return opening + block + "\n" * (found[0].count("\n") - block.count("\n")) + closing


def _inline_code(code: str, *, is_html: bool) -> str:
    if is_html:
        return f"<code>{escape(code)}</code>"
    marks = "`" * (max((len(run) for run in re.findall("`+", code)), default=0) + 1)
    return f"{marks} {code} {marks}" if "`" in code else f"`{code}`"


def _block(language: str, code: str, indent: str, *, is_html: bool) -> str:
    if is_html:
        name = f' class="language-{language}"' if language else ""
        return f"<pre><code{name}>{escape(code)}\n</code></pre>"
    fence = "~" * (max((len(run) for run in re.findall("~+", code)), default=0) + 3)
    return f"{indent}{fence}{language}\n{code}\n{indent}{fence}"


def _with_containers(body: str) -> str:
    """The body with the boxes of shortcodes as `::: kind title` and `:::`, which `boxes` reads."""
    ends: Counter[str] = Counter()
    for found in _BOX.finditer(body):
        if not found["fence"]:
            ends[_name(found)] += -1 if found["go_end"] or found["end"] else 1
    unpaired = {name for name, count in ends.items() if count}

    def container(found: re.Match[str]) -> str:
        if found["fence"] or _name(found) in unpaired:
            return found[0]
        if found["go_end"] or found["end"]:
            return f"{found['indent']}:::"
        return (
            f"{found['indent']}::: {_kind_and_title(_name(found), found['go_words'] or found['words'] or '')}"
        )

    return _BOX.sub(container, body) if ends.keys() - unpaired else body


def _name(found: re.Match[str]) -> str:
    name: str = found["go"] or found["liquid"]
    return name


def _kind_and_title(name: str, words: str) -> str:
    """What a shortcode says of its box: `notice tip "Title"`, `alert color="warning" title="…"`, `details Title`."""
    if name in _QUOTES:
        return f"quote {_attribution(words)}".rstrip()
    named = {key: a or b or c for key, a, b, c in _NAMED.findall(words)}
    unnamed = _ANY_NAMED.sub("", words)
    quoted = next((a or b for a, b in _QUOTED.findall(unnamed) if not _ICON.search(a or b)), "")
    plain = _QUOTED.sub("", unnamed).strip(" -").split()
    kinds = [
        *(named[key] for key in ("type", "kind", "context", "style", "color") if key in named),
        quoted,
        *plain[:1],
    ]
    kind = next((each.lower() for each in kinds if each.lower() in KINDS), name)
    title = named.get("title") or named.get("summary") or ("" if quoted.lower() in KINDS else quoted)
    if name == "alert" and title.isalpha() and title.islower():
        title = ""  # the name of an icon
    if not title and name == "details":
        title = " ".join(plain)
    return f"{kind} {title}".rstrip()


def _attribution(words: str) -> str:
    """Whom a quotation names: `author="…" link="…"`, or all its words, as Octopress and Hexo have it."""
    named = {key: a or b or c for key, a, b, c in _ANY_NAMED.findall(words)}
    said = ", ".join(named[key] for key in _ATTRIBUTIONS if named.get(key))
    words = said or words.strip(" -\"'()")
    return "" if words in {"left", "right"} else words


def _figure(found: re.Match[str]) -> str:
    """A picture with its caption; on one line, but for line ends that it had."""
    picture = found["picture"]
    if found["src"] is not None:
        picture = f'<img src="{escape(found["src"])}" alt="{escape(found["alt"])}">'
    if found["href"]:
        picture = f'<a href="{escape(found["href"])}">{picture}</a>'
    text = " ".join(found["text"].split())
    figure = f"<figure>{' '.join(picture.split())}<figcaption>{text}</figcaption></figure>"
    return figure + "\n" * found[0].count("\n")


def _unescaped(mark: re.Match[str]) -> str:
    return f"[{mark[1]}]".replace("\\_", "_")


def _link(address: str) -> str:
    return f'<a href="{escape(address)}">{escape(address)}</a>'
