"""Values that begin with characters of YAML are text where an author means text."""

from pathlib import Path

import pytest

from ketapress.model.errors import Severity
from ketapress.posts.loader import load_posts
from support.factories import NOW, settings
from support.posts_folder import load_single_post, write_publication

TITLES = {
    "!important news": "!important news",
    "!important": "!important",
    "&anchor words": "&anchor words",
    "!it's news # a comment": "!it's news",
    "!!str 2023": "2023",
    '"!quoted"': "!quoted",
    "News!": "News!",
    "Q&A now": "Q&A now",
    "A !not b": "A !not b",
}


@pytest.mark.parametrize("value", TITLES)
def test_no_word_of_a_title_is_lost(tmp_path: Path, value: str) -> None:
    post = load_single_post(tmp_path, "2023-06-07-a.md", f"---\ntitle: {value}\n---\nText.\n")
    assert post.title == TITLES[value]


def test_tags_in_lists_are_text_too(tmp_path: Path) -> None:
    post = load_single_post(
        tmp_path, "2023-06-07-a.md", "---\ntitle: A\ntags:\n  - !one\n  - two\n---\nText.\n"
    )
    assert post.tags == ("!one", "two")


def test_an_anchor_with_an_alias_stays_one(tmp_path: Path) -> None:
    post = load_single_post(tmp_path, "2023-06-07-a.md", "---\ntitle: &t Words\nsummary: *t\n---\nText.\n")
    assert (post.title, post.summary) == ("Words", "Words")


def test_a_block_of_text_stays_as_it_is(tmp_path: Path) -> None:
    post = load_single_post(tmp_path, "2023-06-07-a.md", "---\ntitle: A\nsummary: |\n  - !one\n---\nText.\n")
    assert post.summary == "- !one"


@pytest.mark.parametrize(
    "value", ["a {{ 1+1 }} b", "{{ x }}", "a {% if %} b", "{{ page.content | strip }}", "{% include x %}"]
)
def test_a_template_in_a_summary_is_named(tmp_path: Path, value: str) -> None:
    header = f'---\ntitle: "{value}"\nsummary: "{value}"\n---\nText.\n'
    library = load_posts(write_publication(tmp_path, {"2023-06-07-a.md": header}), settings(), NOW)
    assert (library.posts[0].title, library.posts[0].summary) == (value, "Text.")
    (problem,) = library.problems
    assert (problem.code, problem.severity) == ("post.header-value", Severity.WARNING)
    assert value in problem.message
