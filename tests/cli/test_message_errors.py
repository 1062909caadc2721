"""An edition with errors in its message is held, and every command says why."""

from pathlib import Path

import pytest

from support.cli_runner import ketapress
from support.factories import REPOSITORY

AT = "2023-06-12T09:00"


@pytest.fixture
def folder(publication: Path) -> Path:
    """A publication whose mail template has a `<video>`."""
    file = publication / "templates" / "mail" / "digest.html"
    file.parent.mkdir(parents=True)
    source = (REPOSITORY / "templates" / "mail" / "digest.html").read_text()
    file.write_text(source.replace("<h1", "<video>A film</video><h1", 1))
    return publication


def test_an_edition_with_a_faulty_letter_is_held_until_a_person_releases_it(folder: Path) -> None:
    compose_outcome = ketapress(folder, "compose", "--at", AT, "--json")
    (edition,) = compose_outcome.result["editions"]
    text = ketapress(folder, "outbox", "show", "weekly/2023-06-12T0800").stdout
    release_outcome = ketapress(folder, "outbox", "release", "weekly/2023-06-12T0800", "--at", AT)

    assert compose_outcome.exit_code == 1
    assert edition["state"] == "held"
    assert [(problem["code"], problem["path"]) for problem in edition["problems"]] == [
        ("mail.not-shown", "templates/mail/digest.html")
    ]
    assert "<video> does not work in mail" in text
    assert release_outcome.exit_code == 0


def test_a_person_reads_what_is_wrong_and_which_command_lets_it_go(folder: Path) -> None:
    text = ketapress(folder, "compose", "--at", AT).stdout

    assert "error: templates/mail/digest.html: In mail: <video> does not work in mail" in text
    assert "To send it, run `ketapress outbox release weekly/2023-06-12T0800`." in text


@pytest.mark.parametrize("command", ["check", "preview"])
def test_check_and_preview_show_it_before_anything_is_decided(folder: Path, command: str) -> None:
    outcome = ketapress(folder, command, "--at", AT, "--json")

    assert outcome.exit_code == 1
    assert [problem["code"] for problem in outcome.document["problems"]] == ["mail.not-shown"]


def test_a_warning_holds_nothing(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + f'subject = "{"A long subject " * 12}"\n')

    outcome = ketapress(publication, "compose", "--at", AT, "--json")

    assert outcome.exit_code == 0
    assert [(edition["state"], edition["problems"][0]["code"]) for edition in outcome.result["editions"]] == [
        ("ready", "mail.subject-long")
    ]


def test_the_post_and_the_line_that_cause_a_fault_are_named(folder: Path) -> None:
    template = folder / "templates" / "mail" / "digest.html"
    source = (REPOSITORY / "templates" / "mail" / "digest.html").read_text()
    template.write_text(source.replace("post.body|safe", "post.body|replace('alt=', 'data-alt=')|safe"))
    post = folder / "posts" / "2023-06-08-sea.md"
    post.write_text("---\ntitle: The sea\n---\n\nWaves.\n\n![The sea](/pictures/sea.png)\n")

    outcome = ketapress(folder, "compose", "--at", AT, "--json")
    text = ketapress(folder, "outbox", "show", "weekly/2023-06-12T0800").stdout

    (problem,) = outcome.result["editions"][0]["problems"]
    assert (problem["code"], problem["path"], problem["line"]) == (
        "mail.alt-missing",
        "posts/2023-06-08-sea.md",
        7,
    )
    assert "posts/2023-06-08-sea.md:7" in text
