"""Rules for a finished message: each finds its problem and names the post; sound messages pass."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings, strategies as st

from ketapress.mail.digest import build_sample_message
from ketapress.mail.lint.run import message_problems
from ketapress.model.edition import Display, Edition, EditionItem
from ketapress.model.errors import Problem, Severity
from ketapress.model.message import Digest
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from support.factories import WEEKLY, edition, post
from support.sample_posts import (
    ARABIC,
    SETTINGS,
    arabic_post,
    build_sample_digest,
    chinese_post,
    hostile_post,
    rich_post,
    seed_post,
)

EDITION = edition(rich_post())
DIGEST = build_sample_digest(EDITION)
MESSAGE = build_sample_message(DIGEST.message_template, SETTINGS, WEEKLY, EDITION.slot)
BODY_START = '<div class="body ltr" lang="en"'
"""The start of the post's text in the HTML part."""
FOOTER_START = '<td class="cell foot ltr"'
DARK_MEDIA = "@media (prefers-color-scheme: dark) {"


def _problems_after_change(
    html: Callable[[str], str] = str,
    text: Callable[[str], str] = str,
    message: Callable[[bytes], bytes] = bytes,
) -> tuple[Problem, ...]:
    """Return the problems of the message after a change of one part, which must have an effect."""
    changed_html, changed_text, changed_message = html(DIGEST.html), text(DIGEST.text), message(MESSAGE)
    assert (changed_html, changed_text, changed_message) != (DIGEST.html, DIGEST.text, MESSAGE)
    changed_digest = DIGEST._replace(
        html=changed_html, text=changed_text, sizes={**DIGEST.sizes, "html": len(changed_html.encode())}
    )
    return message_problems(EDITION, changed_digest, changed_message, WEEKLY.max_bytes)


def _codes(problems: Sequence[Problem]) -> set[tuple[str, str]]:
    return {(problem.code.removeprefix("mail."), str(problem.severity)) for problem in problems}


def _insert_in_body(markup: str) -> Callable[[str], str]:
    """Return a function that inserts markup at the start of the post's text."""

    def change(page: str) -> str:
        start = page.index(">", page.index(BODY_START)) + 1
        return page[:start] + markup + page[start:]

    return change


def _replace(old: str, new: str) -> Callable[[str], str]:
    def change(page: str) -> str:
        assert old in page
        return page.replace(old, new)

    return change


POST_CASES = {
    "alt-missing": ("error", '<img src="https://example.org/a.png" width="9">'),
    "alt-file-name": ("warning", '<img src="https://example.org/a.png" width="9" alt="a.png">'),
    "picture-address": ("error", '<img src="data:image/png;base64,AA" width="9" alt="a">'),
    "picture-format": ("warning", '<img src="https://example.org/a.webp?x=1" width="9" alt="a">'),
    "picture-width": ("warning", '<img src="https://example.org/a.png" width="auto" alt="a">'),
    "link-empty": ("error", '<a href="https://example.org/"><img src="https://example.org/a.png" width="9" alt=""></a>'),
    "link-address": ("error", '<a href="">words</a>'),
    "link-relative": ("error", '<a href="/about">words</a>'),
    "link-scheme": ("error", '<a href="javascript:alert(1)">words</a>'),
    "link-nowhere": ("warning", '<a href="#gone">words</a>'),
    "link-disguised": ("error", '<a href="https://evil.example/">https://bank.example/</a>'),
    "heading-skipped": ("warning", "<h5>Deep</h5>"),
    "table-role": ("error", "<table><tr><td>x</td></tr></table>"),
    "contrast": ("error", '<p style="color:#ddd">faint</p>'),
    "not-shown": ("error", "<video>film</video>"),
    "handler": ("error", '<p onclick="x()">x</p>'),
    "attribute-not-shown": ("warning", '<img src="https://example.org/a.png" width="9" alt="a" srcset="x 2x">'),
    "style-not-shown": ("warning", '<p style="display:flex">x</p>'),
    "style-place": ("warning", "<style>p { margin: 0 }</style>"),
}  # fmt: skip


@pytest.mark.parametrize("code", POST_CASES)
def test_a_fault_in_a_post_is_found_and_the_post_is_named(code: str) -> None:
    severity, markup = POST_CASES[code]

    problems = _problems_after_change(_insert_in_body(markup))

    assert _codes(problems) == {(code, severity)}
    (problem,) = problems
    assert problem.path == "posts/2023-06-07-rich.md"
    assert "Whatever a post contains" in problem.message
    assert problem.cure


TEMPLATE_CASES: dict[str, tuple[str, Callable[[str], str]]] = {
    "heading-first": ("error", _replace("h1", "h2")),
    "language": ("error", _replace('<html lang="en"', "<html")),
    "template-mark": ("error", _replace("Unsubscribe</a>", "{{ words.leave }}</a>")),
    "unsubscribe-html": ("error", _replace('<a class="leave"', '<a style="display:none" class="leave"')),
    "style-braces": ("error", _replace(DARK_MEDIA, f"{DARK_MEDIA} p {{")),
    "style-import": ("error", _replace(DARK_MEDIA, f'@import url("https://example.org/x.css");{DARK_MEDIA}')),
    "style-large": ("error", _replace(DARK_MEDIA, ".x { margin: 0 }\n" * 1200 + DARK_MEDIA)),
    "style-important": ("warning", _replace(DARK_MEDIA, ".x { margin: 0!important }" + DARK_MEDIA)),
    "style-nested": (
        "warning",
        _replace(DARK_MEDIA, "@media print { @media (max-width: 1px) { .x { margin: 0 } } }" + DARK_MEDIA),
    ),
    "too-large": ("error", _insert_in_body("<p>" + "word " * 20_000 + "</p>")),
}


@pytest.mark.parametrize("code", TEMPLATE_CASES)
def test_a_fault_of_the_template_is_found_and_no_post_is_blamed(code: str) -> None:
    severity, change = TEMPLATE_CASES[code]

    problems = _problems_after_change(change)

    assert (code, severity) in _codes(problems)
    assert all(problem.path == "templates/mail/digest.html" for problem in problems)


HEADER_CASES: dict[str, Callable[[bytes], bytes]] = {
    "header-count": lambda message: b"Subject: another\r\n" + message,
    "header-break": lambda message: message.replace(b"Subject: ", b"Subject: x\nBcc: y@example.com ", 1),
    "header-long": lambda message: message.replace(b"Subject: ", b"Subject: " + b"x" * 1000, 1),
    "header-octets": lambda message: message.replace(b"Subject: ", "Subject: é".encode(), 1),
    "header-encoded": lambda message: message.replace(b"List-Id: ", b"List-Id: =?utf-8?q?x?= ", 1),
    "header-word": lambda message: message.replace(b"Subject: ", b"Subject: =?utf-8?q?" + b"x" * 70 + b"?= ", 1),
}  # fmt: skip


@pytest.mark.parametrize("code", HEADER_CASES)
def test_a_fault_in_a_header_is_found(code: str) -> None:
    assert (code, "error") in _codes(_problems_after_change(message=HEADER_CASES[code]))


def test_a_subject_that_no_list_of_messages_shows_is_only_a_warning() -> None:
    problems = _problems_after_change(
        message=lambda message: message.replace(b"Subject: ", b"Subject: " + b"word " * 30, 1)
    )

    assert _codes(problems) == {("subject-long", "warning")}


def test_the_way_out_has_to_be_in_the_text_too() -> None:
    problems = _problems_after_change(text=lambda text: text.replace("unsubscribe/", ""))

    assert _codes(problems) == {("unsubscribe-text", "error")}
    assert problems[0].path == "templates/mail/digest.txt"


def test_without_the_header_no_link_counts_as_the_way_out() -> None:
    problems = _problems_after_change(
        message=lambda message: message.replace(b"List-Unsubscribe: ", b"X-Gone: ", 1)
    )

    assert {"header-count", "unsubscribe-html", "unsubscribe-text"} <= {code for code, _ in _codes(problems)}


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("color:#777", {("contrast", "warning")}),
        ("color:white", {("contrast", "error")}),
        ("color:rgb(220, 220, 220)", {("contrast", "error")}),
        ("color:#fff;background-color:#333", set()),
        ("color:#fff;background:#333 url(x.png)", set()),
        ("color:rebeccapurple", set()),
        ("color:#fff;display:none", set()),
        ("color:inherit", set()),
        ("background-color:#2222cc;color:#fff", set()),
    ],
)
def test_text_is_held_against_the_background_it_stands_on(style: str, expected: set[tuple[str, str]]) -> None:
    assert _codes(_problems_after_change(_insert_in_body(f'<p style="{style}">words</p>'))) == expected


def test_a_link_without_a_colour_is_blue() -> None:
    link = '<div style="background-color:#333;color:#fff"><a href="https://example.org/">words</a></div>'

    problems = _problems_after_change(_insert_in_body(link))

    assert ("contrast", "error") in _codes(problems)
    assert "#0000ee on #333333 in the light scheme" in problems[0].message


def test_the_dark_scheme_is_judged_by_itself() -> None:
    gray_problems = _problems_after_change(
        _replace(".page { background-color: #111214 !important; }", ".page { }")
    )
    faint_problems = _problems_after_change(
        _replace("color: #e9e5de !important", "color: #333333 !important")
    )
    weak_problems = _problems_after_change(_replace("color: #e9e5de !important", "color: #e9e5de"))

    assert _codes(gray_problems) == set()
    for problems in (faint_problems, weak_problems):
        assert ("contrast", "error") in _codes(problems)
        assert all("in the dark scheme" in problem.message for problem in problems)


def test_the_more_special_rule_of_the_dark_scheme_counts() -> None:
    append_rule = _replace(
        DARK_MEDIA,
        f"{DARK_MEDIA} td .body p.named {{ color: #e9e5de !important }} .body p {{ color: #222222 !important }}",
    )
    problems = _problems_after_change(
        lambda page: append_rule(_insert_in_body('<p class="named">light</p>')(page))
    )

    assert ("contrast", "error") in _codes(problems)
    assert "“light”" not in problems[0].message


def test_a_title_that_only_looks_like_a_host_holds_nothing() -> None:
    change = _insert_in_body('<a href="https://example.org/next.html">Next.js</a>')

    assert _codes(_problems_of_edition(edition(post(title="Next.js")))) == set()
    assert _codes(_problems_after_change(change)) == {("link-disguised", "warning")}


def test_a_letter_that_gmail_may_cut_off_is_told_of() -> None:
    large_digest = DIGEST._replace(sizes={**DIGEST.sizes, "html": 110_000})
    large_message = MESSAGE + b"x" * 110_000

    assert _codes(message_problems(EDITION, large_digest, MESSAGE, 200_000)) == {("clipped", "warning")}
    assert _codes(message_problems(EDITION, DIGEST, large_message, WEEKLY.max_bytes)) == {
        ("clipped", "warning")
    }


def test_many_faults_of_a_kind_are_told_once() -> None:
    (problem,) = _problems_after_change(_insert_in_body("<video>x</video>" * 5))

    assert problem.message.endswith("(4 more like it.)")


def test_marks_that_an_author_wrote_are_no_leftovers() -> None:
    tag_edition = edition(
        post(title="What {{ title }} does", summary="{% if %}", html="<p>{{ 7 * 7 }} {# x #}</p>")
    )

    assert _problems_of_edition(tag_edition) == ()


def test_a_mark_in_the_settings_is_a_leftover() -> None:
    site = SETTINGS.site._replace(description="By {{ site.title }}")

    assert ("template-mark", "error") in _codes(_problems_of_edition(EDITION, SETTINGS._replace(site=site)))


@pytest.mark.parametrize("count", [1, 4, 12, 40])
@pytest.mark.parametrize("display", Display)
@pytest.mark.parametrize("make_post", [rich_post, arabic_post, chinese_post, hostile_post])
def test_shipped_letters_pass(make_post: Callable[[str], Post], display: Display, count: int) -> None:
    max_posts = 40 if display is Display.HEADLINE else 12
    posts = [make_post(f"number-{number}") for number in range(min(count, max_posts))]
    full_edition = edition()._replace(
        items=tuple(EditionItem(item, display) for item in posts), overflow=(post("more"),)
    )
    site_settings = ARABIC if make_post is arabic_post else SETTINGS

    assert [
        item for item in _problems_of_edition(full_edition, site_settings) if item.code != "mail.clipped"
    ] == []


def test_the_seed_passes_without_a_warning() -> None:
    assert _problems_of_edition(edition(seed_post())) == ()


ODD_TEXT = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("<>&\"'{}%#/=;:! \r\n")), max_size=80
)
MARKUP = st.lists(
    st.one_of(
        ODD_TEXT,
        st.sampled_from(
            ["<style>", "@media", "(prefers-color-scheme: dark)", "{", "}", "<a href='", "http://[", "'>", "<td bgcolor=x>", "#", "!important", "<a id=p1>", "color:"]
        ),
    )
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(page=MARKUP, text=ODD_TEXT, message=st.one_of(st.binary(max_size=200), MARKUP.map(str.encode)))
def test_no_letter_makes_it_fail(page: str, text: str, message: bytes) -> None:
    odd_digest = DIGEST._replace(html=page, text=text)

    problems = message_problems(EDITION, odd_digest, message, WEEKLY.max_bytes)

    assert any(problem.severity is Severity.ERROR for problem in problems)
    assert all(
        problem.cure and problem.code.startswith("mail.") and problem.message.isprintable()
        for problem in problems
    )


@settings(max_examples=40, deadline=None)
@given(title=ODD_TEXT, summary=ODD_TEXT, html=MARKUP)
def test_no_post_makes_a_letter_that_is_held(title: str, summary: str, html: str) -> None:
    problems = _problems_of_edition(edition(post(title=f"Title {title}", summary=summary, html=html)))

    assert [problem for problem in problems if problem.severity is Severity.ERROR] == []


def test_a_post_may_speak_of_style_sheets() -> None:
    words = "@import url(https://example.org/a.css);"
    problems = _problems_of_edition(
        edition(post(title=words, summary=words, html=f"<pre><code>{words}</code></pre>"))
    )

    assert [problem for problem in problems if problem.severity is Severity.ERROR] == []


def _problems_of_edition(edition: Edition, settings: Settings = SETTINGS) -> tuple[Problem, ...]:
    digest: Digest = build_sample_digest(edition, settings)
    return message_problems(
        edition,
        digest,
        build_sample_message(digest.message_template, settings, WEEKLY, edition.slot),
        WEEKLY.max_bytes,
    )


SOURCE_TEXT = """---
title: A post
---

Words that are wrapped
over lines, [here](https://example.org/x) too.

![](../pictures/a%20press.svg)
*And* a table &amp; more:
"""


@pytest.mark.parametrize(
    ("markup", "line"),
    [
        ('<p><a href="https://example.org/x"></a></p>', 6),
        ('<p><img src="https://example.org/2023/pictures/a%20press.svg"></p>', 8),
        ('<p style="color:#eeeeee">Words that are wrapped over lines</p>', 5),
        ("<p>a table &amp; more</p><table><tr><td> </td></tr></table>", 9),
        ('<p><img src="https://example.org/another.svg"></p>', None),
    ],
)
def test_what_a_post_is_to_blame_for_is_placed_on_its_line(markup: str, line: int | None) -> None:
    changed_digest = DIGEST._replace(html=_insert_in_body(f"<section>{markup}</section>")(DIGEST.html))

    problems = message_problems(
        EDITION, changed_digest, MESSAGE, WEEKLY.max_bytes, {EDITION.posts[0].path: SOURCE_TEXT}.__getitem__
    )

    assert {problem.line for problem in problems} == {line}
    assert {problem.path for problem in problems} == {f"posts/{EDITION.posts[0].path}"}
