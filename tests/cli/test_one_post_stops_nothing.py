"""No title, alias, header or template value of one post ends `publish` for other newsletters, feeds and pages."""

from pathlib import Path

import pytest

from support.cli_runner import ketapress

AT = "2023-06-12T09:00"
SECOND = """
[newsletters.other]
title = "Other"
schedule = "weekly mon 08:00"
starts = 2023-06-05
from = "Other <other@example.org>"
"""


@pytest.mark.parametrize(
    "subject",
    [
        "{{ posts[0].title }} + {{ posts[1].title }}",
        "{{ posts[0].nothing }}",
        "{{ posts[0].image.url }}",
        "{{ 1 / (posts|length - 1) }}",
        "{{ posts[0].title|nope }}",
        "{% if %}",
        "{{ posts[0].authors[0] }}",
    ],
)
def test_a_subject_that_cannot_be_filled_names_its_line_and_the_post(publication: Path, subject: str) -> None:
    toml = publication / "ketapress.toml"
    lines = [*toml.read_text().rstrip().splitlines(), f"subject = '{subject}'"]
    toml.write_text("\n".join(lines) + SECOND)
    outcome = ketapress(publication, "publish", "--at", AT, "--json")
    assert outcome.exit_code == 78
    (problem,) = outcome.document["problems"]
    assert (problem["path"], problem["line"]) == ("ketapress.toml", len(lines))
    assert "newsletters.weekly.subject" in problem["message"]
    assert "posts/2023-06-07-ketamine-therapy.txt" in problem["message"]
    assert [edition["edition"] for edition in outcome.result["editions"]] == ["other/2023-06-12T0800"]
    assert "glutamate" in (publication / "public" / "feed.xml").read_text()
    check = ketapress(publication, "check", "--at", AT, "--json")
    assert ("ketapress.toml", len(lines)) in {
        (problem["path"], problem["line"]) for problem in check.document["problems"]
    }
    toml.write_text(toml.read_text().replace(f"subject = '{subject}'\n", ""))
    next_outcome = ketapress(publication, "publish", "--at", AT, "--json")
    assert [edition["edition"] for edition in next_outcome.result["editions"]] == ["weekly/2023-06-12T0800"]


def test_the_line_of_a_subject_is_found_in_every_spelling(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    text = toml.read_text().replace("[newsletters.weekly]", '[ newsletters . "weekly" ]')
    toml.write_text(text + '"subject" = "{{ posts[7].title }}"\n')
    outcome = ketapress(publication, "publish", "--at", AT, "--json")
    (problem,) = outcome.document["problems"]
    assert problem["line"] == len(toml.read_text().splitlines())


@pytest.mark.parametrize(
    "header",
    [
        "aliases: [/feed.xml]",
        "aliases: [/feed.xml/]",
        "aliases: [/feed.xml/x.html, /atom.xml/a/b/]",
        "aliases: [/index.html, /404.html, /style.css/, /robots.txt/]",
        "aliases: [/2023/ketamine-therapy.html/, /2023/ketamine-therapy.html/deep]",
        "permalink: /feed.json/index.html",
        "permalink: /2023/",
        "aliases: ['/a\\\\b', '/../x', '//', '/.', 'http://[', '/%00', '/\u00e9/']",
        "aliases: [/a.html, /a.html/b.html, /a.html/]",
        "aliases: [/" + "x" * 300 + "/]",
        "slug: index",
        "title: '\u202e\u0007{{ posts[9] }} {% raw %}'",
        "tags: ['/', '..', '\\', 'a/b', '{{ 1 }}', '" + "t" * 300 + "']",
        "image: 'http://['",
        "authors: ['<script>', '\u202e']",
    ],
)
def test_a_header_of_one_post_leaves_the_others_alone(publication: Path, header: str) -> None:
    (publication / "posts" / "2023-06-08-odd.md").write_text(f"---\ntitle: Odd\n{header}\n---\nOdd words.\n")
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + SECOND)
    outcome = ketapress(publication, "publish", "--at", AT, "--json")
    editions = {edition["edition"] for edition in outcome.result["editions"]}
    assert editions == {"weekly/2023-06-12T0800", "other/2023-06-12T0800"}, outcome.stderr
    public = publication / "public"
    for file in ("feed.xml", "atom.xml", "feed.json", "index.html", "2023/ketamine-therapy.html"):
        assert "Ketamine Therapy" in (public / file).read_text(), file
    for problem in outcome.document["problems"]:
        assert problem["path"] == "posts/2023-06-08-odd.md", problem


def test_a_page_template_that_one_post_breaks_leaves_the_other_pages(publication: Path) -> None:
    (publication / "posts" / "2023-06-08-other.md").write_text("---\ntitle: Other\nauthor: A\n---\nWords.\n")
    template = publication / "templates" / "archive" / "post.html"
    template.parent.mkdir(parents=True)
    template.write_text("{{ post.authors[0] }}: {{ body }}")
    outcome = ketapress(publication, "publish", "--at", AT, "--json")
    assert outcome.exit_code == 78
    (problem,) = outcome.document["problems"]
    assert problem["path"] == "templates/archive/post.html"
    assert (publication / "public" / "2023" / "other.html").exists()
    assert "glutamate" in (publication / "public" / "feed.xml").read_text()
    assert ketapress(publication, "build", "--json").exit_code == 78
    assert ketapress(publication, "build", "--json").exit_code == 78
    template.write_text("{{ body }}")
    assert ketapress(publication, "build", "--json").exit_code == 0
    assert (publication / "public" / "2023" / "ketamine-therapy.html").exists()


def test_a_clash_names_both_posts(publication: Path) -> None:
    for name in ("a", "b"):
        text = f"---\ntitle: {name}\naliases: [/old/]\n---\nWords of {name}.\n"
        (publication / "posts" / f"2023-06-08-{name}.md").write_text(text)
    outcome = ketapress(publication, "build", "--json")
    (problem,) = outcome.document["problems"]
    assert problem["code"] == "build.clash"
    assert {"posts/2023-06-08-a.md", "posts/2023-06-08-b.md"} == {
        problem["path"],
        problem["message"].split("`")[3],
    }
