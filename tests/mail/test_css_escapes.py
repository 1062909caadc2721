"""A style sheet with any CSS escape is inlined, or refused with a message that names the template."""

import pytest

from ketapress.mail.css_inline import inline_css
from ketapress.model.errors import ConfigurationError, Problem


@pytest.mark.parametrize(
    "css",
    [
        r".a\:b { color: red }",
        r".\31 0 { color: red }",
        r".a\,b { color: red }",
        r"p::before { content: '\201C' }",
        r"p::before { content: '\FFFFFF' }",
        r"p::before { content: '\D800' }",
        r"p::before { content: '\0' }",
        r"p { content: '\110000'; color: red }",
        r".\FFFFFF { color: red }",
        r".\D800 { color: red }",
        r"p { color: red\9 }",
        r"\70 { color: red }",
        "p { color: red\\",
        "p { color: 'red\\\n' }",
    ],
)
def test_an_escape_is_inlined_or_named(css: str) -> None:
    document = f'<html><head><style>{css}</style></head><body><p class="a:b">x</p></body></html>'
    problems: tuple[Problem, ...] = ()
    try:
        inline_css(document).encode()
    except ConfigurationError as error:
        problems = error.problems
    assert {problem.path for problem in problems} <= {"templates/mail/digest.html"}
