"""Convert paired shortcodes to Markdown or HTML: code, admonitions, captions, embeds.

Input and output are a body of a post. The shortcodes are those of Liquid (Jekyll, Octopress, Hexo), Hugo and WordPress.
Fenced code is left as it is. No line is removed, so that warnings about what follows name the right line.
"""

import re
from collections import Counter
from html import escape

from ketapress.posts.dialects.admonitions import ADMONITION_KINDS
from ketapress.posts.dialects.arguments import QUOTED_STRING, find_named_arguments, find_quoted_strings
from ketapress.posts.dialects.unknown_shortcodes import remove_unknown_shortcodes

_FENCED_CODE = (  # unclosed fenced code reaches the end of the body
    r"^[ \t>]*(?P<fence>`{3,}(?![^\n]*`)|~{3,})[^\n]*\n"
    r"(?:[^\n]*\n)*?(?:[ \t>]*(?P=fence)[`~]*[ \t]*$|[^\n]*\Z)"
)
_CODE_BLOCK = re.compile(
    rf"{_FENCED_CODE}|^(?P<line_start>[^\n{{]*)(?:\{{%-?[ \t]*(?P<liquid>highlight|codeblock)\b(?P<liquid_arguments>[^%\n]{{0,200}})%\}}"
    r"|\{\{[<%][ \t]*(?:highlight|codeblock|code)\b(?P<hugo_arguments>[^\n]{0,200}?)[%>]\}\})(?P<line_break>[ \t]*\n?)"
    r"(?P<code>(?:(?!\{%-?\s*(?:highlight|codeblock)|\{\{[<%]\s*(?:highlight|codeblock|code)\b).)*?)\n?[ \t]*"
    r"(?:\{%-?\s*end(?:highlight|codeblock)\s*-?%\}|\{\{[<%]\s*/\s*(?:highlight|codeblock|code)\s*[%>]\}\})(?P<line_end>[^\n]*)$"
    r"|^(?P<indent>[ \t]*)\[(?P<wordpress>sourcecode|code)\b(?P<wordpress_arguments>[^\]\n]{0,200})\][ \t]*\n?"
    r"(?P<wordpress_code>(?:(?!\[/?(?:source)?code\]).)*?)\n?[ \t]*\[/(?P=wordpress)\][ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_LANGUAGES = {
    "highlight": re.compile(r"^\s*\"?([\w+#-]+)"),
    "codeblock": re.compile(r"\blang:([\w+#-]+)"),  # of Octopress, after a title
    "wordpress": re.compile(r"\b(?:lang|language)=[\"']?([\w+#-]+)"),
}
_RAW_TAG = re.compile(
    r"^[ \t]*\{%-?\s*(?:end)?raw\s*-?%\}[ \t]*\n?|\{%-?\s*(?:end)?raw\s*-?%\}", re.MULTILINE
)
_QUOTE_NAMES = frozenset({"blockquote", "centerquote", "cq", "pullquote", "quote"})
_ATTRIBUTION_KEYS = ("author", "by", "source", "title", "link", "url", "cite")
_ADMONITION_NAMES = "|".join(sorted(ADMONITION_KINDS | _QUOTE_NAMES))
_ADMONITION = re.compile(
    rf"{_FENCED_CODE}|^(?P<indent>[ \t]*)(?:\{{\{{[<%]\s*(?P<hugo_end>/?)\s*(?P<hugo>{_ADMONITION_NAMES})\b(?P<hugo_arguments>[^\n{{}}]{{0,300}})[%>]\}}\}}"
    rf"|\{{%-?\s*(?P<liquid_end>end)?(?P<liquid>{_ADMONITION_NAMES})\b(?P<liquid_arguments>[^\n{{}}]{{0,300}})%\}})[ \t]*$",
    re.MULTILINE,
)
_KIND_KEYS = ("type", "kind", "context", "style", "color")
_ADMONITION_ARGUMENT = re.compile(
    r"\b(type|kind|context|color|style|title|summary)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']+))"
)
_ARGUMENT = re.compile(r"\b([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']+))")
_ICON = re.compile(r"\bfa[brs]?[ -]")
_LABEL = re.compile(r"\{%-?\s*label\s+(?:\w+\s+)?@\s*([^{}%]*?)\s*-?%\}")  # of Hexo themes
_ESCAPED_SHORTCODE = re.compile(
    r"\\\[(/?(?:audio|caption|embed|gallery|playlist|video)\b(?:[^\[\]\n\\]|\\_)*)\\\]"
)

_CAPTION = re.compile(
    r"\[caption\b[^\]\n]{0,300}\]\s*(?P<image>(?:<a\b[^<>]*>\s*)?<img\b[^<>]*>(?:\s*</a>)?|(?P<link>\[)?!\[(?P<alt>[^\]\n]*)\]\((?P<src>[^()\s]*)(?:\s+\"[^\"\n]*\")?\)(?(link)\]\((?P<href>[^()\s]*)\)))"
    r"(?P<text>(?:(?!\[/?caption).){0,1000}?)\[/caption\]",
    re.DOTALL,
)
_EMBED = re.compile(
    r"\[(embed|youtube|vimeo)\b[^\]\n]{0,200}?\]?\s*(https?://[^\s\[\]<>\"]+)\s*(?:\[/\1\]|\])"
)


def convert_paired_shortcodes(body: str, *, is_html: bool) -> str:
    """Return the body with its paired shortcodes as Markdown, or as HTML if `is_html`."""

    def convert_embed(match: re.Match[str]) -> str:
        url = match[2]
        return f'<a href="{escape(url)}">{escape(url)}</a>' if is_html else f"<{url}>"

    if "{%" in body or "{{" in body or "code]" in body:
        body = _CODE_BLOCK.sub(lambda match: _convert_code(match, is_html=is_html), body)
    if not is_html and ("{%" in body or "{{" in body):
        if "{% label" in body:
            body = _LABEL.sub(r"\1", body)
        body = remove_unknown_shortcodes(_convert_to_containers(body))
    if "\\[" in body:  # escaped by a converter from WordPress to Markdown, which took it for text
        body = _ESCAPED_SHORTCODE.sub(lambda match: f"[{match[1]}]".replace("\\_", "_"), body)
    if "[caption" in body:
        body = _CAPTION.sub(_convert_caption, body)
    if "[embed" in body or "[youtube" in body or "[vimeo" in body:
        body = _EMBED.sub(convert_embed, body)
    return body


def _convert_code(match: re.Match[str], *, is_html: bool) -> str:
    """Return a code block; inline code if the shortcode stands within one line."""
    if match["fence"]:
        return match[0]
    if match["wordpress"]:
        name, arguments, line_start, line_end = "wordpress", match["wordpress_arguments"], match["indent"], ""
    else:
        name, arguments = (
            match["liquid"] or "highlight",
            match["liquid_arguments"] or match["hugo_arguments"] or "",
        )
        line_start, line_end = match["line_start"], match["line_end"]
    code = _RAW_TAG.sub("", match["wordpress_code"] or match["code"] or "").rstrip("\n")
    if line_start.strip() and "\n" not in match["line_break"] + code:
        return line_start + _format_inline_code(code.strip(), is_html=is_html) + line_end
    language = _LANGUAGES["wordpress"].search(arguments) or _LANGUAGES[name].search(arguments)
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
    """Return the body with admonition shortcodes as `::: kind title` and `:::`, which `admonitions` converts."""
    balance: Counter[str] = Counter()
    for match in _ADMONITION.finditer(body):
        if not match["fence"]:
            balance[_shortcode_name(match)] += -1 if match["hugo_end"] or match["liquid_end"] else 1
    unpaired_names = {name for name, count in balance.items() if count}

    def format_container(match: re.Match[str]) -> str:
        if match["fence"] or _shortcode_name(match) in unpaired_names:
            return match[0]
        if match["hugo_end"] or match["liquid_end"]:
            return f"{match['indent']}:::"
        arguments = match["hugo_arguments"] or match["liquid_arguments"] or ""
        return f"{match['indent']}::: {_parse_kind_and_title(_shortcode_name(match), arguments)}"

    return _ADMONITION.sub(format_container, body) if balance.keys() - unpaired_names else body


def _shortcode_name(match: re.Match[str]) -> str:
    name: str = match["hugo"] or match["liquid"]
    return name


def _parse_kind_and_title(name: str, arguments: str) -> str:
    """Return the kind and title in `notice tip "Title"`, `alert color="warning" title="…"`, `details Title`."""
    if name in _QUOTE_NAMES:
        return f"quote {_parse_attribution(arguments)}".rstrip()
    named = dict(find_named_arguments(arguments, _ADMONITION_ARGUMENT))
    positional = _ARGUMENT.sub("", arguments)
    quoted_text = next((text for text in find_quoted_strings(positional) if not _ICON.search(text)), "")
    plain_words = QUOTED_STRING.sub("", positional).strip(" -").split()
    kinds = [*(named[key] for key in _KIND_KEYS if key in named), quoted_text, *plain_words[:1]]
    kind = next((candidate.lower() for candidate in kinds if candidate.lower() in ADMONITION_KINDS), name)
    default_title = "" if quoted_text.lower() in ADMONITION_KINDS else quoted_text
    title = named.get("title") or named.get("summary") or default_title
    if name == "alert" and title.isalpha() and title.islower():
        title = ""  # the name of an icon
    if not title and name == "details":
        title = " ".join(plain_words)
    return f"{kind} {title}".rstrip()


def _parse_attribution(arguments: str) -> str:
    """Return the source of a quote: `author="…" link="…"`, or all arguments, as in Octopress and Hexo."""
    named = dict(find_named_arguments(arguments, _ARGUMENT))
    attribution = ", ".join(named[key] for key in _ATTRIBUTION_KEYS if named.get(key))
    attribution = attribution or arguments.strip(" -\"'()")
    return "" if attribution in {"left", "right"} else attribution


def _convert_caption(match: re.Match[str]) -> str:
    """Return an image with its caption as a `<figure>`, on one line so that Markdown takes it as a block of HTML."""
    image = match["image"]
    if match["src"] is not None:
        image = f'<img src="{escape(match["src"])}" alt="{escape(match["alt"])}">'
    if match["href"]:
        image = f'<a href="{escape(match["href"])}">{image}</a>'
    text = " ".join(match["text"].split())
    figure = f"<figure>{' '.join(image.split())}<figcaption>{text}</figcaption></figure>"
    return figure + "\n" * match[0].count("\n")
