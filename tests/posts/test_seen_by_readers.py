"""Dates that are missing, directions and summaries: what readers see of posts that say little about themselves."""

from pathlib import Path

import pytest

from ketapress.model.errors import Severity
from ketapress.posts.loader import load_posts
from ketapress.posts.markup.markdown import split_leading_heading
from ketapress.posts.text.strip_markdown import strip_markdown
from support.factories import NOW, settings
from support.posts_folder import load_single_post, load_single_problem, write_publication


@pytest.mark.parametrize(
    ("name", "content"), [("x.md", "---\ndraft: true\n---\nText"), ("_drafts/x.md", "Text")]
)
def test_a_draft_needs_no_date_yet(tmp_path: Path, name: str, content: str) -> None:
    library = load_posts(write_publication(tmp_path, {name: content}), settings(), NOW)
    assert library.posts[0].draft
    assert not library.posts[0].visible(NOW)
    (problem,) = library.problems
    assert (problem.code, problem.severity) == ("post.no-date", Severity.WARNING)


def test_a_draft_that_gets_a_date_lies_in_its_year(tmp_path: Path) -> None:
    load_posts(write_publication(tmp_path, {"x.md": "---\ndraft: true\n---\nText"}), settings(), NOW)
    assert load_single_post(tmp_path, "x.md", "---\ndate: 2023-06-07\n---\nText").url == "2023/x.html"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("Text", 1),
        ("\n\nText", 3),
        ("---\ntitle: a\n---\n\nText", 5),
        ("---\ntitle: a\n---\n# a\n\nText", 6),
        ("# Title\n\nText", 3),
    ],
)
def test_a_missing_date_is_told_at_the_first_line_of_the_text(
    tmp_path: Path, content: str, line: int
) -> None:
    problem = load_single_problem(tmp_path, "x.md", content)
    assert (problem.code, problem.line) == ("post.no-date", line)
    assert "`Text` is not a date" in problem.message


def test_a_date_that_holds_other_fields_is_named(tmp_path: Path) -> None:
    problem = load_single_problem(tmp_path, "x.md", "---\ndate: {start_date: '2023-09-01'}\n---\nText")
    assert "`date` has `start_date`" in problem.message


@pytest.mark.parametrize(
    "content",
    [
        "---\ntitle: GitHub and Hugo\n---\nمكان نحفظ فيه ملفات مشروع كبير.\n\n```sh\ngit clone this-very-long-name\n```",
        "[مكان](https://example.org/a/very/long/path/in/letters) https://example.org/another/long/path",
        "---\ntitle: مكان نحفظ فيه ملفات\n---\n`ls -l /usr/share/dictionaries` مشروع",
    ],
)
def test_the_direction_is_that_of_the_letters_that_are_read(tmp_path: Path, content: str) -> None:
    assert load_single_post(tmp_path, "2023-06-07-x.md", content).dir == "rtl"


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        ("## A heading\n\n- one\n- two", "one two"),
        ("## A heading\n\n    code\n\n- one", "one"),
        ("| a |\n|---|\n| b |\n\n- one", "one"),
        ("## Only a heading", "Only a heading"),
        ("*June 7, 2023*\n\nText", "Text"),
        ("Posted on 7 June 2023\n\nText of 2023", "Text of 2023"),
        ("June 2023 was warm.\n\nText", "June 2023 was warm."),
    ],
)
def test_a_summary_leaves_out_dates_headings_code_and_tables(tmp_path: Path, body: str, summary: str) -> None:
    assert (
        load_single_post(tmp_path, "2023-06-07-x.md", f"---\ntitle: x\ndate: 2023-06-07\n---\n{body}").summary
        == summary
    )


def test_a_template_is_no_summary(tmp_path: Path) -> None:
    files = {"2023-06-07-x.md": "{{< youtube id >}}\n\n{% include x.html %} {{ y }}\n\nText with {{ z }}"}
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    assert library.posts[0].summary == "Text with {{ z }}"


def test_words_with_underscores_are_no_emphasis() -> None:
    assert strip_markdown("snake_case_name and _this_ and __that__") == "snake_case_name and this and that"


def test_a_title_has_no_attributes() -> None:
    assert split_leading_heading("# Title {#top .c}\nText") == ("Title", "Text")
