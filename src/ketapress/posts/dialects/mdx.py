"""MDX becomes Markdown: its imports and exports go, and of its components stays what stands between their tags.

In comes the body of an `.mdx` file, out goes Markdown with as many lines, and a warning that names what readers miss.
Nothing is run. What is known is used: pictures, also by the name that an import gave them, links, videos, boxes, ids of
headings, texts in quotes. Code stays as it is.
"""

import re
from collections.abc import Iterator
from html import escape

from ketapress.model.errors import Problem, Severity
from ketapress.model.lazy_regex import pattern
from ketapress.posts.dialects.admonitions import KINDS
from ketapress.posts.dialects.shortcodes import FRAMES
from ketapress.posts.frontmatter.values import Value

_IMPORT = r"import\s+(?:[\"']|[^\n;\"']*?\bfrom\s*[\"']|(?:\w+\s*,\s*)?\{[^\n}]*$)"
_EXPORT = r"export\s+(?:default\b|const\b|let\b|var\b|function\b|async\b|class\b|type\b|\{|\*)"
_PROGRAM = pattern(rf"(?:{_IMPORT}|{_EXPORT})", re.MULTILINE)
_IMPORTED = pattern(r"^import\s+(\w+)\s+from\s*[\"']([^\"'\n]+\.\w{2,5})[\"']", re.MULTILINE)
_STATED = pattern(
    r"^export\s+(?:const|let|var)\s+(?:meta(?:data)?|frontmatter)\b[^\n={]*=\s*\{(?P<inside>.{0,5000}?)^\}",
    re.DOTALL | re.MULTILINE,
)
_MEMBER = pattern(
    r"^[ \t]*[\"']?(\w+)[\"']?[ \t]*:[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n$]*)`)[ \t]*,?[ \t]*$",
    re.MULTILINE,
)
_FENCE = pattern(r"[ \t>]*(`{3,}(?!.*`)|~{3,})")
_PIECE = pattern(  # code, a comment, a tag, an expression
    r"(?P<fence>^[ \t>]*(?P<mark>`{3,}(?![^\n]*`)|~{3,}).*?(?:^[ \t>]*(?P=mark)[`~]*[ \t]*$|\Z))"
    r"|(?P<code>(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).){1,1000}?(?<!`)(?P=ticks)(?!`))|\\[{<]"
    r"|\{/\*(?P<comment>(?:(?!\*/\}).){0,2000})\*/\}"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][\w.-]*|)(?=[\s/>])|(?P<brace>\{)(?![#:%{.])",
    re.DOTALL | re.MULTILINE,
)
_INSIDE = pattern(r"[{}]|\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`")
_TAG_END = pattern(r"\{|\"[^\"]*\"|'[^']*'|/?>")
_ATTRIBUTE = pattern(r"\s([\w-]+)=(?:\"([^\"]*)\"|'([^']*)'|(?=\{))")
_VALUE = pattern(r"=\s*(?:\"[^\"]*\"|'[^']*'|\{[^{}]*\})")
_SWITCH = pattern(r"\s(?:controls|open|reversed)(?=[\s/>])")
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_STRING = pattern(r"[\"'`]([^\"'`\n]*)[\"'`]")
_IS_STRING = pattern(r"\{\s*(?:\"([^\"\n]*)\"|'([^'\n]*)'|`([^`$\n]*)`)\s*\}")
_ID = pattern(r"\s*#[\w-]+\s*")
_MARGIN = pattern(r"(?:\t| {4})\s*")
_LIST_MARK = pattern(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]")
_LINKS = frozenset({"link", "nextlink", "externallink"})
_LONGEST = 5_000  # characters of a tag or an expression; what is longer was never closed
_MOST_UNCLOSED = 50  # tags and braces; what follows is no program but text
_NAMED_AT_MOST = 3


def stated(body: str) -> dict[str, Value]:
    """What the body says of itself as a header would, in `export const meta = {…}`: the values that are plain texts."""
    found = _STATED.search(body)
    members = _MEMBER.findall(found["inside"]) if found else ()
    return {name.lower(): one or two or three for name, one, two, three in members}


def as_markdown(body: str, line: int) -> tuple[str, tuple[Problem, ...]]:
    """The body as Markdown, and what was left out of it; `line` is the body's first line."""
    pictures = dict(_IMPORTED.findall(body))
    reader = _Reader(_without_programs(body), pictures)
    text = "".join(reader.pieces())
    left = [(what, line + body.count("\n", 0, at)) for what, at in reader.left]
    return _unindented(text), (_left_out(left),) if left else ()


def _without_programs(body: str) -> str:
    """The body without imports and exports, an empty line for each of theirs, or what they fill of it."""
    lines = body.split("\n")
    at, fence = 0, ""
    while at < len(lines):
        if found := _FENCE.match(lines[at]):
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
        elif not fence and lines[at].startswith(("import", "export")) and _PROGRAM.match(lines[at]):
            end = _end_of_program(lines, at)
            lines[at:end] = [
                " " * len(each) for each in lines[at:end]
            ]  # places in the text stay what they were
            at = end
            continue
        at += 1
    return "\n".join(lines)


def _end_of_program(lines: list[str], at: int) -> int:
    """The line after the one in which all brackets are closed; where none is, the next empty one."""
    depth = 0
    for end in range(at, min(at + 200, len(lines))):
        depth += sum(lines[end].count(mark) for mark in "{[(") - sum(lines[end].count(mark) for mark in "}])")
        if depth <= 0:
            return end + 1
    return next((end for end in range(at, len(lines)) if not lines[end].strip()), len(lines))


class _Reader:
    """Goes through a text once; `left` gathers what readers miss, and where it stood."""

    def __init__(self, text: str, pictures: dict[str, str]) -> None:
        self._text = text
        self._pictures = pictures
        self._unclosed = 0
        self.left: list[tuple[str, int]] = []

    def pieces(self) -> Iterator[str]:
        """The pieces of the Markdown; each has as many line ends as what it was made of."""
        at = 0
        while found := _PIECE.search(self._text, at):
            yield self._text[at : found.start()]
            at, piece = self._piece(found)
            yield piece + "\n" * (self._text.count("\n", found.start(), at) - piece.count("\n"))
        yield self._text[at:]

    def _piece(self, found: re.Match[str]) -> tuple[int, str]:
        """Where a piece ends, and what is written in its place."""
        if found["comment"] is not None:
            named = _ID.fullmatch(found["comment"])
            return found.end(), f"{{{named[0].strip()}}}" if named else ""
        if found["brace"] is None and found["name"] is None:
            return found.end(), found[0]  # code, an escape
        return self._opened(found)

    def _opened(self, found: re.Match[str]) -> tuple[int, str]:
        """A tag or an expression; what is not closed is text."""
        end = 0
        if self._unclosed < _MOST_UNCLOSED:
            ends = _closing if found["brace"] else _end_of_tag
            end = ends(self._text, found.start() if found["brace"] else found.end())
        if not end:
            self._unclosed += 1
            return found.end(), found[0]
        if found["brace"]:
            return end, self._expression(found.start(), end)
        return end, self._tag(found, self._text[found.start() : end])

    def _expression(self, start: int, end: int) -> str:
        """A text in quotes as it is; of anything else nobody knows what it says, so it is shown within a line."""
        written = self._text[start:end]
        if said := _IS_STRING.fullmatch(written):
            return said[1] or said[2] or said[3] or ""
        self.left.append((written, start))
        line = self._text[self._text.rfind("\n", 0, start) + 1 : start]
        return "" if not line.strip() or "\n" in written else written

    def _tag(self, found: re.Match[str], tag: str) -> str:
        name, is_end = found["name"] or "", bool(found["end"])
        if name[:1].islower():
            return self._html_tag(name, tag) if "{" in tag or tag.endswith("/>") else tag
        said = dict(self._attributes(tag))
        known = _known_component(name.lower().rpartition(".")[2], said, tag)
        if known or is_end or not tag.endswith("/>"):
            return known or (f"**{said['label']}**" if said.get("label") else "")
        self.left.append((tag, found.start()))
        return ""

    def _html_tag(self, name: str, tag: str) -> str:
        """A tag of HTML with those of its attributes that are texts; in JSX any element may end where it begins."""
        said = "".join(f' {key}="{escape(value)}"' for key, value in self._attributes(tag) if value)
        alone = tag.endswith("/>")
        said += "".join(_SWITCH.findall(_VALUE.sub(" ", tag)))
        return f"<{name}{said}{' /' if alone and name in _VOID else ''}>{f'</{name}>' if alone and name not in _VOID else ''}"

    def _attributes(self, tag: str) -> Iterator[tuple[str, str]]:
        """What a tag says; a value in braces is the text in it, or the file that was imported under its name."""
        at = 0
        while found := _ATTRIBUTE.search(tag, at):
            at, value = found.end(), found[2] or found[3] or ""
            if tag[at : at + 1] == "{":
                end = _closing(tag, at) or len(tag)
                value = self._value(tag[at + 1 : end - 1].strip())
                at = end
            yield found[1], value

    def _value(self, expression: str) -> str:
        name = expression.removesuffix(".src")
        if name in self._pictures:
            return self._pictures[name]
        said = _STRING.findall(expression)
        return said[0] if len(said) == 1 and "=>" not in expression and not expression.startswith("{") else ""


def _closing(text: str, at: int) -> int:
    """Where the brace that opens there is closed; 0 where it is not."""
    depth = 0
    for mark in _INSIDE.finditer(text, at, at + _LONGEST):
        depth += (mark[0] == "{") - (mark[0] == "}")
        if depth == 0:
            return mark.end()
    return 0


def _end_of_tag(text: str, at: int) -> int:
    """Where the tag ends whose name ends there; 0 where it does not."""
    limit = at + _LONGEST
    while (found := _TAG_END.search(text, at, limit)) and (found[0] == "{" or found[0][0] in "\"'"):
        at = _closing(text, found.start()) if found[0] == "{" else found.end()
        if not at:
            return 0
    return found.end() if found else 0


def _known_component(name: str, said: dict[str, str], tag: str) -> str:
    """What a component of a well-known name is in Markdown; empty where it is no such one."""
    is_end, is_alone = tag.startswith("</"), tag.endswith("/>")
    if name in _LINKS:
        return "</a>" if is_end else f'<a href="{escape(said.get("href") or said.get("to", ""))}">'
    if name in FRAMES or (name in KINDS and not is_alone):
        return f"{{{{< /{name} >}}}}" if is_end else _shortcode(name, said)
    if is_alone and said.get("src"):
        return f'<img src="{escape(said["src"])}" alt="{escape(said.get("alt", ""))}">'
    return ""


def _shortcode(name: str, said: dict[str, str]) -> str:
    """What `shortcodes` and `pairs` know, as they know it."""
    words = "".join(f' {key}="{value}"' for key, value in said.items() if value and '"' not in value)
    return f"{{{{< {name}{words} >}}}}"


def _unindented(text: str) -> str:
    """Text that was indented within a component, and would be code in Markdown; MDX has no such code."""
    lines = text.split("\n")
    margin, before, fence = "", "", ""
    for at, line in enumerate(lines):
        if found := _FENCE.match(line):
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
        if not line.strip():
            continue
        if (
            (found := _MARGIN.match(line))
            and not fence
            and not _LIST_MARK.match(before)
            and not before[:1].isspace()
        ):
            margin = found[0]
        elif not line.startswith(margin):
            margin = ""
        before = lines[at] = line.removeprefix(margin)
    return "\n".join(lines)


def _left_out(left: list[tuple[str, int]]) -> Problem:
    some = ", ".join(f"`{' '.join(what.split())[:60]}` (line {line})" for what, line in left[:_NAMED_AT_MOST])
    more = f" and {len(left) - _NAMED_AT_MOST} more" if len(left) > _NAMED_AT_MOST else ""
    return Problem(
        code="post.template",
        severity=Severity.WARNING,
        message=f"Ketapress runs no JavaScript in posts, so readers miss what these stand for: {some}{more}.",
        cure="Write it in Markdown or HTML.",
        line=left[0][1],
    )
