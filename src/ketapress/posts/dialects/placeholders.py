"""Template marks that a post brought from another tool: Liquid, Nunjucks, Go templates, kramdown, shortcodes.

Nothing here runs a template. In comes a body, out go the same body with each mark replaced by a token that Markdown
and HTML carry through untouched, and the marks. What can be known is used: `{{ site.url }}/x` in a link is an
address, `[[a note]]` a link (`shortcodes` says what means what, `pairs` what stands between two of them). The rest is
shown as it was written, or drops the address it stands in, and is reported either way; inside code it is just code.
"""

import re
from collections.abc import Sequence
from html import escape, unescape
from typing import NamedTuple

from ketapress.model.errors import Problem, Severity
from ketapress.model.lazy_regex import pattern
from ketapress.posts.dialects.paired_shortcodes import with_pairs
from ketapress.posts.dialects.shortcodes import ATTRIBUTES, address, caption, is_silent, link, own_id, picture
from ketapress.posts.text.excerpt import legal
from ketapress.posts.text.strip_markdown import plain_text

_OPEN, _CLOSE = "\U0010ff00", "\U0010ff01"  # private use: no font and no language has them
_TOKEN = pattern(rf"{_OPEN}(\d{{1,6}}){_CLOSE}")
_TOKEN_AFTER_LINE = pattern(rf"(\n?){_TOKEN.pattern}")
_PARAGRAPH_OF_TOKENS = pattern(rf"<p>(?:\s*{_TOKEN.pattern})+\s*</p>\n?")
_ALONE = pattern(rf"<p>{_TOKEN.pattern}</p>")
_ROW_OF_TOKEN = pattern(  # attributes below a table
    rf"<tr>\n<t[dh][^>]*>{_TOKEN.pattern}</t[dh]>\n(?:<t[dh][^>]*></t[dh]>\n)*</tr>\n"
)
_ENCODED_TOKEN = pattern(r"%F4%8F%BC%80(\d{1,6})%F4%8F%BC%81")
# At most 500 characters and no other mark inside: anything else is an unclosed brace, and must not be looked far for
_INSIDE = r"(?:(?!\{[{%#]).){0,500}?"
_END_OF_ID = r"[\w:.-]+(?:[ \t][^{}\n]*)?\}"  # then it is no comment but an id: `{#id}`
_COMMENT = (  # with all that it hides
    r"\{%-?\s*comment\s*-?%\}(?:(?!\{%-?\s*comment).){0,5000}?\{%-?\s*endcomment\s*-?%\}"
    r"|\{::comment\}(?:(?!\{::).){0,5000}?\{:/(?:comment)?\}"
)
# Not `[[1]](https://…)`, `[[ -f x ]]`, or `[[1]]` with `[1]: …` below
_WIKI = r"(?<![\[\\])!?\[\[(?![\s\[^]|\d{1,3}\]\])[^\[\]\n]{1,200}\]\](?![(\[:])|\[\[![^\]]{1,500}\]\]"
_PRESS = (  # of WordPress
    r"(?<!\\)\[/?(?:audio|caption|contact-form(?:-7)?|embed|gallery|gravityform|playlist|polldaddy|video|vc_\w+|et_pb_\w+)"
    r"(?:\s[^\[\]\n]{0,300})?\](?!\(|\[(?!/)|:)"
)
_TELLING = pattern(  # what begins with a bracket; it is looked for at brackets only, and that takes a microsecond
    r"\[(?:\[|TOC\]|/|(?:source)?code\b|audio|caption|contact-form|embed|et_pb_|gallery|gravityform|playlist|polldaddy|video|vc_"
    r"|vimeo|youtube)"
)
_HIDDEN = (  # comments of Obsidian, and what an abbreviation means
    r"(?<![%\w])%%(?![%\s\d])[^%\n]{1,300}%%(?![%\w])|^%%[ \t]*\n.{0,5000}?\n%%[ \t]*$|^\*\[[^\[\]\n]{1,50}\]:[ \t][^\n]*$"
)
_MARK = pattern(
    rf"{_COMMENT}|{_HIDDEN}|\{{\{{{_INSIDE}\}}\}}|\{{%{_INSIDE}%\}}|\{{#(?!{_END_OF_ID}){_INSIDE}#\}}|(?<![\w$])\{{:[^{{}}\n]*\}}"
    r"|^(?:[*+-]|\d\.)[ \t][^\n]{1,80}\n\{:[ \t]*(?:[.#][\w-]+[ \t]+)*toc\b[^}\n]*\}[ \t]*$"
    rf"|(?:(?<=[\n)\]])|(?<![ \t])(?<!:::)[ \t]{{1,9}}){ATTRIBUTES}(?=[ \t]*$)|(?<=[)}}]){ATTRIBUTES}|^\[TOC\](?=[ \t]*$)|{_WIKI}|{_PRESS}",
    re.DOTALL | re.MULTILINE,
)
_NAMED_HEADING = pattern(  # by attributes at its end, or on the line below
    rf"<h([1-6])>((?:(?!</?h[1-6]).)*?)(?:{_TOKEN.pattern}[ \t\n]*</h\1>|</h\1>\n<p>{_TOKEN.pattern}</p>)",
    re.DOTALL,
)
_CODE = pattern(r"<(pre|code)[ >].*?</\1>", re.DOTALL)
_KEPT_FROM_MEANING = pattern(r"\{\{([<%])/\*(.*)\*/([>%])\}\}", re.DOTALL)
_NAMED_AT_MOST = 3  # marks in one warning


class Mark(NamedTuple):
    """One mark: as it was written, on which line, and what it means within an address (None: nobody knows)."""

    written: str
    line: int
    address: str | None

    @property
    def silent(self) -> bool:
        """Whether it means nothing to readers where it stands, and is left out."""
        return is_silent(self.written) or bool(picture(self.written) or link(self.written))

    @property
    def shown(self) -> str:
        """What readers see of it; Hugo takes away the signs that keep a mark from being one."""
        found = _KEPT_FROM_MEANING.fullmatch(self.written)
        return f"{{{{{''.join(found.groups())}}}}}" if found else self.written


def with_tokens(body: str, line: int, *, is_html: bool) -> tuple[str, tuple[Mark, ...]]:
    """The body with a token for each mark, and the marks; `line` is the body's first line."""
    telling = "{" in body or "%%" in body or "*[" in body or _TELLING.search(body)
    if not telling or _OPEN in body:
        return body, ()
    body = with_pairs(body, is_html=is_html)
    marks: list[Mark] = []
    pieces = []
    position = 0
    for found in _MARK.finditer(body):
        if is_html and found[0].endswith("]]"):
            continue
        line += body.count("\n", position, found.start())
        written = legal(unescape(found[0]) if is_html else found[0])
        pieces += [body[position : found.start()], f"{_OPEN}{len(marks)}{_CLOSE}"]
        marks.append(Mark(written, line, address(written)))
        line += found[0].count("\n")
        position = found.end()
    return "".join([*pieces, body[position:]]), tuple(marks)


def filled(html: str, marks: Sequence[Mark]) -> str:
    """HTML as it came from its author, with the pictures and links that marks stand for, and the ids that they give to headings."""
    if not marks:
        return html
    pieces = []
    position = 0
    for code in [*_CODE.finditer(html), None]:
        end = code.start() if code else len(html)
        named = _NAMED_HEADING.sub(lambda heading: _with_id(heading, marks), html[position:end])
        named = _ALONE.sub(lambda token: _figure(token, marks), named)
        pieces += [_TOKEN.sub(lambda token: _filled(token, marks), named), code[0] if code else ""]
        position = code.end() if code else end
    return "".join(pieces)


def _with_id(heading: re.Match[str], marks: Sequence[Mark]) -> str:
    name = own_id(marks[int(heading[3] or heading[4])].written)
    return f'<h{heading[1]} id="{escape(name)}">{heading[2].rstrip()}</h{heading[1]}>' if name else heading[0]


def _figure(alone: re.Match[str], marks: Sequence[Mark]) -> str:
    """A picture with what stands below it, where a paragraph holds nothing else."""
    written = marks[int(alone[1])].written
    shown, below = picture(written), caption(written)
    if not shown or not below:
        return alone[0]
    below = plain_text(below)
    alt = "" if plain_text(shown[1]) == below else plain_text(shown[1])
    image = f'<img src="{escape(shown[0])}" alt="{escape(alt)}">'
    return f"<figure>{image}<figcaption>{escape(below)}</figcaption></figure>"


def _filled(token: re.Match[str], marks: Sequence[Mark]) -> str:
    """The picture or the link that a token stands for; the token, where it is neither."""
    written = marks[int(token[1])].written
    if shown := picture(written):
        return f'<img src="{escape(shown[0])}" alt="{escape(plain_text(shown[1]))}">'
    if led := link(written):
        return f'<a href="{escape(led[0]) or token[0]}">{escape(led[1])}</a>'
    return token[0]


def resolved(address: str, marks: Sequence[Mark]) -> str | None:
    """An address with its tokens replaced by what they mean; None where one of them means nothing."""
    meanings: list[str | None] = []

    def meaning(token: re.Match[str]) -> str:
        number = int(token[1])
        meanings.append(marks[number].address if number < len(marks) else None)
        return meanings[-1] or ""

    address = _TOKEN.sub(meaning, _ENCODED_TOKEN.sub(meaning, address))
    return None if None in meanings else address


def as_written(address: str, marks: Sequence[Mark]) -> str:
    """An address with the marks in it as its author wrote them."""
    return _TOKEN.sub(
        lambda token: marks[int(token[1])].written, _ENCODED_TOKEN.sub(rf"{_OPEN}\1{_CLOSE}", address)
    )


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
    loud = [
        (number, mark) for number, mark in enumerate(marks) if not mark.silent and mark.shown == mark.written
    ]
    seen = [mark for number, mark in loud if number in outside]
    lost = [mark for number, mark in loud if number not in anywhere and mark.address is None]
    return tuple(
        Problem(
            code="post.template",
            severity=Severity.WARNING,
            message=f"Ketapress runs no templates in posts, so {consequence}: {_named(left)}.",
            cure="Write what they stand for, or put them in code if they are meant to be seen.",
            path=f"posts/{path}",
            line=left[0].line,
        )
        for left, consequence in (
            (seen, "readers see these as text"),
            (lost, "these lead nowhere, and their links and pictures are left out"),
        )
        if left
    )


def _named(marks: Sequence[Mark]) -> str:
    some = ", ".join(
        f"`{' '.join(mark.written.split())[:60]}` (line {mark.line})" for mark in marks[:_NAMED_AT_MOST]
    )
    return some + (f" and {len(marks) - _NAMED_AT_MOST} more" if len(marks) > _NAMED_AT_MOST else "")


def _shown(html: str, marks: Sequence[Mark], *, in_code: bool) -> str:
    """The tokens as what readers see of their marks; silent ones go, with their line end or a paragraph of their own."""

    def is_silent(number: str) -> bool:
        return int(number) >= len(marks) or (marks[int(number)].silent and not in_code)

    def paragraph(found: re.Match[str]) -> str:
        return "" if all(map(is_silent, _TOKEN.findall(found[0]))) else found[0]

    def token(found: re.Match[str]) -> str:
        return "" if is_silent(found[2]) else found[1] + escape(marks[int(found[2])].shown)

    if "</tr>" in html:
        html = _ROW_OF_TOKEN.sub(paragraph, html)
    return _TOKEN_AFTER_LINE.sub(token, _PARAGRAPH_OF_TOKENS.sub(paragraph, html))
