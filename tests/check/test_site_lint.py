"""Warnings about clashing aliases, missing images and unused templates."""

from pathlib import Path

import pytest

from ketapress.check.site_lint import alias_conflicts, missing_images, unused_templates
from support.cli_runner import ketapress
from support.factories import post

SITE = "https://example.org"


def test_an_old_address_of_two_posts_is_named_with_both() -> None:
    first_post = post(path="a.md", url="2023/a.html")
    second_post = post(path="b.md", url="2023/b.html", aliases=("2023/a.html", "own/"))
    (problem,) = alias_conflicts([second_post, first_post])
    assert problem.where == "posts/b.md"
    assert "`2023/a.html` is also an address of `posts/a.md`" in problem.message


def test_pictures_that_are_not_in_public_are_one_warning(tmp_path: Path) -> None:
    (tmp_path / "public/img").mkdir(parents=True)
    (tmp_path / "public/img/a b.png").write_bytes(b"x")
    html = '<img src="https://example.org/img/a%20b.png"><img src="https://example.net/x.png">'
    assert not list(missing_images(tmp_path, SITE, [post(html=html)]))
    missing_html = (
        '<img src="https://example.org/c.png" alt="c"><img src="https://example.org/d.png?x=1&amp;y">'
    )
    (problem,) = missing_images(tmp_path, SITE, [post(path="x.md", html=html + missing_html)])
    assert problem.where == "posts/x.md"
    assert "`/c.png`" in problem.message
    assert "1 more" in problem.message


def test_what_lies_in_templates_and_is_none(tmp_path: Path) -> None:
    (tmp_path / "templates/mail/digest.txt").mkdir(parents=True)
    (tmp_path / "templates/archive").mkdir()
    for name in ("year.html", "archive/post.html", "archive/of-my-own.html"):
        (tmp_path / "templates" / name).write_text("x")
    messages = {problem.where: problem.message for problem in unused_templates(tmp_path)}
    assert messages.keys() == {"templates/mail/digest.txt", "templates/year.html"}
    assert "is a folder" in messages["templates/mail/digest.txt"]
    assert "`templates/archive/year.html`" in messages["templates/year.html"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("archive/post.html", "{{ nope }}", "templates/archive/post.html:1"),
        ("archive/year.html", "a\n{% if %}", "templates/archive/year.html:2"),
        ("mail/digest.html", "", "it is empty"),
    ],
)
def test_check_tries_the_templates_of_pages_and_mail(
    tmp_path: Path, name: str, content: str, words: str
) -> None:
    ketapress(tmp_path, "init", "--at", "2023-06-01")
    (tmp_path / "posts/a.md").write_text("---\ndate: 2023-06-05\n---\nText")
    template = tmp_path / "templates" / name
    template.parent.mkdir(parents=True, exist_ok=True)
    template.write_text(content)
    outcome = ketapress(tmp_path, "check", "--at", "2023-06-07")
    assert outcome.exit_code == 1
    assert words in outcome.stderr
