"""MDX becomes Markdown: its imports and exports go, and of its components stays what stands between their tags.

In comes the body of an `.mdx` file, out goes Markdown with as many lines, and a warning that names what readers miss.
Nothing is run. What is known is used: pictures, also by the name that an import gave them, links, videos, boxes, ids of
headings, texts in quotes. Code stays as it is.
"""

import re
from collections.abc import Iterator
from html import escape

from ketapress.model.errors import Problem, Severity
from ketapress.posts.dialects.admonitions import ADMONITION_KINDS
from ketapress.posts.dialects.shortcodes import EMBED_URLS
from ketapress.posts.frontmatter.values import Value

_IMPORT = r"import\s+(?:[\"']|[^\n;\"']*?\bfrom\s*[\"']|(?:\w+\s*,\s*)?\{[^\n}]*$)"
_EXPORT = r"export\s+(?:default\b|const\b|let\b|var\b|function\b|async\b|class\b|type\b|\{|\*)"
_STATEMENT = re.compile(rf"(?:{_IMPORT}|{_EXPORT})", re.MULTILINE)
_FILE_IMPORT = re.compile(r"^import\s+(\w+)\s+from\s*[\"']([^\"'\n]+\.\w{2,5})[\"']", re.MULTILINE)
_METADATA_EXPORT = re.compile(
    r"^export\s+(?:const|let|var)\s+(?:meta(?:data)?|frontmatter)\b[^\n={]*=\s*\{(?P<inside>.{0,5000}?)^\}",
    re.DOTALL | re.MULTILINE,
)
_METADATA_MEMBER = re.compile(
    r"^[ \t]*[\"']?(\w+)[\"']?[ \t]*:[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n$]*)`)[ \t]*,?[ \t]*$",
    re.MULTILINE,
)
_FENCE = re.compile(r"[ \t>]*(`{3,}(?!.*`)|~{3,})")
_TOKEN = re.compile(  # code, a comment, a tag, an expression
    r"(?P<fence>^[ \t>]*(?P<mark>`{3,}(?![^\n]*`)|~{3,}).*?(?:^[ \t>]*(?P=mark)[`~]*[ \t]*$|\Z))"
    r"|(?P<code>(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).){1,1000}?(?<!`)(?P=ticks)(?!`))|\\[{<]"
    r"|\{/\*(?P<comment>(?:(?!\*/\}).){0,2000})\*/\}"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][\w.-]*|)(?=[\s/>])|(?P<brace>\{)(?![#:%{.])",
    re.DOTALL | re.MULTILINE,
)
_BRACE_OR_STRING = re.compile(r"[{}]|\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`")
_TAG_END = re.compile(r"\{|\"[^\"]*\"|'[^']*'|/?>")
_ATTRIBUTE = re.compile(r"\s([\w-]+)=(?:\"([^\"]*)\"|'([^']*)'|(?=\{))")
_ATTRIBUTE_VALUE = re.compile(r"=\s*(?:\"[^\"]*\"|'[^']*'|\{[^{}]*\})")
_BOOLEAN_ATTRIBUTE = re.compile(r"\s(?:controls|open|reversed)(?=[\s/>])")
_VOID_ELEMENTS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_STRING = re.compile(r"[\"'`]([^\"'`\n]*)[\"'`]")
_STRING_EXPRESSION = re.compile(r"\{\s*(?:\"([^\"\n]*)\"|'([^'\n]*)'|`([^`$\n]*)`)\s*\}")
_ID_COMMENT = re.compile(r"\s*#[\w-]+\s*")
_INDENT = re.compile(r"(?:\t| {4})\s*")
_LIST_MARKER = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]")
_LINK_COMPONENTS = frozenset({"link", "nextlink", "externallink"})
_MAX_LENGTH = 5_000  # characters of a tag or an expression; what is longer was never closed
_MAX_UNCLOSED = 50  # tags and braces; what follows is no program but text
_MAX_EXAMPLES = 3


def parse_metadata(body: str) -> dict[str, Value]:
    """What the body says of itself as a header would, in `export const meta = {…}`: the values that are plain texts."""
    match = _METADATA_EXPORT.search(body)
    members = _METADATA_MEMBER.findall(match["inside"]) if match else ()
    return {name.lower(): double or single or backtick for name, double, single, backtick in members}


def convert_mdx(body: str, line: int) -> tuple[str, tuple[Problem, ...]]:
    """The body as Markdown, and what was left out of it; `line` is the body's first line."""
    images = dict(_FILE_IMPORT.findall(body))
    converter = _MdxConverter(_blank_statements(body), images)
    text = "".join(converter.convert())
    omissions = [(source, line + body.count("\n", 0, position)) for source, position in converter.omissions]
    return _dedent(text), (_omission_warning(omissions),) if omissions else ()


def _blank_statements(body: str) -> str:
    """The body without imports and exports, an empty line for each of theirs, or what they fill of it."""
    lines = body.split("\n")
    index, fence = 0, ""
    while index < len(lines):
        if match := _FENCE.match(lines[index]):
            fence = "" if fence and match[1].startswith(fence) else fence or match[1]
        elif not fence and lines[index].startswith(("import", "export")) and _STATEMENT.match(lines[index]):
            end = _find_statement_end(lines, index)
            lines[index:end] = [
                " " * len(line) for line in lines[index:end]
            ]  # places in the text stay what they were
            index = end
            continue
        index += 1
    return "\n".join(lines)


def _find_statement_end(lines: list[str], start: int) -> int:
    """The line after the one in which all brackets are closed; where none is, the next empty one."""
    depth = 0
    for end in range(start, min(start + 200, len(lines))):
        depth += sum(lines[end].count(bracket) for bracket in "{[(") - sum(
            lines[end].count(bracket) for bracket in "}])"
        )
        if depth <= 0:
            return end + 1
    return next((end for end in range(start, len(lines)) if not lines[end].strip()), len(lines))


class _MdxConverter:
    """Goes through a text once; `left` gathers what readers miss, and where it stood."""

    def __init__(self, text: str, images: dict[str, str]) -> None:
        self._text = text
        self._images = images
        self._unclosed_count = 0
        self.omissions: list[tuple[str, int]] = []

    def convert(self) -> Iterator[str]:
        """The pieces of the Markdown; each has as many line ends as what it was made of."""
        position = 0
        while match := _TOKEN.search(self._text, position):
            yield self._text[position : match.start()]
            position, piece = self._convert_token(match)
            yield piece + "\n" * (self._text.count("\n", match.start(), position) - piece.count("\n"))
        yield self._text[position:]

    def _convert_token(self, match: re.Match[str]) -> tuple[int, str]:
        """Where a piece ends, and what is written in its place."""
        if match["comment"] is not None:
            id_match = _ID_COMMENT.fullmatch(match["comment"])
            return match.end(), f"{{{id_match[0].strip()}}}" if id_match else ""
        if match["brace"] is None and match["name"] is None:
            return match.end(), match[0]  # code, an escape
        return self._convert_tag_or_expression(match)

    def _convert_tag_or_expression(self, match: re.Match[str]) -> tuple[int, str]:
        """A tag or an expression; what is not closed is text."""
        end = 0
        if self._unclosed_count < _MAX_UNCLOSED:
            find_end = _find_brace_end if match["brace"] else _find_tag_end
            end = find_end(self._text, match.start() if match["brace"] else match.end())
        if not end:
            self._unclosed_count += 1
            return match.end(), match[0]
        if match["brace"]:
            return end, self._convert_expression(match.start(), end)
        return end, self._convert_tag(match, self._text[match.start() : end])

    def _convert_expression(self, start: int, end: int) -> str:
        """A text in quotes as it is; of anything else nobody knows what it says, so it is shown within a line."""
        source = self._text[start:end]
        if string := _STRING_EXPRESSION.fullmatch(source):
            return string[1] or string[2] or string[3] or ""
        self.omissions.append((source, start))
        line = self._text[self._text.rfind("\n", 0, start) + 1 : start]
        return "" if not line.strip() or "\n" in source else source

    def _convert_tag(self, match: re.Match[str], tag: str) -> str:
        name, is_end = match["name"] or "", bool(match["end"])
        if name[:1].islower():
            return self._convert_html_tag(name, tag) if "{" in tag or tag.endswith("/>") else tag
        attributes = dict(self._parse_attributes(tag))
        replacement = _convert_component(name.lower().rpartition(".")[2], attributes, tag)
        if replacement or is_end or not tag.endswith("/>"):
            return replacement or (f"**{attributes['label']}**" if attributes.get("label") else "")
        self.omissions.append((tag, match.start()))
        return ""

    def _convert_html_tag(self, name: str, tag: str) -> str:
        """A tag of HTML with those of its attributes that are texts; in JSX any element may end where it begins."""
        attributes = "".join(
            f' {key}="{escape(value)}"' for key, value in self._parse_attributes(tag) if value
        )
        is_self_closing = tag.endswith("/>")
        attributes += "".join(_BOOLEAN_ATTRIBUTE.findall(_ATTRIBUTE_VALUE.sub(" ", tag)))
        return f"<{name}{attributes}{' /' if is_self_closing and name in _VOID_ELEMENTS else ''}>{f'</{name}>' if is_self_closing and name not in _VOID_ELEMENTS else ''}"

    def _parse_attributes(self, tag: str) -> Iterator[tuple[str, str]]:
        """What a tag says; a value in braces is the text in it, or the file that was imported under its name."""
        position = 0
        while match := _ATTRIBUTE.search(tag, position):
            position, value = match.end(), match[2] or match[3] or ""
            if tag[position : position + 1] == "{":
                end = _find_brace_end(tag, position) or len(tag)
                value = self._parse_value(tag[position + 1 : end - 1].strip())
                position = end
            yield match[1], value

    def _parse_value(self, expression: str) -> str:
        name = expression.removesuffix(".src")
        if name in self._images:
            return self._images[name]
        strings = _STRING.findall(expression)
        return (
            strings[0]
            if len(strings) == 1 and "=>" not in expression and not expression.startswith("{")
            else ""
        )


def _find_brace_end(text: str, start: int) -> int:
    """Where the brace that opens there is closed; 0 where it is not."""
    depth = 0
    for match in _BRACE_OR_STRING.finditer(text, start, start + _MAX_LENGTH):
        depth += (match[0] == "{") - (match[0] == "}")
        if depth == 0:
            return match.end()
    return 0


def _find_tag_end(text: str, position: int) -> int:
    """Where the tag ends whose name ends there; 0 where it does not."""
    limit = position + _MAX_LENGTH
    while (match := _TAG_END.search(text, position, limit)) and (match[0] == "{" or match[0][0] in "\"'"):
        position = _find_brace_end(text, match.start()) if match[0] == "{" else match.end()
        if not position:
            return 0
    return match.end() if match else 0


def _convert_component(name: str, attributes: dict[str, str], tag: str) -> str:
    """What a component of a well-known name is in Markdown; empty where it is no such one."""
    is_end, is_self_closing = tag.startswith("</"), tag.endswith("/>")
    if name in _LINK_COMPONENTS:
        return (
            "</a>" if is_end else f'<a href="{escape(attributes.get("href") or attributes.get("to", ""))}">'
        )
    if name in EMBED_URLS or (name in ADMONITION_KINDS and not is_self_closing):
        return f"{{{{< /{name} >}}}}" if is_end else _format_shortcode(name, attributes)
    if is_self_closing and attributes.get("src"):
        return f'<img src="{escape(attributes["src"])}" alt="{escape(attributes.get("alt", ""))}">'
    return ""


def _format_shortcode(name: str, attributes: dict[str, str]) -> str:
    """What `shortcodes` and `pairs` know, as they know it."""
    arguments = "".join(
        f' {key}="{value}"' for key, value in attributes.items() if value and '"' not in value
    )
    return f"{{{{< {name}{arguments} >}}}}"


def _dedent(text: str) -> str:
    """Text that was indented within a component, and would be code in Markdown; MDX has no such code."""
    lines = text.split("\n")
    indent, previous, fence = "", "", ""
    for index, line in enumerate(lines):
        if match := _FENCE.match(line):
            fence = "" if fence and match[1].startswith(fence) else fence or match[1]
        if not line.strip():
            continue
        if (
            (match := _INDENT.match(line))
            and not fence
            and not _LIST_MARKER.match(previous)
            and not previous[:1].isspace()
        ):
            indent = match[0]
        elif not line.startswith(indent):
            indent = ""
        previous = lines[index] = line.removeprefix(indent)
    return "\n".join(lines)


def _omission_warning(omissions: list[tuple[str, int]]) -> Problem:
    examples = ", ".join(
        f"`{' '.join(source.split())[:60]}` (line {line})" for source, line in omissions[:_MAX_EXAMPLES]
    )
    remainder = f" and {len(omissions) - _MAX_EXAMPLES} more" if len(omissions) > _MAX_EXAMPLES else ""
    return Problem(
        code="post.template",
        severity=Severity.WARNING,
        message=f"Ketapress runs no JavaScript in posts, so readers miss what these stand for: {examples}{remainder}.",
        cure="Write it in Markdown or HTML.",
        line=omissions[0][1],
    )
