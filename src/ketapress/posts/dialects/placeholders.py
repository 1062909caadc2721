"""Replace the tags of other tools with placeholders, and expand them later: Liquid, Nunjucks, Go templates, kramdown, wikis.

No template runs. Placeholders pass through Markdown and the sanitizer unchanged. A tag whose meaning is known is expanded:
`{{ site.url }}/x` in a link to a URL, `[[a note]]` to a link (`shortcodes` parses single tags, `paired_shortcodes` pairs).
Any other tag is shown as its author wrote it, or makes the link or image that it is part of disappear, and is reported in
either case. In code it is code.
"""

import re
from collections.abc import Sequence
from html import escape, unescape
from typing import NamedTuple

from ketapress.model.errors import Problem
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
from ketapress.posts.dialects.template_problem import build_template_problem
from ketapress.posts.text.excerpt import remove_illegal_characters
from ketapress.posts.text.strip_markdown import strip_markdown

_OPEN, _CLOSE = "\U0010ff00", "\U0010ff01"  # of a private use area: in no text, font or language
_PLACEHOLDER = re.compile(rf"{_OPEN}(\d{{1,6}}){_CLOSE}")
_LINE_END_AND_PLACEHOLDER = re.compile(rf"(\n?){_PLACEHOLDER.pattern}")
_PLACEHOLDER_PARAGRAPH = re.compile(rf"<p>(?:\s*{_PLACEHOLDER.pattern})+\s*</p>\n?")
_LONE_PLACEHOLDER = re.compile(rf"<p>{_PLACEHOLDER.pattern}</p>")
_PLACEHOLDER_ROW = re.compile(  # attributes below a table, which Markdown takes for a row of it
    rf"<tr>\n<t[dh][^>]*>{_PLACEHOLDER.pattern}</t[dh]>\n(?:<t[dh][^>]*></t[dh]>\n)*</tr>\n"
)
_ENCODED_PLACEHOLDER = re.compile(r"%F4%8F%BC%80(\d{1,6})%F4%8F%BC%81")
# At most 500 characters and no other tag inside: the search for the end of an unclosed brace has to stop soon
_TAG_CONTENT = r"(?:(?!\{[{%#]).){0,500}?"
_ID_END = r"[\w:.-]+(?:[ \t][^{}\n]*)?\}"  # `{#id}` is an id, not a comment
_COMMENT = (  # with the text that it hides
    r"\{%-?\s*comment\s*-?%\}(?:(?!\{%-?\s*comment).){0,5000}?\{%-?\s*endcomment\s*-?%\}"
    r"|\{::comment\}(?:(?!\{::).){0,5000}?\{:/(?:comment)?\}"
)
# Not `[[1]](https://…)`, `[[ -f x ]]`, or `[[1]]` with `[1]: …` below
_WIKI_LINK = r"(?<![\[\\])!?\[\[(?![\s\[^]|\d{1,3}\]\])[^\[\]\n]{1,200}\]\](?![(\[:])|\[\[![^\]]{1,500}\]\]"
_WORDPRESS_SHORTCODE = (
    r"(?<!\\)\[/?(?:audio|caption|contact-form(?:-7)?|embed|gallery|gravityform|playlist|polldaddy|video|vc_\w+|et_pb_\w+)"
    r"(?:\s[^\[\]\n]{0,300})?\](?!\(|\[(?!/)|:)"
)
_BRACKET_TAG_START = re.compile(  # begins with a literal `[`, so that the search takes about a microsecond a post
    r"\[(?:\[|TOC\]|/|(?:source)?code\b|audio|caption|contact-form|embed|et_pb_|gallery|gravityform|playlist|polldaddy|video|vc_"
    r"|vimeo|youtube)"
)
_HIDDEN_TEXT = (  # Obsidian's comments, and definitions of abbreviations
    r"(?<![%\w])%%(?![%\s\d])[^%\n]{1,300}%%(?![%\w])|^%%[ \t]*\n.{0,5000}?\n%%[ \t]*$|^\*\[[^\[\]\n]{1,50}\]:[ \t][^\n]*$"
)
_TAG = re.compile(
    rf"{_COMMENT}|{_HIDDEN_TEXT}|\{{\{{{_TAG_CONTENT}\}}\}}|\{{%{_TAG_CONTENT}%\}}|\{{#(?!{_ID_END}){_TAG_CONTENT}#\}}|(?<![\w$])\{{:[^{{}}\n]*\}}"
    r"|^(?:[*+-]|\d\.)[ \t][^\n]{1,80}\n\{:[ \t]*(?:[.#][\w-]+[ \t]+)*toc\b[^}\n]*\}[ \t]*$"
    rf"|(?:(?<=[\n)\]])|(?<![ \t])(?<!:::)[ \t]{{1,9}}){ATTRIBUTE_BLOCK}(?=[ \t]*$)|(?<=[)}}]){ATTRIBUTE_BLOCK}|^\[TOC\](?=[ \t]*$)|{_WIKI_LINK}|{_WORDPRESS_SHORTCODE}",
    re.DOTALL | re.MULTILINE,
)
_HEADING_WITH_ID = re.compile(  # has attributes at its end, or on the line below
    rf"<h([1-6])>((?:(?!</?h[1-6]).)*?)(?:{_PLACEHOLDER.pattern}[ \t\n]*</h\1>|</h\1>\n<p>{_PLACEHOLDER.pattern}</p>)",
    re.DOTALL,
)
_CODE_ELEMENT = re.compile(r"<(pre|code)[ >].*?</\1>", re.DOTALL)
_ESCAPED_SHORTCODE = re.compile(r"\{\{([<%])/\*(.*)\*/([>%])\}\}", re.DOTALL)


class ForeignTag(NamedTuple):
    """A tag of another tool: its source, its line, and what it expands to within a URL (None if that is unknown)."""

    source: str
    line: int
    url_part: str | None

    @property
    def is_invisible(self) -> bool:
        """Whether the tag is left out where it still stands after expansion."""
        return is_invisible(self.source) or bool(parse_image(self.source) or parse_link(self.source))

    @property
    def visible_text(self) -> str:
        """The tag as readers see it: Hugo shows `{{</* x */>}}` as `{{< x >}}`."""
        match = _ESCAPED_SHORTCODE.fullmatch(self.source)
        return f"{{{{{''.join(match.groups())}}}}}" if match else self.source


def insert_placeholders(body: str, line: int, *, is_html: bool) -> tuple[str, tuple[ForeignTag, ...]]:
    """Return the body with a placeholder for each tag, and the tags; `line` is the line of the file at which it begins."""
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
    """Return HTML with the images and links that tags stand for, and with the ids that they give to headings.

    `html` is not sanitized yet. Placeholders of other tags stay.
    """
    if not tags:
        return html
    pieces = []
    position = 0
    for code in [*_CODE_ELEMENT.finditer(html), None]:
        end = code.start() if code else len(html)
        segment = _HEADING_WITH_ID.sub(lambda heading: _add_heading_id(heading, tags), html[position:end])
        segment = _LONE_PLACEHOLDER.sub(lambda match: _expand_figure(match, tags), segment)
        pieces += [_PLACEHOLDER.sub(lambda match: _expand_tag(match, tags), segment), code[0] if code else ""]
        position = code.end() if code else end
    return "".join(pieces)


def _add_heading_id(heading: re.Match[str], tags: Sequence[ForeignTag]) -> str:
    heading_id = parse_id(tags[int(heading[3] or heading[4])].source)
    if not heading_id:
        return heading[0]
    return f'<h{heading[1]} id="{escape(heading_id)}">{heading[2].rstrip()}</h{heading[1]}>'


def _expand_figure(placeholder: re.Match[str], tags: Sequence[ForeignTag]) -> str:
    """Return an image with its caption as a `<figure>`; the paragraph as it is if it holds no such image."""
    source = tags[int(placeholder[1])].source
    image, caption = parse_image(source), parse_caption(source)
    if not image or not caption:
        return placeholder[0]
    src, alt, caption = image[0], strip_markdown(image[1]), strip_markdown(caption)
    image_html = f'<img src="{escape(src)}" alt="{escape("" if alt == caption else alt)}">'
    return f"<figure>{image_html}<figcaption>{escape(caption)}</figcaption></figure>"


def _expand_tag(placeholder: re.Match[str], tags: Sequence[ForeignTag]) -> str:
    """Return the image or link that a placeholder stands for; the placeholder if it is neither."""
    source = tags[int(placeholder[1])].source
    if image := parse_image(source):
        src, alt = image
        return f'<img src="{escape(src)}" alt="{escape(strip_markdown(alt))}">'
    if link := parse_link(source):
        href, text = link
        return f'<a href="{escape(href) or placeholder[0]}">{escape(text)}</a>'
    return placeholder[0]


def expand_url(url: str, tags: Sequence[ForeignTag]) -> str | None:
    """Return a URL with its placeholders expanded; None if one of them is unknown."""
    url_parts: list[str | None] = []

    def replace_placeholder(placeholder: re.Match[str]) -> str:
        index = int(placeholder[1])
        url_parts.append(tags[index].url_part if index < len(tags) else None)
        return url_parts[-1] or ""

    url = _PLACEHOLDER.sub(replace_placeholder, _ENCODED_PLACEHOLDER.sub(replace_placeholder, url))
    return None if None in url_parts else url


def restore_url(url: str, tags: Sequence[ForeignTag]) -> str:
    """Return a URL with its tags as their author wrote them."""
    url = _ENCODED_PLACEHOLDER.sub(rf"{_OPEN}\1{_CLOSE}", url)
    return _PLACEHOLDER.sub(lambda match: tags[int(match[1])].source, url)


def restore_tags(html: str, tags: Sequence[ForeignTag]) -> str:
    """Return sanitized HTML with its tags as readers see them, without those that are invisible outside code."""
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
    """Return warnings about tags that readers see as text, and about those whose links and images were dropped.

    `html` is sanitized and still has its placeholders.
    """
    indexes_outside_code = {int(index) for index in _PLACEHOLDER.findall(_CODE_ELEMENT.sub("", html))}
    indexes = {int(index) for index in _PLACEHOLDER.findall(html)}
    visible_tags = [
        (index, tag)
        for index, tag in enumerate(tags)
        if not tag.is_invisible and tag.visible_text == tag.source
    ]
    tags_in_text = [tag for index, tag in visible_tags if index in indexes_outside_code]
    tags_without_url = [tag for index, tag in visible_tags if index not in indexes and tag.url_part is None]
    groups = (
        ("template tags are shown as text, because Ketapress runs no templates", tags_in_text),
        ("links and images whose URL needs a template are left out", tags_without_url),
    )
    cure = "Write what the tags stand for, or put them in code to show them."
    return tuple(
        build_template_problem(message, [(tag.source, tag.line) for tag in group], cure).with_location(
            f"posts/{path}"
        )
        for message, group in groups
        if group
    )


def _replace_placeholders(html: str, tags: Sequence[ForeignTag], *, in_code: bool) -> str:
    """Replace placeholders with what readers see of their tags.

    One that is invisible goes with its line end, or with the paragraph or row that holds nothing else.
    """

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
