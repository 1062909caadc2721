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
from ketapress.posts.dialects.paired_shortcodes import convert_paired_shortcodes
from ketapress.posts.dialects.shortcodes import (
    ATTRIBUTE_BLOCK,
    is_invisible,
    parse_caption,
    parse_id,
    parse_image,
    parse_link,
    parse_url_part,
)
from ketapress.posts.text.excerpt import remove_illegal_characters
from ketapress.posts.text.strip_markdown import strip_markdown

_OPEN, _CLOSE = "\U0010ff00", "\U0010ff01"  # private use: no font and no language has them
_PLACEHOLDER = re.compile(rf"{_OPEN}(\d{{1,6}}){_CLOSE}")
_LINE_END_AND_PLACEHOLDER = re.compile(rf"(\n?){_PLACEHOLDER.pattern}")
_PLACEHOLDER_PARAGRAPH = re.compile(rf"<p>(?:\s*{_PLACEHOLDER.pattern})+\s*</p>\n?")
_LONE_PLACEHOLDER = re.compile(rf"<p>{_PLACEHOLDER.pattern}</p>")
_PLACEHOLDER_ROW = re.compile(  # attributes below a table
    rf"<tr>\n<t[dh][^>]*>{_PLACEHOLDER.pattern}</t[dh]>\n(?:<t[dh][^>]*></t[dh]>\n)*</tr>\n"
)
_ENCODED_PLACEHOLDER = re.compile(r"%F4%8F%BC%80(\d{1,6})%F4%8F%BC%81")
# At most 500 characters and no other mark inside: anything else is an unclosed brace, and must not be looked far for
_TAG_CONTENT = r"(?:(?!\{[{%#]).){0,500}?"
_ID_END = r"[\w:.-]+(?:[ \t][^{}\n]*)?\}"  # then it is no comment but an id: `{#id}`
_COMMENT = (  # with all that it hides
    r"\{%-?\s*comment\s*-?%\}(?:(?!\{%-?\s*comment).){0,5000}?\{%-?\s*endcomment\s*-?%\}"
    r"|\{::comment\}(?:(?!\{::).){0,5000}?\{:/(?:comment)?\}"
)
# Not `[[1]](https://…)`, `[[ -f x ]]`, or `[[1]]` with `[1]: …` below
_WIKI_LINK = r"(?<![\[\\])!?\[\[(?![\s\[^]|\d{1,3}\]\])[^\[\]\n]{1,200}\]\](?![(\[:])|\[\[![^\]]{1,500}\]\]"
_WORDPRESS_SHORTCODE = (  # of WordPress
    r"(?<!\\)\[/?(?:audio|caption|contact-form(?:-7)?|embed|gallery|gravityform|playlist|polldaddy|video|vc_\w+|et_pb_\w+)"
    r"(?:\s[^\[\]\n]{0,300})?\](?!\(|\[(?!/)|:)"
)
_BRACKET_TAG_START = re.compile(  # what begins with a bracket; it is looked for at brackets only, and that takes a microsecond
    r"\[(?:\[|TOC\]|/|(?:source)?code\b|audio|caption|contact-form|embed|et_pb_|gallery|gravityform|playlist|polldaddy|video|vc_"
    r"|vimeo|youtube)"
)
_HIDDEN_TEXT = (  # comments of Obsidian, and what an abbreviation means
    r"(?<![%\w])%%(?![%\s\d])[^%\n]{1,300}%%(?![%\w])|^%%[ \t]*\n.{0,5000}?\n%%[ \t]*$|^\*\[[^\[\]\n]{1,50}\]:[ \t][^\n]*$"
)
_TAG = re.compile(
    rf"{_COMMENT}|{_HIDDEN_TEXT}|\{{\{{{_TAG_CONTENT}\}}\}}|\{{%{_TAG_CONTENT}%\}}|\{{#(?!{_ID_END}){_TAG_CONTENT}#\}}|(?<![\w$])\{{:[^{{}}\n]*\}}"
    r"|^(?:[*+-]|\d\.)[ \t][^\n]{1,80}\n\{:[ \t]*(?:[.#][\w-]+[ \t]+)*toc\b[^}\n]*\}[ \t]*$"
    rf"|(?:(?<=[\n)\]])|(?<![ \t])(?<!:::)[ \t]{{1,9}}){ATTRIBUTE_BLOCK}(?=[ \t]*$)|(?<=[)}}]){ATTRIBUTE_BLOCK}|^\[TOC\](?=[ \t]*$)|{_WIKI_LINK}|{_WORDPRESS_SHORTCODE}",
    re.DOTALL | re.MULTILINE,
)
_HEADING_WITH_ID = re.compile(  # by attributes at its end, or on the line below
    rf"<h([1-6])>((?:(?!</?h[1-6]).)*?)(?:{_PLACEHOLDER.pattern}[ \t\n]*</h\1>|</h\1>\n<p>{_PLACEHOLDER.pattern}</p>)",
    re.DOTALL,
)
_CODE_ELEMENT = re.compile(r"<(pre|code)[ >].*?</\1>", re.DOTALL)
_ESCAPED_SHORTCODE = re.compile(r"\{\{([<%])/\*(.*)\*/([>%])\}\}", re.DOTALL)
_MAX_EXAMPLES = 3  # marks in one warning


class ForeignTag(NamedTuple):
    """One mark: as it was written, on which line, and what it means within an address (None: nobody knows)."""

    source: str
    line: int
    url_part: str | None

    @property
    def is_invisible(self) -> bool:
        """Whether it means nothing to readers where it stands, and is left out."""
        return is_invisible(self.source) or bool(parse_image(self.source) or parse_link(self.source))

    @property
    def visible_text(self) -> str:
        """What readers see of it; Hugo takes away the signs that keep a mark from being one."""
        match = _ESCAPED_SHORTCODE.fullmatch(self.source)
        return f"{{{{{''.join(match.groups())}}}}}" if match else self.source


def insert_placeholders(body: str, line: int, *, is_html: bool) -> tuple[str, tuple[ForeignTag, ...]]:
    """The body with a token for each mark, and the marks; `line` is the body's first line."""
    has_candidates = "{" in body or "%%" in body or "*[" in body or _BRACKET_TAG_START.search(body)
    if not has_candidates or _OPEN in body:
        return body, ()
    body = convert_paired_shortcodes(body, is_html=is_html)
    tags: list[ForeignTag] = []
    pieces = []
    position = 0
    for match in _TAG.finditer(body):
        if is_html and match[0].endswith("]]"):
            continue
        line += body.count("\n", position, match.start())
        source = remove_illegal_characters(unescape(match[0]) if is_html else match[0])
        pieces += [body[position : match.start()], f"{_OPEN}{len(tags)}{_CLOSE}"]
        tags.append(ForeignTag(source, line, parse_url_part(source)))
        line += match[0].count("\n")
        position = match.end()
    return "".join([*pieces, body[position:]]), tuple(tags)


def expand_placeholders(html: str, tags: Sequence[ForeignTag]) -> str:
    """HTML as it came from its author, with the pictures and links that marks stand for, and the ids that they give to headings."""
    if not tags:
        return html
    pieces = []
    position = 0
    for code in [*_CODE_ELEMENT.finditer(html), None]:
        end = code.start() if code else len(html)
        segment = _HEADING_WITH_ID.sub(lambda heading: _add_heading_id(heading, tags), html[position:end])
        segment = _LONE_PLACEHOLDER.sub(lambda token: _expand_figure(token, tags), segment)
        pieces += [_PLACEHOLDER.sub(lambda token: _expand_tag(token, tags), segment), code[0] if code else ""]
        position = code.end() if code else end
    return "".join(pieces)


def _add_heading_id(heading: re.Match[str], tags: Sequence[ForeignTag]) -> str:
    heading_id = parse_id(tags[int(heading[3] or heading[4])].source)
    return (
        f'<h{heading[1]} id="{escape(heading_id)}">{heading[2].rstrip()}</h{heading[1]}>'
        if heading_id
        else heading[0]
    )


def _expand_figure(placeholder: re.Match[str], tags: Sequence[ForeignTag]) -> str:
    """A picture with what stands below it, where a paragraph holds nothing else."""
    source = tags[int(placeholder[1])].source
    image_parts, caption_text = parse_image(source), parse_caption(source)
    if not image_parts or not caption_text:
        return placeholder[0]
    caption_text = strip_markdown(caption_text)
    alt = "" if strip_markdown(image_parts[1]) == caption_text else strip_markdown(image_parts[1])
    image_html = f'<img src="{escape(image_parts[0])}" alt="{escape(alt)}">'
    return f"<figure>{image_html}<figcaption>{escape(caption_text)}</figcaption></figure>"


def _expand_tag(placeholder: re.Match[str], tags: Sequence[ForeignTag]) -> str:
    """The picture or the link that a token stands for; the token, where it is neither."""
    source = tags[int(placeholder[1])].source
    if image_parts := parse_image(source):
        return f'<img src="{escape(image_parts[0])}" alt="{escape(strip_markdown(image_parts[1]))}">'
    if link_parts := parse_link(source):
        return f'<a href="{escape(link_parts[0]) or placeholder[0]}">{escape(link_parts[1])}</a>'
    return placeholder[0]


def expand_url(url: str, tags: Sequence[ForeignTag]) -> str | None:
    """An address with its tokens replaced by what they mean; None where one of them means nothing."""
    url_parts: list[str | None] = []

    def replace_placeholder(placeholder: re.Match[str]) -> str:
        index = int(placeholder[1])
        url_parts.append(tags[index].url_part if index < len(tags) else None)
        return url_parts[-1] or ""

    url = _PLACEHOLDER.sub(replace_placeholder, _ENCODED_PLACEHOLDER.sub(replace_placeholder, url))
    return None if None in url_parts else url


def restore_url(url: str, tags: Sequence[ForeignTag]) -> str:
    """An address with the marks in it as its author wrote them."""
    return _PLACEHOLDER.sub(
        lambda token: tags[int(token[1])].source, _ENCODED_PLACEHOLDER.sub(rf"{_OPEN}\1{_CLOSE}", url)
    )


def restore_tags(html: str, tags: Sequence[ForeignTag]) -> str:
    """Clean HTML with the marks shown as they were written, except those that readers do not need."""
    pieces = []
    position = 0
    for code in _CODE_ELEMENT.finditer(html):
        pieces += [
            _replace_placeholders(html[position : code.start()], tags, in_code=False),
            _replace_placeholders(code[0], tags, in_code=True),
        ]
        position = code.end()
    return "".join([*pieces, _replace_placeholders(html[position:], tags, in_code=False)]).strip()


def collect_tag_problems(html: str, tags: Sequence[ForeignTag], path: str) -> tuple[Problem, ...]:
    """A warning that names the marks which readers see, or whose address was dropped. `html` still holds the tokens."""
    indexes_outside_code = {int(index) for index in _PLACEHOLDER.findall(_CODE_ELEMENT.sub("", html))}
    indexes = {int(index) for index in _PLACEHOLDER.findall(html)}
    visible_tags = [
        (index, tag)
        for index, tag in enumerate(tags)
        if not tag.is_invisible and tag.visible_text == tag.source
    ]
    tags_in_text = [tag for index, tag in visible_tags if index in indexes_outside_code]
    tags_without_url = [tag for index, tag in visible_tags if index not in indexes and tag.url_part is None]
    return tuple(
        Problem(
            code="post.template",
            severity=Severity.WARNING,
            message=f"Ketapress runs no templates in posts, so {consequence}: {_format_examples(problem_tags)}.",
            cure="Write what they stand for, or put them in code if they are meant to be seen.",
            path=f"posts/{path}",
            line=problem_tags[0].line,
        )
        for problem_tags, consequence in (
            (tags_in_text, "readers see these as text"),
            (tags_without_url, "these lead nowhere, and their links and pictures are left out"),
        )
        if problem_tags
    )


def _format_examples(tags: Sequence[ForeignTag]) -> str:
    examples = ", ".join(
        f"`{' '.join(tag.source.split())[:60]}` (line {tag.line})" for tag in tags[:_MAX_EXAMPLES]
    )
    return examples + (f" and {len(tags) - _MAX_EXAMPLES} more" if len(tags) > _MAX_EXAMPLES else "")


def _replace_placeholders(html: str, tags: Sequence[ForeignTag], *, in_code: bool) -> str:
    """The tokens as what readers see of their marks; silent ones go, with their line end or a paragraph of their own."""

    def is_removable(index: str) -> bool:
        return int(index) >= len(tags) or (tags[int(index)].is_invisible and not in_code)

    def replace_paragraph(match: re.Match[str]) -> str:
        return "" if all(map(is_removable, _PLACEHOLDER.findall(match[0]))) else match[0]

    def replace_placeholder(match: re.Match[str]) -> str:
        return "" if is_removable(match[2]) else match[1] + escape(tags[int(match[2])].visible_text)

    if "</tr>" in html:
        html = _PLACEHOLDER_ROW.sub(replace_paragraph, html)
    return _LINE_END_AND_PLACEHOLDER.sub(
        replace_placeholder, _PLACEHOLDER_PARAGRAPH.sub(replace_paragraph, html)
    )
