"""Our own second look at a finished letter: each rule finds its fault and names the post; good letters pass."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings, strategies as st

from ketapress.mail.digest import specimen
from ketapress.mail.lint.run import letter_problems
from ketapress.model.edition import Display, Edition, Item
from ketapress.model.errors import Problem, Severity
from ketapress.model.message import Digest
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from support.factories import WEEKLY, edition, post
from support.sample_posts import (
    ARABIC,
    SETTINGS,
    arabic_post,
    chinese_post,
    digest_of,
    hostile_post,
    rich_post,
    seed_post,
)

MADE = edition(rich_post())
DIGEST = digest_of(MADE)
MESSAGE = specimen(DIGEST.letter, SETTINGS, WEEKLY, MADE.slot)
BODY = '<div class="body ltr" lang="en"'
"""The start of the post's own text."""
FOOT = '<td class="cell foot ltr"'
DARK = "@media (prefers-color-scheme: dark) {"


def _problems(
    html: Callable[[str], str] = str,
    text: Callable[[str], str] = str,
    message: Callable[[bytes], bytes] = bytes,
) -> tuple[Problem, ...]:
    """What is said of the letter with one part changed. The change has to be one."""
    page, plain, whole = html(DIGEST.html), text(DIGEST.text), message(MESSAGE)
    assert (page, plain, whole) != (DIGEST.html, DIGEST.text, MESSAGE)
    changed = DIGEST._replace(html=page, text=plain, sizes={**DIGEST.sizes, "html": len(page.encode())})
    return letter_problems(MADE, changed, whole, WEEKLY.max_bytes)


def _codes(problems: Sequence[Problem]) -> set[tuple[str, str]]:
    return {(each.code.removeprefix("mail."), str(each.severity)) for each in problems}


def _with(markup: str) -> Callable[[str], str]:
    """The page with something more at the start of the post's text."""

    def changed(page: str) -> str:
        start = page.index(">", page.index(BODY)) + 1
        return page[:start] + markup + page[start:]

    return changed


def _swapped(old: str, new: str) -> Callable[[str], str]:
    def changed(page: str) -> str:
        assert old in page
        return page.replace(old, new)

    return changed


IN_A_POST = {
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


@pytest.mark.parametrize("code", IN_A_POST)
def test_a_fault_in_a_post_is_found_and_the_post_is_named(code: str) -> None:
    severity, markup = IN_A_POST[code]

    problems = _problems(_with(markup))

    assert _codes(problems) == {(code, severity)}
    (problem,) = problems
    assert problem.path == "posts/2023-06-07-rich.md"
    assert "Whatever a post contains" in problem.message
    assert problem.cure


IN_THE_TEMPLATE: dict[str, tuple[str, Callable[[str], str]]] = {
    "heading-first": ("error", _swapped("h1", "h2")),
    "language": ("error", _swapped('<html lang="en"', "<html")),
    "template-mark": ("error", _swapped("Unsubscribe</a>", "{{ words.leave }}</a>")),
    "unsubscribe-html": ("error", _swapped('<a class="leave"', '<a style="display:none" class="leave"')),
    "style-braces": ("error", _swapped(DARK, f"{DARK} p {{")),
    "style-import": ("error", _swapped(DARK, f'@import url("https://example.org/x.css");{DARK}')),
    "style-large": ("error", _swapped(DARK, ".x { margin: 0 }\n" * 1200 + DARK)),
    "style-important": ("warning", _swapped(DARK, ".x { margin: 0!important }" + DARK)),
    "style-nested": (
        "warning",
        _swapped(DARK, "@media print { @media (max-width: 1px) { .x { margin: 0 } } }" + DARK),
    ),
    "too-large": ("error", _with("<p>" + "word " * 20_000 + "</p>")),
}


@pytest.mark.parametrize("code", IN_THE_TEMPLATE)
def test_a_fault_of_the_template_is_found_and_no_post_is_blamed(code: str) -> None:
    severity, changed = IN_THE_TEMPLATE[code]

    problems = _problems(changed)

    assert (code, severity) in _codes(problems)
    assert all(each.path == "templates/mail/digest.html" for each in problems)


HEADERS: dict[str, Callable[[bytes], bytes]] = {
    "header-count": lambda message: b"Subject: another\r\n" + message,
    "header-break": lambda message: message.replace(b"Subject: ", b"Subject: x\nBcc: y@example.com ", 1),
    "header-long": lambda message: message.replace(b"Subject: ", b"Subject: " + b"x" * 1000, 1),
    "header-octets": lambda message: message.replace(b"Subject: ", "Subject: é".encode(), 1),
    "header-encoded": lambda message: message.replace(b"List-Id: ", b"List-Id: =?utf-8?q?x?= ", 1),
    "header-word": lambda message: message.replace(b"Subject: ", b"Subject: =?utf-8?q?" + b"x" * 70 + b"?= ", 1),
}  # fmt: skip


@pytest.mark.parametrize("code", HEADERS)
def test_a_fault_in_a_header_is_found(code: str) -> None:
    assert (code, "error") in _codes(_problems(message=HEADERS[code]))


def test_a_subject_that_no_list_of_messages_shows_is_only_a_warning() -> None:
    problems = _problems(message=lambda whole: whole.replace(b"Subject: ", b"Subject: " + b"word " * 30, 1))

    assert _codes(problems) == {("subject-long", "warning")}


def test_the_way_out_has_to_be_in_the_text_too() -> None:
    problems = _problems(text=lambda text: text.replace("unsubscribe/", ""))

    assert _codes(problems) == {("unsubscribe-text", "error")}
    assert problems[0].path == "templates/mail/digest.txt"


def test_without_the_header_no_link_counts_as_the_way_out() -> None:
    problems = _problems(message=lambda whole: whole.replace(b"List-Unsubscribe: ", b"X-Gone: ", 1))

    assert {"header-count", "unsubscribe-html", "unsubscribe-text"} <= {code for code, _ in _codes(problems)}


@pytest.mark.parametrize(
    ("style", "found"),
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
def test_text_is_held_against_the_background_it_stands_on(style: str, found: set[tuple[str, str]]) -> None:
    assert _codes(_problems(_with(f'<p style="{style}">words</p>'))) == found


def test_a_link_without_a_colour_is_blue() -> None:
    link = '<div style="background-color:#333;color:#fff"><a href="https://example.org/">words</a></div>'

    faint = _problems(_with(link))

    assert ("contrast", "error") in _codes(faint)
    assert "#0000ee on #333333 by day" in faint[0].message


def test_the_dark_scheme_is_judged_by_itself() -> None:
    grey = _problems(_swapped(".page { background-color: #111214 !important; }", ".page { }"))
    faint = _problems(_swapped("color: #e9e5de !important", "color: #333333 !important"))
    weak = _problems(_swapped("color: #e9e5de !important", "color: #e9e5de"))

    assert _codes(grey) == set()
    for problems in (faint, weak):
        assert ("contrast", "error") in _codes(problems)
        assert all("in the dark scheme" in each.message for each in problems)


def test_the_more_special_rule_of_the_dark_scheme_counts() -> None:
    later = _swapped(
        DARK,
        f"{DARK} td .body p.named {{ color: #e9e5de !important }} .body p {{ color: #222222 !important }}",
    )
    both = _problems(lambda page: later(_with('<p class="named">light</p>')(page)))

    assert ("contrast", "error") in _codes(both)
    assert "“light”" not in both[0].message


def test_a_title_that_only_looks_like_a_host_holds_nothing() -> None:
    page = _with('<a href="https://example.org/next.html">Next.js</a>')

    assert _codes(_found(edition(post(title="Next.js")))) == set()
    assert _codes(_problems(page)) == {("link-disguised", "warning")}


def test_a_letter_that_gmail_may_cut_off_is_told_of() -> None:
    large = DIGEST._replace(sizes={**DIGEST.sizes, "html": 110_000})
    encoded = MESSAGE + b"x" * 110_000

    assert _codes(letter_problems(MADE, large, MESSAGE, 200_000)) == {("clipped", "warning")}
    assert _codes(letter_problems(MADE, DIGEST, encoded, WEEKLY.max_bytes)) == {("clipped", "warning")}


def test_many_faults_of_a_kind_are_told_once() -> None:
    (problem,) = _problems(_with("<video>x</video>" * 5))

    assert problem.message.endswith("(4 more like it.)")


def test_marks_that_an_author_wrote_are_no_leftovers() -> None:
    made = edition(post(title="What {{ title }} does", summary="{% if %}", html="<p>{{ 7 * 7 }} {# x #}</p>"))

    assert _found(made) == ()


def test_a_mark_in_the_settings_is_a_leftover() -> None:
    site = SETTINGS.site._replace(description="By {{ site.title }}")

    assert ("template-mark", "error") in _codes(_found(MADE, SETTINGS._replace(site=site)))


@pytest.mark.parametrize("count", [1, 4, 12, 40])
@pytest.mark.parametrize("display", Display)
@pytest.mark.parametrize("make", [rich_post, arabic_post, chinese_post, hostile_post])
def test_shipped_letters_pass(make: Callable[[str], Post], display: Display, count: int) -> None:
    most = 40 if display is Display.HEADLINE else 12
    posts = [make(f"number-{number}") for number in range(min(count, most))]
    made = edition()._replace(items=tuple(Item(each, display) for each in posts), more=(post("more"),))
    whole = ARABIC if make is arabic_post else SETTINGS

    assert [each for each in _found(made, whole) if each.code != "mail.clipped"] == []


def test_the_seed_passes_without_a_warning() -> None:
    assert _found(edition(seed_post())) == ()


ODD = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("<>&\"'{}%#/=;:! \r\n")), max_size=80)
PIECES = st.lists(
    st.one_of(
        ODD,
        st.sampled_from(
            ["<style>", "@media", "(prefers-color-scheme: dark)", "{", "}", "<a href='", "http://[", "'>", "<td bgcolor=x>", "#", "!important", "<a id=p1>", "color:"]
        ),
    )
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(page=PIECES, text=ODD, message=st.one_of(st.binary(max_size=200), PIECES.map(str.encode)))
def test_no_letter_makes_it_fail(page: str, text: str, message: bytes) -> None:
    odd = DIGEST._replace(html=page, text=text)

    found = letter_problems(MADE, odd, message, WEEKLY.max_bytes)

    assert any(each.severity is Severity.ERROR for each in found)
    assert all(each.cure and each.code.startswith("mail.") and each.message.isprintable() for each in found)


@settings(max_examples=40, deadline=None)
@given(title=ODD, summary=ODD, html=PIECES)
def test_no_post_makes_a_letter_that_is_held(title: str, summary: str, html: str) -> None:
    found = _found(edition(post(title=f"Title {title}", summary=summary, html=html)))

    assert [each for each in found if each.severity is Severity.ERROR] == []


def test_a_post_may_speak_of_style_sheets() -> None:
    words = "@import url(https://example.org/a.css);"
    found = _found(edition(post(title=words, summary=words, html=f"<pre><code>{words}</code></pre>")))

    assert [each for each in found if each.severity is Severity.ERROR] == []


def _found(made: Edition, whole: Settings = SETTINGS) -> tuple[Problem, ...]:
    digest: Digest = digest_of(made, whole)
    return letter_problems(made, digest, specimen(digest.letter, whole, WEEKLY, made.slot), WEEKLY.max_bytes)


SOURCE = """---
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
    changed = DIGEST._replace(html=_with(f"<section>{markup}</section>")(DIGEST.html))

    found = letter_problems(
        MADE, changed, MESSAGE, WEEKLY.max_bytes, {MADE.posts[0].path: SOURCE}.__getitem__
    )

    assert {each.line for each in found} == {line}
    assert {each.path for each in found} == {f"posts/{MADE.posts[0].path}"}
