"""What the marks of other tools mean, where that can be known: code, pictures, addresses, ids, or nothing at all.

In comes one mark as it was written, or a body for its blocks of code; out goes the meaning, or None. Jekyll and Octopress
(Liquid), Hugo, Zola, kramdown and Pandoc. Nothing is looked up: which posts there are, others know.
"""

import re
from html import escape

_ATTRIBUTE = r"(?:[#.][\w:.-]+|[\w-]+=(?:\"[^\"\n]*\"|[\w%.#-]+))"
ATTRIBUTES = rf"\{{{_ATTRIBUTE}(?:[ \t]+{_ATTRIBUTE})*[ \t]*\}}"
"""A block of attributes as Pandoc and Hugo write it, `{#id .class width=100}`, after a picture or at the end of a line."""

POST = "post:"
"""What an address begins with that names a post by its file, with or without ending and folders."""

_CODE_BLOCK = re.compile(
    r"^(?P<indent>[ \t]*)(?:\{%-?[ \t]*(?P<liquid>highlight|codeblock)\b(?P<words>[^%\n]{0,200})%\}"
    r"|\{\{[<%][ \t]*highlight\b(?P<go_words>[^\n]{0,200}?)[%>]\}\})[ \t]*\n?"
    r"(?P<code>(?:(?!\{%-?\s*(?:highlight|codeblock)|\{\{[<%]\s*highlight).)*?)\n?[ \t]*"
    r"(?:\{%-?\s*end(?:highlight|codeblock)\s*-?%\}|\{\{[<%]\s*/\s*highlight\s*[%>]\}\})(?P<after>[^\n]*)$",
    re.DOTALL | re.MULTILINE,
)
_LANGUAGES = {
    "highlight": re.compile(r"^\s*\"?([\w+#-]+)"),
    "codeblock": re.compile(r"\blang:([\w+#-]+)"),  # Octopress; what comes first is a title
}
_RAW = re.compile(r"^[ \t]*\{%-?\s*(?:end)?raw\s*-?%\}[ \t]*\n?|\{%-?\s*(?:end)?raw\s*-?%\}", re.MULTILINE)
_SILENT = re.compile(
    r"\{#|\{:|\{\.|\{[\w-]+=|\{\{-?\s*/\*|\{%-?\s*(?:end)?(?:raw|comment)\s*-?%\}|\[TOC\]"
    r"|\{[{%][<%-]?\s*(?:more|toc)\s*(?:\(\s*\))?\s*-?[>%]?[}%]\}"
)
_SITE = re.compile(
    r"\{\{-?\s*(?:site\.(?:url|baseurl|base_url)|baseurl|base_url|\.Site\.BaseURL)\s*-?\}\}", re.IGNORECASE
)
_QUOTED = re.compile(
    r"\{\{-?\s*(?:[\"'](?P<path>[^\"']*)[\"'](?:\s*\|\s*(?:relative_url|absolute_url|url|prepend:\s*site\.(?:base)?url))*"
    r"|(?:relURL|absURL)\s+[\"'](?P<go>[^\"']*)[\"'])\s*-?\}\}"
)
_POST = re.compile(
    r"\{%-?\s*(?:link|post_url)\s+(?P<liquid>[^%]+?)\s*-?%\}"
    r"|\{\{[<%]\s*(?:rel)?ref\s+[\"'`]?(?P<go>[^\"'`<>%\s]+)[\"'`]?[^<>%]*[>%]\}\}"
)
_PICTURE = re.compile(r"\{(?:%-?|\{[<%])\s*(?P<name>img|figure)\s+(?P<words>.*?)\s*-?[%>]\}{1,2}", re.DOTALL)
_NAMED = re.compile(r"\b(src|alt|caption|title)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']+))")
_WORD = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^\s,\"']+)")
_IS_ADDRESS = re.compile(r"https?://|/|[^\s/]+/.|\S+\.(?:png|jpe?g|gif|webp|svg|avif)$", re.IGNORECASE)
_ID = re.compile(r"[\s{:]#([\w:.-]+)")


def with_code(body: str, *, is_html: bool) -> str:
    """The body with its `{% highlight %}` blocks as code in its own format; as many lines as before, or more."""

    def code(found: re.Match[str]) -> str:
        language = _LANGUAGES[found["liquid"] or "highlight"].search(
            found["words"] or found["go_words"] or ""
        )
        written = _RAW.sub("", found["code"]).rstrip("\n")
        block = (_html_code if is_html else _fenced_code)(
            language[1] if language else "", written, found["indent"]
        )
        after = f"\n\n{found['after']}" if found["after"].strip() else ""
        return block + "\n" * (found[0].count("\n") - block.count("\n")) + after

    return _CODE_BLOCK.sub(code, body)


def is_silent(mark: str) -> bool:
    """Whether a mark means nothing to readers: comments, `{% raw %}`, attributes, a table of contents, `{% more %}`."""
    return bool(_SILENT.match(mark.lstrip()))


def own_id(mark: str) -> str:
    """The id that attributes give to what they stand after; empty where there is none."""
    found = _ID.search(mark[:-1]) if mark.lstrip()[:2] not in {"{{", "{%"} else None
    return found[1] if found else ""


def address(mark: str) -> str | None:
    """What a mark stands for within an address, `post:…` for the page of a post; None where nobody knows."""
    if _SITE.fullmatch(mark):
        return ""
    if post := _POST.fullmatch(mark):
        return POST + (post["liquid"] or post["go"])
    found = _QUOTED.fullmatch(mark)
    if found is None:
        return None
    path = found["path"] if found["path"] is not None else found["go"]
    return path if path.startswith(("/", "http://", "https://")) else f"/{path}"


def picture(mark: str) -> tuple[str, str] | None:
    """The address of the picture that a mark shows, and its description; None where it shows none."""
    found = _PICTURE.fullmatch(mark)
    if not found:
        return None
    named = {name: a or b or c for name, a, b, c in _NAMED.findall(found["words"])}
    if "src" in named:
        return named["src"], next((named[name] for name in ("alt", "caption", "title") if name in named), "")
    words = [a or b or c for a, b, c in _WORD.findall(found["words"])]
    place = next((number for number, word in enumerate(words) if _IS_ADDRESS.match(word)), None)
    if place is None:
        return None
    said = [word for word in words[place + 1 :] if not word.isdigit()]
    return words[place], said[-1] if said else ""


def _fenced_code(language: str, code: str, indent: str) -> str:
    fence = "~" * (max((len(run) for run in re.findall("~+", code)), default=0) + 3)
    return f"{indent}{fence}{language}\n{code}\n{indent}{fence}"


def _html_code(language: str, code: str, _indent: str) -> str:
    name = f' class="language-{language}"' if language else ""
    return f"<pre><code{name}>{escape(code)}\n</code></pre>"
