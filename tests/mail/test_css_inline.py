"""Inline CSS: what premailer must do, what it must not do, and that nothing is fetched."""

import socket
import subprocess
import sys

import pytest

from ketapress.mail.css_inline import inline_css
from ketapress.model.errors import ConfigurationError

PAGE_TEMPLATE = """<!doctype html><html><head><meta charset="utf-8"><title>T</title><style>{css}</style>
<style data-premailer="ignore">@media (max-width: 600px) {{ .a {{ color: red !important; }} }} .a:hover {{ color: #000; }}</style>
</head><body>{body}</body></html>"""


def inline_page(css: str = "", body: str = "<p>x</p>") -> str:
    return inline_css(PAGE_TEMPLATE.format(css=css, body=body))


def test_rules_go_onto_their_elements_and_their_block_goes() -> None:
    page = inline_page(".a { color: #123456; padding: 0 4px; }", '<p class="a">x</p>')

    assert '<p class="a" style="color:#123456; padding:0 4px">x</p>' in page
    assert page.count("<style") == 1


def test_the_second_block_stays_byte_for_byte() -> None:
    assert (
        "@media (max-width: 600px) { .a { color: red !important; } } .a:hover { color: #000; }</style>"
        in inline_page()
    )


def test_a_document_keeps_its_doctype() -> None:
    assert inline_page().startswith("<!DOCTYPE html>")


def test_attributes_of_size_are_left_to_the_template() -> None:
    page = inline_page(
        "img { width: 100%; height: auto; } td { text-align: start; vertical-align: top; }",
        '<img width="552" height="10"><table><tr><td align="left">',
    )

    assert 'width="552" height="10"' in page
    assert 'height="auto"' not in page
    assert 'align="start"' not in page


def test_background_colours_become_attributes_for_word() -> None:
    assert 'bgcolor="#aabbcc"' in inline_page(
        "td { background-color: #abc; }", "<table><tr><td>x</td></tr></table>"
    )


def test_conditional_comments_stay() -> None:
    comment = '<!--[if mso]><table width="600"><tr><td><![endif]-->'

    assert comment in inline_page(body=f"{comment}<p>x</p>")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{{ 7 }}", "&#123;{ 7 &#125;}"),
        ("{% x %}", "&#123;% x %}"),
        ("JavaScript: a language", "JavaScript&#58; a language"),
        ("NÃO â€œ", "N&#195;O &#226;€œ"),
        ('&lt;img height="auto"&gt;', '&lt;img height=&#34;auto"&gt;'),
        (
            '<a href="https://a.org/%7B%7Bx" title="{{">y</a>',
            '<a href="https://a.org/%7B&#37;7Bx" title="&#123;{">y</a>',
        ),
    ],
)
def test_what_would_be_substituted_or_mistaken_is_written_by_number(body: str, expected: str) -> None:
    assert expected in inline_page(body=f"<p>{body}</p>")


@pytest.mark.parametrize(
    "css",
    [
        "@import url(http://127.0.0.1:9/a.css);",
        "@IMPORT 'file:///etc/passwd';",
        "@\\69mport url(http://127.0.0.1:9/a.css);",
    ],
)
@pytest.mark.usefixtures("no_sockets")
def test_another_style_sheet_is_never_fetched(css: str) -> None:
    with pytest.raises(ConfigurationError, match="style sheet"):
        inline_page(css)


@pytest.mark.usefixtures("no_sockets")
def test_a_linked_style_sheet_is_never_fetched() -> None:
    page = PAGE_TEMPLATE.format(css="", body="").replace(
        "<title>", '<link rel="stylesheet" href="http://127.0.0.1:9/a.css"><title>'
    )

    assert "127.0.0.1" in inline_css(page)


@pytest.mark.parametrize(
    "css", ["@media print { @media screen { a { color: red; } } }", ".\\31 a { color: red; }"]
)
def test_styles_that_cannot_be_inlined_are_refused_by_name(css: str) -> None:
    with pytest.raises(ConfigurationError) as error_info:
        inline_page(css)

    assert error_info.value.problems[0].path == "templates/mail/digest.html"


def test_nothing_is_printed_about_properties_that_css_does_not_know(
    capfd: pytest.CaptureFixture[str],
) -> None:
    inline_page("p { mso-line-height-rule: exactly; bogus: 1; }")

    assert capfd.readouterr() == ("", "")


def test_stamping_loads_none_of_the_heavy_libraries() -> None:
    code = "import sys, ketapress.mail.personalize; print(sorted({'premailer', 'cssutils', 'lxml', 'jinja2'} & set(sys.modules)))"

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
