"""MDX becomes Markdown: what only a program could show goes, and what was written in between stays.

In comes the body of an `.mdx` file (Docusaurus, Astro, Next, Gatsby), out goes Markdown with as many lines, the values that
`export const meta = {…}` and the like state, and a warning that names the components. Nothing is run. Code stays as it is.
"""

import re
from typing import NamedTuple

from ketapress.model.errors import Problem, Severity
from ketapress.model.pattern import pattern
from ketapress.posts.header import Value

_CODE = r"(?P<code>^[ \t>]*(?P<fence>`{3,}|~{3,})[\s\S]*?(?:^[ \t>]*(?P=fence)[`~]*[ \t]*$|\Z)|(?P<ticks>`+)(?:(?!\n[ \t]*\n)[\s\S]){1,3000}?(?P=ticks)(?!`))"
# ESM as MDX has it: it begins a paragraph, and ends with it, or with the object that it states
_STATEMENT = (
    r"(?P<statement>(?:(?<=\n\n)|\A\s*|(?<=\A\n)|(?<=;\n)|(?<=['\"]\n))"
    r"(?:export[ \t]+(?:const|let|var)[ \t]+\w+[^\n=]*=[ \t]*\{[\s\S]{0,5000}?^\}[ \t]*;?[ \t]*$"
    r"|(?:import[ \t]+(?:['\"{*]|[\w$]+[ \t]*(?:,|from[ \t]))|export[ \t]+(?:const|let|var|default|async|class|function|\{|\*))"
    r"[^\n]*(?:\n(?![ \t]*\n)[^\n]+)*))"
)
_COMMENT = r"(?P<comment>\{[ \t\n]*/\*(?:(?!\*/)[\s\S]){0,5000}\*/[ \t\n]*\})"
_VALUE = r"(?:[^<>\"'{}]|\"[^\"]*\"|'[^']*'|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})"
_COMPONENT = rf"(?P<component></?(?P<name>[A-Z][\w$]*(?:\.[\w$]+)*)(?:\s{_VALUE}{{0,2000}})?/?>|</?>)"
_PART = pattern(f"{_CODE}|{_STATEMENT}|{_COMMENT}|{_COMPONENT}", re.MULTILINE)
_STATED = pattern(r"export[ \t]+(?:const|let|var)[ \t]+(?:meta(?:data)?|frontmatter)\b[^{]*\{")
_MEMBER = pattern(
    r"^[ \t]*[\"']?(\w+)[\"']?[ \t]*:[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n$]*)`)[ \t]*,?", re.MULTILINE
)
_NAMED_AT_MOST = 5  # components in one warning


class Page(NamedTuple):
    """What an MDX file says: header values, and Markdown with as many lines."""

    header: dict[str, Value]
    body: str
    problems: tuple[Problem, ...]


def page(body: str, line: int) -> Page:
    """The body as Markdown; `line` is the file's line on which it begins."""
    header: dict[str, Value] = {}
    left: dict[str, int] = {}

    def kept(part: re.Match[str]) -> str:
        if part["code"]:
            return part[0]
        if part["statement"] and _STATED.search(part[0]):
            header.update((name, one or two or three) for name, one, two, three in _MEMBER.findall(part[0]))
        if part["name"] and part[0][1] != "/":
            left.setdefault(part["name"], line + body.count("\n", 0, part.start()))
        return "\n" * part[0].count("\n")

    return Page(header, _PART.sub(kept, body), _left_out(left))


def _left_out(components: dict[str, int]) -> tuple[Problem, ...]:
    if not components:
        return ()
    named = [f"`<{name}>` (line {line})" for name, line in components.items()][:_NAMED_AT_MOST]
    more = f" and {len(components) - _NAMED_AT_MOST} more" if len(components) > _NAMED_AT_MOST else ""
    return (
        Problem(
            code="post.component",
            severity=Severity.WARNING,
            message=f"Ketapress runs no components, so only what stands between their tags is shown: {', '.join(named)}{more}.",
            cure="Write in Markdown what they would show, if readers of feeds and mail need it.",
            line=min(components.values()),
        ),
    )
