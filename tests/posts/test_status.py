"""Drafts and holds in the headers of many tools, and typos that would publish a draft."""

from pathlib import Path

import pytest

from ketapress.model.errors import Severity
from ketapress.posts.frontmatter.typos import suggest_name
from ketapress.posts.library import Library
from ketapress.posts.loader import load_posts
from support.factories import NOW, settings
from support.posts_folder import write_publication

NAME = "2023-06-07-x.md"


def read(root: Path, content: str) -> Library:
    return load_posts(write_publication(root, {NAME: content}), settings(), NOW)


@pytest.mark.parametrize(
    "header",
    [
        "Category: yeah\nStatus: draft\n",
        "title:Post Guide\nstatus:draft\n",
        "status:draft\n",
        "\n\nstatus: draft\n",
        "draft: true\n",
        "Author: Ada\nTags: a\nStatus: hidden\n",
        "title: x\ndraft: true\ntags:\n- a\n---\n",
        ".. title: x\n.. status: draft\n",
        "<!--\n.. title: x\n.. status: draft\n-->\n",
    ],
)
def test_a_draft_in_a_header_that_nothing_opens(tmp_path: Path, header: str) -> None:
    library = read(tmp_path, header + "\nText\n")
    assert library.problems == ()
    assert library.posts[0].draft
    assert library.posts[0].html == "<p>Text</p>"


@pytest.mark.parametrize(
    ("line", "is_draft"),
    [
        ("status: ['Draft']", True),
        ("status: [draft, x]", True),
        ("status: ['Public']", False),
        ("status: []", False),
        ("visibility: private", True),
        ("visibility: public", False),
        ("extra: {draft: true}", True),
        ("publish: false", True),
        ("publish: true", False),
        ("isDraft: true", True),
        ("is_draft: yes", True),
        ("private: false", False),
        ("hidden: false", False),
        ("password:", False),
        ("status: featured", False),
        ("permalink: false", True),
        ("extra: {render: false}", False),
        ("render: false", True),
        ("build: {render: always, list: always}", False),
    ],
)
def test_drafts_in_further_tools(tmp_path: Path, line: str, *, is_draft: bool) -> None:
    library = read(tmp_path, f"---\n{line}\n---\nText")
    assert library.problems == ()
    assert library.posts[0].draft is is_draft


@pytest.mark.parametrize(
    "lines",
    [
        "private: true",
        "hidden: true",
        "unlisted: true",
        "password: s3cret",
        "extra: {hidden: true}",
        "eleventyExcludeFromCollections: true",
        "headless: true",
        "_build: {render: never}",
        "build: {list: never}",
    ],
)
def test_a_post_for_some_readers_only_is_kept_back_with_a_warning(tmp_path: Path, lines: str) -> None:
    library = read(tmp_path, f"---\n{lines}\n---\nText")
    assert library.posts[0].draft
    (problem,) = library.problems
    assert (problem.code, problem.severity) == ("post.header-value", Severity.WARNING)
    assert "s3cret" not in str(problem)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *(("darft", "draft"), ("drfat", "draft"), ("drafts", "draft"), ("dratf", "draft"), ("daft", "draft")),
        *(
            ("publised", "published"),
            ("pubished", "published"),
            ("expire", "expires"),
            ("expries", "expires"),
        ),
        *(
            ("hodl", "hold"),
            ("dte", "date"),
            ("titel", "title"),
            ("tgas", "tags"),
            ("slgu", "slug"),
            ("di", "id"),
        ),
    ],
)
def test_a_mistyped_name_is_warned_about(tmp_path: Path, name: str, meant: str) -> None:
    library = read(tmp_path, f"---\n{name}: true\n---\nText")
    (problem,) = library.problems
    assert (problem.code, problem.severity) == ("post.header-name", Severity.WARNING)
    assert f"`{name}`" in problem.message
    assert f"`{meant}`" in problem.message


@pytest.mark.parametrize(
    "meant", ["draft", "hold", "published", "expires", "date", "title", "tags", "slug", "id"]
)
def test_what_is_written_right_is_not_mistyped(meant: str) -> None:
    assert suggest_name(meant) == ""


def test_the_names_of_other_tools_are_not_mistyped() -> None:
    names = """
    tag time type task data publishat dates publish publisher isdraft updated uid url toc layout lang image images author categories
    category weight summary description cover status subtitle rating state series theme style site file path permalink
    """
    assert [name for name in names.split() if suggest_name(name)] == []


def test_a_name_beside_the_one_it_resembles_is_meant_as_it_is(tmp_path: Path) -> None:
    assert read(tmp_path, "---\ndraft: false\ncraf: x\n---\nText").problems == ()


def test_a_name_that_the_header_gives_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    library = read(tmp_path, "---\ntitle: One\ntags:\n- a\n\ntitle: Two\n---\nText")
    (problem,) = library.problems
    assert (problem.code, problem.where) == ("post.header-name", f"posts/{NAME}:6")
    assert "`title` in line 2" in problem.message
    assert library.posts[0].title == "Two"


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        ("expires: 2023-06-01", "post.never-seen", "it is never shown"),
        ("date: 2203-06-07", "post.far", "180 years from now"),
    ],
)
def test_dates_that_keep_a_post_from_ever_being_seen(
    tmp_path: Path, lines: str, code: str, words: str
) -> None:
    (problem,) = read(tmp_path, f"---\n{lines}\n---\nText").problems
    assert (problem.code, problem.severity) == (code, Severity.WARNING)
    assert words in problem.message
