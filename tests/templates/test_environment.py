"""Templates: the shipped ones, a publication's own, and the problems of faulty ones."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings as bounds, strategies as st

from ketapress.model.errors import ConfigurationError, Problem
from ketapress.templates.environment import Templates
from support.factories import post, settings

Publication = Callable[..., Templates]


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    def make(**files: str) -> Templates:
        for name, source in files.items():
            path = tmp_path / "templates" / "own" / name.replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return Templates(tmp_path)

    return make


def problem_of(fill: Callable[[], str]) -> Problem:
    with pytest.raises(ConfigurationError) as error:
        fill()
    return error.value.problems[0]


def test_a_template_of_the_publication_wins_over_the_shipped_one(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "archive"
    folder.mkdir(parents=True)
    (folder / "style.css").write_text("body { color: {{ ink }} }")

    assert Templates(tmp_path)("archive/style.css", {"ink": "red"}) == "body { color: red }"


def test_html_and_xml_are_escaped_and_text_is_not(publication: Publication) -> None:
    templates = publication(a_html="{{ x }}", a_xml="{{ x }}", a_txt="{{ x }}")

    assert templates("own/a.html", {"x": "<&>"}) == "&lt;&amp;&gt;"
    assert templates("own/a.xml", {"x": "<&>"}) == "&lt;&amp;&gt;"
    assert templates("own/a.txt", {"x": "<&>"}) == "<&>"


def test_a_block_leaves_no_blank_line(publication: Publication) -> None:
    templates = publication(a_txt="one\n  {% if true %}\ntwo\n  {% endif %}\nthree")

    assert templates("own/a.txt", {}) == "one\ntwo\nthree"


def test_a_syntax_error_names_file_and_line(publication: Publication) -> None:
    templates = publication(broken_html="<p>\n{% if %}\n</p>")

    problem = problem_of(lambda: templates("own/broken.html", {}))

    assert (problem.code, problem.where) == ("template.syntax", "templates/own/broken.html:2")
    assert "expected" in problem.message.lower()
    assert problem.cure


def test_an_undefined_name_names_file_and_line(publication: Publication) -> None:
    templates = publication(a_html="<p>\n\n{{ titel }}</p>")

    problem = problem_of(lambda: templates("own/a.html", {}))

    assert (problem.code, problem.where) == ("template.fault", "templates/own/a.html:3")
    assert "'titel' is undefined" in problem.message


def test_a_fault_in_an_included_template_is_placed_there(publication: Publication) -> None:
    templates = publication(a_html="{% include 'own/b.html' %}", b_html="fine\n{{ post.titel }}")

    problem = problem_of(lambda: templates("own/a.html", {"post": post()}))

    assert problem.where == "templates/own/b.html:2"


@pytest.mark.parametrize("expression", ["1 / 0", "none[0]", "'a' + 1", "[]|sort|first|upper", "'x'|nosuch"])
def test_whatever_an_expression_does_wrong_is_a_problem(publication: Publication, expression: str) -> None:
    templates = publication(a_html="\n{{ " + expression + " }}")

    assert problem_of(lambda: templates("own/a.html", {})).where == "templates/own/a.html:2"


def test_a_template_that_is_not_utf_8_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.html").write_bytes(b"\xff\xfe")

    assert problem_of(lambda: Templates(tmp_path)("a.html", {})).path == "templates/a.html"


def test_a_template_that_is_not_there_is_a_problem(publication: Publication) -> None:
    problem = problem_of(lambda: publication()("archive/nothing.html", {}))

    assert (problem.code, problem.path) == ("template.missing", "templates/archive/nothing.html")


def test_a_missing_include_names_the_template_that_asks_for_it(publication: Publication) -> None:
    templates = publication(a_html="\n{% include 'own/gone.html' %}")

    problem = problem_of(lambda: templates("own/a.html", {}))

    assert problem.where == "templates/own/a.html:2"
    assert "own/gone.html" in problem.message


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__.__mro__",
        "fill.__init__.__globals__",
        "items.append(1)",
        "lipsum(100000)",
        "range(10**9)|list",
        "cycler.__init__.__globals__",
    ],
)
def test_a_template_cannot_leave_its_sandbox(publication: Publication, expression: str) -> None:
    templates = publication(a_html="{{ " + expression + " }}")
    items: list[int] = []

    assert problem_of(lambda: templates("own/a.html", {"items": items, "fill": templates})).line == 1
    assert items == []


def test_a_template_cannot_include_a_file_outside_its_folders(
    publication: Publication, tmp_path: Path
) -> None:
    (tmp_path / "secret.html").write_text("secret")
    templates = publication(a_html="{% include '../secret.html' %}")

    assert problem_of(lambda: templates("own/a.html", {})).path == "templates/own/a.html"


def test_a_line_is_plain_text_on_one_line(publication: Publication) -> None:
    source = "{{ posts[0].title }}\n{% if posts|length > 1 %} and {{ posts|length - 1 }} more{% endif %}"
    values = {"posts": [post("tea & cake"), post("two")]}

    assert publication().render_line(source, values, "newsletters.weekly.subject") == "Tea & Cake and 1 more"


@pytest.mark.parametrize("source", ["{{ posts[0].titel }}", "{{ posts", "{{ posts[1].title }}"])
def test_a_wrong_line_names_its_setting(publication: Publication, source: str) -> None:
    templates = publication()

    problem = problem_of(
        lambda: templates.render_line(source, {"posts": [post()]}, "newsletters.weekly.subject")
    )

    assert problem.code == "template.line"
    assert "`newsletters.weekly.subject`" in problem.message


@bounds(max_examples=100, deadline=None)
@given(title=st.text())
def test_no_title_breaks_the_line(title: str) -> None:
    line = Templates(Path("/nowhere")).render_line("{{ title }}", {"title": title}, "subject")

    assert line == " ".join(title.split())


def test_days_are_those_of_the_sites_zone(publication: Publication) -> None:
    site = settings().site
    values = {"site": site, "post": post()}
    templates = publication(a_txt="{{ post.date|day }} {{ post.date|isoformat }}")

    assert templates("own/a.txt", values) == "7 June 2023 2023-06-07T06:00:00+00:00"
