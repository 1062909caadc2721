"""Convert MDX to Markdown: remove imports and exports, and keep the content of components.

Input is the body of an `.mdx` file, output is Markdown with as many lines, and a warning that names what was left out.
No JavaScript runs. Images (also imported ones), links, videos, admonitions, heading ids and string literals are converted.
Code is left as it is.
"""

import re
from collections.abc import Iterator
from html import escape

from ketapress.model.errors import Problem
from ketapress.posts.dialects.admonitions import ADMONITION_KINDS
from ketapress.posts.dialects.arguments import find_named_arguments
from ketapress.posts.dialects.shortcodes import EMBED_URLS
from ketapress.posts.dialects.template_problem import build_template_problem
from ketapress.posts.frontmatter.values import Value

_IMPORT = r"import\s+(?:[\"']|[^\n;\"']*?\bfrom\s*[\"']|(?:\w+\s*,\s*)?\{[^\n}]*$)"
_EXPORT = r"export\s+(?:default\b|const\b|let\b|var\b|function\b|async\b|class\b|type\b|\{|\*)"
_STATEMENT = re.compile(rf"(?:{_IMPORT}|{_EXPORT})", re.MULTILINE)
_FILE_IMPORT = re.compile(r"^import\s+(\w+)\s+from\s*[\"']([^\"'\n]+\.\w{2,5})[\"']", re.MULTILINE)
_METADATA_EXPORT = re.compile(
    r"^export\s+(?:const|let|var)\s+(?:meta(?:data)?|frontmatter)\b[^\n={]*=\s*\{(?P<members>.{0,5000}?)^\}",
    re.DOTALL | re.MULTILINE,
)
_METADATA_MEMBER = re.compile(
    r"^[ \t]*[\"']?(\w+)[\"']?[ \t]*:[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n$]*)`)[ \t]*,?[ \t]*$",
    re.MULTILINE,
)
_FENCE = re.compile(r"[ \t>]*(`{3,}(?!.*`)|~{3,})")
_TOKEN = re.compile(  # code, a comment, a tag, an expression
    r"^[ \t>]*(?P<fence>`{3,}(?![^\n]*`)|~{3,}).*?(?:^[ \t>]*(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).){1,1000}?(?<!`)(?P=ticks)(?!`)|\\[{<]"
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
_MAX_LENGTH = 5_000  # characters of a tag or an expression; a longer one is treated as unclosed
_MAX_UNCLOSED = 50  # tags and braces; a limit, because each search runs up to `_MAX_LENGTH`
_MAX_STATEMENT_LINES = 200


def parse_metadata(body: str) -> dict[str, Value]:
    """Return the fields of `export const meta = {…}` whose values are string literals."""
    match = _METADATA_EXPORT.search(body)
    members = find_named_arguments(match["members"], _METADATA_MEMBER) if match else ()
    return {name.lower(): value for name, value in members}


def convert_mdx(body: str, line: int) -> tuple[str, tuple[Problem, ...]]:
    """Return the body as Markdown, and a warning about what was left out; `line` is the line of the file at which it begins."""
    images = dict(_FILE_IMPORT.findall(body))
    converter = _MdxConverter(_blank_statements(body), images)
    text = "".join(converter.convert())
    omissions = [(source, line + body.count("\n", 0, position)) for source, position in converter.omissions]
    if not omissions:
        return _dedent(text), ()
    message = "JSX is left out, because Ketapress runs no JavaScript"
    return _dedent(text), (build_template_problem(message, omissions, "Write it as Markdown or HTML."),)


def _blank_statements(body: str) -> str:
    """Return the body with spaces in place of imports and exports, so that positions stay the same."""
    lines = body.split("\n")
    index, fence = 0, ""
    while index < len(lines):
        if match := _FENCE.match(lines[index]):
            fence = "" if fence and match[1].startswith(fence) else fence or match[1]
        elif not fence and lines[index].startswith(("import", "export")) and _STATEMENT.match(lines[index]):
            end = _find_statement_end(lines, index)
            lines[index:end] = [" " * len(line) for line in lines[index:end]]
            index = end
            continue
        index += 1
    return "\n".join(lines)


def _find_statement_end(lines: list[str], start: int) -> int:
    """Return the index after the line that closes all brackets; without such a line, that of the next blank line."""
    depth = 0
    for end in range(start, min(start + _MAX_STATEMENT_LINES, len(lines))):
        depth += sum(map(lines[end].count, "{[(")) - sum(map(lines[end].count, "}])"))
        if depth <= 0:
            return end + 1
    return next((end for end in range(start, len(lines)) if not lines[end].strip()), len(lines))


class _MdxConverter:
    """One pass over a body; `omissions` collects what is left out, each with its position."""

    def __init__(self, text: str, images: dict[str, str]) -> None:
        self._text = text
        self._images = images
        self._unclosed_count = 0
        self.omissions: list[tuple[str, int]] = []

    def convert(self) -> Iterator[str]:
        """Yield the pieces of the Markdown, each with as many line breaks as its source."""
        position = 0
        while match := _TOKEN.search(self._text, position):
            yield self._text[position : match.start()]
            position, piece = self._convert_token(match)
            yield piece + "\n" * (self._text.count("\n", match.start(), position) - piece.count("\n"))
        yield self._text[position:]

    def _convert_token(self, match: re.Match[str]) -> tuple[int, str]:
        """Return the position after a token, and its replacement."""
        if match["comment"] is not None:
            id_match = _ID_COMMENT.fullmatch(match["comment"])
            return match.end(), f"{{{id_match[0].strip()}}}" if id_match else ""
        if match["brace"] is None and match["name"] is None:
            return match.end(), match[0]  # code or an escape
        end = 0
        if self._unclosed_count < _MAX_UNCLOSED:
            find_end = _find_brace_end if match["brace"] else _find_tag_end
            end = find_end(self._text, match.start() if match["brace"] else match.end())
        if not end:
            self._unclosed_count += 1
            return match.end(), match[0]  # an unclosed tag or expression is text
        if match["brace"]:
            return end, self._convert_expression(match.start(), end)
        return end, self._convert_tag(match, self._text[match.start() : end])

    def _convert_expression(self, start: int, end: int) -> str:
        """Return the value of a string literal. Another expression is an omission, and is shown as it is within a line."""
        source = self._text[start:end]
        if string := _STRING_EXPRESSION.fullmatch(source):
            return string[1] or string[2] or string[3] or ""
        self.omissions.append((source, start))
        line = self._text[self._text.rfind("\n", 0, start) + 1 : start]
        return "" if not line.strip() or "\n" in source else source

    def _convert_tag(self, match: re.Match[str], tag: str) -> str:
        """Return the Markdown of a tag. An unknown self-closing component is an omission."""
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
        """Return an HTML tag with its string attributes; any JSX element may be self-closing, an HTML element may not."""
        attributes = "".join(
            f' {key}="{escape(value)}"' for key, value in self._parse_attributes(tag) if value
        )
        attributes += "".join(_BOOLEAN_ATTRIBUTE.findall(_ATTRIBUTE_VALUE.sub(" ", tag)))
        if not tag.endswith("/>"):
            return f"<{name}{attributes}>"
        return f"<{name}{attributes} />" if name in _VOID_ELEMENTS else f"<{name}{attributes}></{name}>"

    def _parse_attributes(self, tag: str) -> Iterator[tuple[str, str]]:
        """Yield the names and values of a tag's attributes."""
        position = 0
        while match := _ATTRIBUTE.search(tag, position):
            position, value = match.end(), match[2] or match[3] or ""
            if tag[position : position + 1] == "{":
                end = _find_brace_end(tag, position) or len(tag)
                value = self._parse_value(tag[position + 1 : end - 1].strip())
                position = end
            yield match[1], value

    def _parse_value(self, expression: str) -> str:
        """Return the only string in an expression, or the path of the file that it imports; else an empty string."""
        name = expression.removesuffix(".src")
        if name in self._images:
            return self._images[name]
        strings = _STRING.findall(expression)
        is_literal = len(strings) == 1 and "=>" not in expression and not expression.startswith("{")
        return strings[0] if is_literal else ""


def _find_brace_end(text: str, start: int) -> int:
    """Return the position after the brace that closes the one at `start`; 0 if there is none."""
    depth = 0
    for match in _BRACE_OR_STRING.finditer(text, start, start + _MAX_LENGTH):
        depth += (match[0] == "{") - (match[0] == "}")
        if depth == 0:
            return match.end()
    return 0


def _find_tag_end(text: str, position: int) -> int:
    """Return the end of the tag whose name ends at `position`; 0 if there is none."""
    limit = position + _MAX_LENGTH
    while (match := _TAG_END.search(text, position, limit)) and (match[0] == "{" or match[0][0] in "\"'"):
        position = _find_brace_end(text, match.start()) if match[0] == "{" else match.end()
        if not position:
            return 0
    return match.end() if match else 0


def _convert_component(name: str, attributes: dict[str, str], tag: str) -> str:
    """Return the HTML or shortcode of a component with a well-known name; an empty string for any other."""
    is_end, is_self_closing = tag.startswith("</"), tag.endswith("/>")
    if name in _LINK_COMPONENTS:
        href = attributes.get("href") or attributes.get("to", "")
        return "</a>" if is_end else f'<a href="{escape(href)}">'
    if name in EMBED_URLS or (name in ADMONITION_KINDS and not is_self_closing):
        if is_end:
            return f"{{{{< /{name} >}}}}"
        values = ((key, value) for key, value in attributes.items() if value and '"' not in value)
        arguments = "".join(f' {key}="{value}"' for key, value in values)
        return f"{{{{< {name}{arguments} >}}}}"
    if is_self_closing and attributes.get("src"):
        return f'<img src="{escape(attributes["src"])}" alt="{escape(attributes.get("alt", ""))}">'
    return ""


def _dedent(text: str) -> str:
    """Remove the indent of text within components, which would be code in Markdown; MDX has no indented code."""
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
