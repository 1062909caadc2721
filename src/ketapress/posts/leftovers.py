"""Template marks that a post brought from another tool: Liquid, Nunjucks, Go templates, kramdown, shortcodes.

Nothing here runs a template. In comes a body, out go the same body with each mark replaced by a token that Markdown
and HTML carry through untouched, and the marks. What can be known is used: `{{ site.url }}/x` in a link is an
address, `{% highlight %}` is a block of code. The rest is shown as it was written, or drops the address it stands in,
and is reported either way; inside code it is just code.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape

from ketapress.model.errors import Problem, Severity

_OPEN, _CLOSE = "\U0010ff00", "\U0010ff01"  # private use: no font and no language has them
_TOKEN = re.compile(rf"{_OPEN}(\d{{1,6}}){_CLOSE}")
_TOKEN_AFTER_LINE = re.compile(rf"(\n?){_TOKEN.pattern}")
_PARAGRAPH_OF_TOKENS = re.compile(rf"<p>(?:\s*{_TOKEN.pattern})+\s*</p>\n?")
_ENCODED_TOKEN = re.compile(r"%F4%8F%BC%80(\d{1,6})%F4%8F%BC%81")
# At most 500 characters and no other mark inside: anything else is an unclosed brace, and must not be looked far for
_INSIDE = r"(?:(?!\{[{%#]).){0,500}?"
_MARK = re.compile(
    rf"\{{\{{{_INSIDE}\}}\}}|\{{%{_INSIDE}%\}}|\{{#{_INSIDE}#\}}|(?<![\w$])\{{:[^{{}}\n]*\}}", re.DOTALL
)
_SILENT = re.compile(r"\{#|\{:|\{\{-?\s*/\*|\{%-?\s*(?:end)?raw\s*-?%\}|\{%-?\s*(?:end)?comment\s*-?%\}")
_CODE_BLOCK = re.compile(
    r"^[ \t]*(?:\{%-?\s*highlight\s+(?P<liquid>[\w+#-]+)[^%\n]{0,200}%\}|\{\{[<%]\s*highlight\s+\"?(?P<go>[\w+#-]+)\"?[^\n]{0,200}?[%>]\}\})[ \t]*\n?"
    r"(?P<code>(?:(?!\{%-?\s*highlight|\{\{[<%]\s*highlight).)*?)\n?[ \t]*(?:\{%-?\s*endhighlight\s*-?%\}|\{\{[<%]\s*/\s*highlight\s*[%>]\}\})[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_SITE = re.compile(
    r"\{\{-?\s*(?:site\.(?:url|baseurl|base_url)|baseurl|base_url|\.Site\.BaseURL)\s*-?\}\}", re.IGNORECASE
)
_QUOTED = re.compile(
    r"\{\{-?\s*(?:[\"'](?P<path>[^\"']*)[\"']\s*\|\s*(?:relative_url|absolute_url|url|prepend:\s*site\.(?:base)?url)"
    r"|(?:relURL|absURL)\s+[\"'](?P<go>[^\"']*)[\"'])\s*-?\}\}"
)
_CODE = re.compile(r"<(pre|code)[ >].*?</\1>", re.DOTALL)
_NAMED_AT_MOST = 3  # marks in one warning


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: as it was written, on which line, and what it means within an address (None: nobody knows)."""

    written: str
    line: int
    address: str | None

    @property
    def silent(self) -> bool:
        """Whether it means nothing to readers, and is left out: comments, `{% raw %}`, kramdown's attributes."""
        return bool(_SILENT.match(self.written))


def with_tokens(body: str, line: int, *, is_html: bool) -> tuple[str, tuple[Mark, ...]]:
    """The body with a token for each mark, and the marks; `line` is the body's first line."""
    if "{" not in body or _OPEN in body:
        return body, ()
    body = _CODE_BLOCK.sub(_html_code if is_html else _fenced_code, body)
    marks: list[Mark] = []
    pieces = []
    position = 0
    for found in _MARK.finditer(body):
        line += body.count("\n", position, found.start())
        written = unescape(found[0]) if is_html else found[0]
        pieces += [body[position : found.start()], f"{_OPEN}{len(marks)}{_CLOSE}"]
        marks.append(Mark(written, line, _address(written)))
        line += found[0].count("\n")
        position = found.end()
    return "".join([*pieces, body[position:]]), tuple(marks)


def resolved(address: str, marks: Sequence[Mark]) -> str | None:
    """An address with its tokens replaced by what they mean; None where one of them means nothing."""
    meanings: list[str | None] = []

    def meaning(token: re.Match[str]) -> str:
        number = int(token[1])
        meanings.append(marks[number].address if number < len(marks) else None)
        return meanings[-1] or ""

    address = _TOKEN.sub(meaning, _ENCODED_TOKEN.sub(meaning, address))
    return None if None in meanings else address


def without_tokens(html: str, marks: Sequence[Mark]) -> str:
    """Clean HTML with the marks shown as they were written, except those that readers do not need."""
    pieces = []
    position = 0
    for code in _CODE.finditer(html):
        pieces += [
            _shown(html[position : code.start()], marks, in_code=False),
            _shown(code[0], marks, in_code=True),
        ]
        position = code.end()
    return "".join([*pieces, _shown(html[position:], marks, in_code=False)]).strip()


def reported(html: str, marks: Sequence[Mark], path: str) -> tuple[Problem, ...]:
    """A warning that names the marks which readers see, or whose address was dropped. `html` still holds the tokens."""
    outside = {int(number) for number in _TOKEN.findall(_CODE.sub("", html))}
    anywhere = {int(number) for number in _TOKEN.findall(html)}
    left = [
        mark
        for number, mark in enumerate(marks)
        if not mark.silent and (number in outside or (number not in anywhere and mark.address is None))
    ]
    if not left:
        return ()
    some = ", ".join(
        f"`{' '.join(mark.written.split())[:60]}` (line {mark.line})" for mark in left[:_NAMED_AT_MOST]
    )
    more = f" and {len(left) - _NAMED_AT_MOST} more" if len(left) > _NAMED_AT_MOST else ""
    return (
        Problem(
            code="post.template",
            severity=Severity.WARNING,
            message=f"Ketapress runs no templates in posts, so readers see these as text: {some}{more}.",
            cure="Write what they stand for, or put them in code if they are meant to be seen.",
            path=f"posts/{path}",
            line=left[0].line,
        ),
    )


def _address(mark: str) -> str | None:
    if _SITE.fullmatch(mark):
        return ""
    found = _QUOTED.fullmatch(mark)
    if found is None:
        return None
    path = found["path"] if found["path"] is not None else found["go"]
    return path if path.startswith(("/", "http://", "https://")) else f"/{path}"


def _shown(html: str, marks: Sequence[Mark], *, in_code: bool) -> str:
    """The tokens as what readers see of their marks; silent ones go, with their line end or a paragraph of their own."""

    def is_silent(number: str) -> bool:
        return int(number) >= len(marks) or (marks[int(number)].silent and not in_code)

    def paragraph(found: re.Match[str]) -> str:
        return "" if all(map(is_silent, _TOKEN.findall(found[0]))) else found[0]

    def token(found: re.Match[str]) -> str:
        return "" if is_silent(found[2]) else found[1] + escape(marks[int(found[2])].written)

    return _TOKEN_AFTER_LINE.sub(token, _PARAGRAPH_OF_TOKENS.sub(paragraph, html))


def _fenced_code(found: re.Match[str]) -> str:
    fence = "~" * (max((len(run) for run in re.findall("~+", found["code"])), default=0) + 3)
    return f"{fence}{found['liquid'] or found['go']}\n{found['code']}\n{fence}"


def _html_code(found: re.Match[str]) -> str:
    return (
        f'<pre><code class="language-{found["liquid"] or found["go"]}">{escape(found["code"])}\n</code></pre>'
    )
