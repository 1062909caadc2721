"""What stands between two marks of another tool is written as Markdown or HTML has it: code, boxes, captions.

In comes a body as its author wrote it, out goes the same, with as many lines as before or more, so that lines can still
be counted. Jekyll, Octopress and Hexo (Liquid), Hugo, WordPress. Within fenced code everything stays as it is.
"""

import re
from collections import Counter
from html import escape

from ketapress.posts.dialects.admonitions import ADMONITION_KINDS
from ketapress.posts.dialects.unknown_shortcodes import remove_unknown_shortcodes

_FENCED_CODE = (  # to the end of the body, where nothing closes it
    r"^[ \t>]*(?P<fence>`{3,}(?![^\n]*`)|~{3,})[^\n]*\n"
    r"(?:[^\n]*\n)*?(?:[ \t>]*(?P=fence)[`~]*[ \t]*$|[^\n]*\Z)"
)
_CODE_BLOCK = re.compile(
    rf"{_FENCED_CODE}|^(?P<before>[^\n{{]*)(?:\{{%-?[ \t]*(?P<liquid>highlight|codeblock)\b(?P<words>[^%\n]{{0,200}})%\}}"
    r"|\{\{[<%][ \t]*(?:highlight|codeblock|code)\b(?P<go_words>[^\n]{0,200}?)[%>]\}\})(?P<break>[ \t]*\n?)"
    r"(?P<code>(?:(?!\{%-?\s*(?:highlight|codeblock)|\{\{[<%]\s*(?:highlight|codeblock|code)\b).)*?)\n?[ \t]*"
    r"(?:\{%-?\s*end(?:highlight|codeblock)\s*-?%\}|\{\{[<%]\s*/\s*(?:highlight|codeblock|code)\s*[%>]\}\})(?P<after>[^\n]*)$"
    r"|^(?P<indent>[ \t]*)\[(?P<press>sourcecode|code)\b(?P<press_words>[^\]\n]{0,200})\][ \t]*\n?"
    r"(?P<press_code>(?:(?!\[/?(?:source)?code\]).)*?)\n?[ \t]*\[/(?P=press)\][ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_LANGUAGES = {
    "highlight": re.compile(r"^\s*\"?([\w+#-]+)"),
    "codeblock": re.compile(r"\blang:([\w+#-]+)"),  # Octopress; what comes first is a title
    "press": re.compile(r"\b(?:lang|language)=[\"']?([\w+#-]+)"),
}
_RAW_TAG = re.compile(
    r"^[ \t]*\{%-?\s*(?:end)?raw\s*-?%\}[ \t]*\n?|\{%-?\s*(?:end)?raw\s*-?%\}", re.MULTILINE
)
_QUOTE_NAMES = frozenset({"blockquote", "centerquote", "cq", "pullquote", "quote"})
_ATTRIBUTION_KEYS = ("author", "by", "source", "title", "link", "url", "cite")
_ADMONITION_NAMES = "|".join(sorted(ADMONITION_KINDS | _QUOTE_NAMES))
_ADMONITION = re.compile(
    rf"{_FENCED_CODE}|^(?P<indent>[ \t]*)(?:\{{\{{[<%]\s*(?P<go_end>/?)\s*(?P<go>{_ADMONITION_NAMES})\b(?P<go_words>[^\n{{}}]{{0,300}})[%>]\}}\}}"
    rf"|\{{%-?\s*(?P<end>end)?(?P<liquid>{_ADMONITION_NAMES})\b(?P<words>[^\n{{}}]{{0,300}})%\}})[ \t]*$",
    re.MULTILINE,
)
_ADMONITION_ARGUMENT = re.compile(
    r"\b(type|kind|context|color|style|title|summary)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']+))"
)
_ARGUMENT = re.compile(r"\b([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']+))")
_ICON = re.compile(r"\bfa[brs]?[ -]")
_LABEL = re.compile(r"\{%-?\s*label\s+(?:\w+\s+)?@\s*([^{}%]*?)\s*-?%\}")  # of themes of Hexo
_ESCAPED_SHORTCODE = re.compile(
    r"\\\[(/?(?:audio|caption|embed|gallery|playlist|video)\b(?:[^\[\]\n\\]|\\_)*)\\\]"
)
_QUOTED_STRING = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_CAPTION = re.compile(
    r"\[caption\b[^\]\n]{0,300}\]\s*(?P<picture>(?:<a\b[^<>]*>\s*)?<img\b[^<>]*>(?:\s*</a>)?|(?P<linked>\[)?!\[(?P<alt>[^\]\n]*)\]\((?P<src>[^()\s]*)(?:\s+\"[^\"\n]*\")?\)(?(linked)\]\((?P<href>[^()\s]*)\)))"
    r"(?P<text>(?:(?!\[/?caption).){0,1000}?)\[/caption\]",
    re.DOTALL,
)
_EMBED = re.compile(
    r"\[(embed|youtube|vimeo)\b[^\]\n]{0,200}?\]?\s*(https?://[^\s\[\]<>\"]+)\s*(?:\[/\1\]|\])"
)


def convert_paired_shortcodes(body: str, *, is_html: bool) -> str:
    """The body with what is known of such pairs in its own format."""
    if "{%" in body or "{{" in body or "code]" in body:
        body = _CODE_BLOCK.sub(lambda found: _convert_code(found, is_html=is_html), body)
    if not is_html and ("{%" in body or "{{" in body):
        if "{% label" in body:
            body = _LABEL.sub(r"\1", body)
        body = remove_unknown_shortcodes(_convert_to_containers(body))
    if "\\[" in body:  # what a converter to Markdown took for text
        body = _ESCAPED_SHORTCODE.sub(_unescape, body)
    if "[caption" in body:
        body = _CAPTION.sub(_convert_caption, body)
    if "[embed" in body or "[youtube" in body or "[vimeo" in body:
        body = _EMBED.sub(lambda found: f"<{found[2]}>" if not is_html else _format_link(found[2]), body)
    return body


def _convert_code(match: re.Match[str], *, is_html: bool) -> str:
    """A block of code in the body's format; where it begins within a line or ends there, code in that line."""
    if match["fence"]:
        return match[0]
    if match["press"]:
        name, arguments, line_start, line_end = "press", match["press_words"], match["indent"], ""
    else:
        name, arguments = match["liquid"] or "highlight", match["words"] or match["go_words"] or ""
        line_start, line_end = match["before"], match["after"]
    code = _RAW_TAG.sub("", match["press_code"] or match["code"] or "").rstrip("\n")
    if line_start.strip() and "\n" not in match["break"] + code:
        return line_start + _format_inline_code(code.strip(), is_html=is_html) + line_end
    language = _LANGUAGES["press"].search(arguments) or _LANGUAGES[name].search(arguments)
    indent = line_start if not line_start.strip() else ""
    block = _format_code_block(language[1] if language else "", code, indent, is_html=is_html)
    prefix = "" if indent == line_start else f"{line_start.rstrip()}\n\n"
    suffix = f"\n\n{line_end}" if line_end.strip() else ""
    return prefix + block + "\n" * (match[0].count("\n") - block.count("\n")) + suffix


def _format_inline_code(code: str, *, is_html: bool) -> str:
    if is_html:
        return f"<code>{escape(code)}</code>"
    backticks = "`" * (max((len(run) for run in re.findall("`+", code)), default=0) + 1)
    return f"{backticks} {code} {backticks}" if "`" in code else f"`{code}`"


def _format_code_block(language: str, code: str, indent: str, *, is_html: bool) -> str:
    if is_html:
        class_attribute = f' class="language-{language}"' if language else ""
        return f"<pre><code{class_attribute}>{escape(code)}\n</code></pre>"
    fence = "~" * (max((len(run) for run in re.findall("~+", code)), default=0) + 3)
    return f"{indent}{fence}{language}\n{code}\n{indent}{fence}"


def _convert_to_containers(body: str) -> str:
    """The body with the boxes of shortcodes as `::: kind title` and `:::`, which `boxes` reads."""
    balance: Counter[str] = Counter()
    for match in _ADMONITION.finditer(body):
        if not match["fence"]:
            balance[_shortcode_name(match)] += -1 if match["go_end"] or match["end"] else 1
    unpaired_names = {name for name, count in balance.items() if count}

    def format_container(match: re.Match[str]) -> str:
        if match["fence"] or _shortcode_name(match) in unpaired_names:
            return match[0]
        if match["go_end"] or match["end"]:
            return f"{match['indent']}:::"
        return f"{match['indent']}::: {_parse_kind_and_title(_shortcode_name(match), match['go_words'] or match['words'] or '')}"

    return _ADMONITION.sub(format_container, body) if balance.keys() - unpaired_names else body


def _shortcode_name(match: re.Match[str]) -> str:
    name: str = match["go"] or match["liquid"]
    return name


def _parse_kind_and_title(name: str, arguments: str) -> str:
    """What a shortcode says of its box: `notice tip "Title"`, `alert color="warning" title="…"`, `details Title`."""
    if name in _QUOTE_NAMES:
        return f"quote {_parse_attribution(arguments)}".rstrip()
    named_arguments = {
        key: double or single or unquoted
        for key, double, single, unquoted in _ADMONITION_ARGUMENT.findall(arguments)
    }
    positional_arguments = _ARGUMENT.sub("", arguments)
    quoted_text = next(
        (
            double or single
            for double, single in _QUOTED_STRING.findall(positional_arguments)
            if not _ICON.search(double or single)
        ),
        "",
    )
    plain_words = _QUOTED_STRING.sub("", positional_arguments).strip(" -").split()
    kinds = [
        *(
            named_arguments[key]
            for key in ("type", "kind", "context", "style", "color")
            if key in named_arguments
        ),
        quoted_text,
        *plain_words[:1],
    ]
    kind = next((candidate.lower() for candidate in kinds if candidate.lower() in ADMONITION_KINDS), name)
    title = (
        named_arguments.get("title")
        or named_arguments.get("summary")
        or ("" if quoted_text.lower() in ADMONITION_KINDS else quoted_text)
    )
    if name == "alert" and title.isalpha() and title.islower():
        title = ""  # the name of an icon
    if not title and name == "details":
        title = " ".join(plain_words)
    return f"{kind} {title}".rstrip()


def _parse_attribution(arguments: str) -> str:
    """Whom a quotation names: `author="…" link="…"`, or all its words, as Octopress and Hexo have it."""
    named_arguments = {
        key: double or single or unquoted for key, double, single, unquoted in _ARGUMENT.findall(arguments)
    }
    attribution = ", ".join(named_arguments[key] for key in _ATTRIBUTION_KEYS if named_arguments.get(key))
    arguments = attribution or arguments.strip(" -\"'()")
    return "" if arguments in {"left", "right"} else arguments


def _convert_caption(match: re.Match[str]) -> str:
    """A picture with its caption; on one line, but for line ends that it had."""
    image = match["picture"]
    if match["src"] is not None:
        image = f'<img src="{escape(match["src"])}" alt="{escape(match["alt"])}">'
    if match["href"]:
        image = f'<a href="{escape(match["href"])}">{image}</a>'
    text = " ".join(match["text"].split())
    figure = f"<figure>{' '.join(image.split())}<figcaption>{text}</figcaption></figure>"
    return figure + "\n" * match[0].count("\n")


def _unescape(match: re.Match[str]) -> str:
    return f"[{match[1]}]".replace("\\_", "_")


def _format_link(url: str) -> str:
    return f'<a href="{escape(url)}">{escape(url)}</a>'
