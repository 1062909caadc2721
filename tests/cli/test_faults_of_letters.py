"""A letter that clients or filters would take amiss is held, and every door says why."""

from pathlib import Path

import pytest

from support.cli_runner import ketapress
from support.factories import REPOSITORY

AT = "2023-06-12T09:00"


@pytest.fixture
def with_script(publication: Path) -> Path:
    """A publication whose template of mail has a film in it."""
    file = publication / "templates" / "mail" / "digest.html"
    file.parent.mkdir(parents=True)
    shipped = (REPOSITORY / "templates" / "mail" / "digest.html").read_text()
    file.write_text(shipped.replace("<h1", "<video>A film</video><h1", 1))
    return publication


def test_an_edition_with_a_faulty_letter_is_held_until_a_person_releases_it(with_script: Path) -> None:
    composed = ketapress(with_script, "compose", "--at", AT, "--json")
    (edition,) = composed.result["editions"]
    shown = ketapress(with_script, "outbox", "show", "weekly/2023-06-12T0800").stdout
    released = ketapress(with_script, "outbox", "release", "weekly/2023-06-12T0800", "--at", AT)

    assert composed.exit_code == 1
    assert edition["state"] == "held"
    assert [(each["code"], each["path"]) for each in edition["problems"]] == [
        ("mail.not-shown", "templates/mail/digest.html")
    ]
    assert "<video> does not work in mail" in shown
    assert released.exit_code == 0


def test_a_person_reads_what_is_wrong_and_which_command_lets_it_go(with_script: Path) -> None:
    said = ketapress(with_script, "compose", "--at", AT).stdout

    assert "error: templates/mail/digest.html: In mail: <video> does not work in mail" in said
    assert "`ketapress outbox release weekly/2023-06-12T0800` lets it go." in said


@pytest.mark.parametrize("command", ["check", "preview"])
def test_check_and_preview_show_it_before_anything_is_decided(with_script: Path, command: str) -> None:
    outcome = ketapress(with_script, command, "--at", AT, "--json")

    assert outcome.exit_code == 1
    assert [each["code"] for each in outcome.document["problems"]] == ["mail.not-shown"]


def test_a_warning_holds_nothing(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + f'subject = "{"A long subject " * 12}"\n')

    outcome = ketapress(publication, "compose", "--at", AT, "--json")

    assert outcome.exit_code == 0
    assert [(each["state"], each["problems"][0]["code"]) for each in outcome.result["editions"]] == [
        ("ready", "mail.subject-long")
    ]


def test_the_post_and_the_line_that_cause_a_fault_are_named(with_script: Path) -> None:
    template = with_script / "templates" / "mail" / "digest.html"
    shipped = (REPOSITORY / "templates" / "mail" / "digest.html").read_text()
    template.write_text(shipped.replace("post.body|safe", "post.body|replace('alt=', 'data-alt=')|safe"))
    post = with_script / "posts" / "2023-06-08-sea.md"
    post.write_text("---\ntitle: The sea\n---\n\nWaves.\n\n![The sea](/pictures/sea.png)\n")

    composed = ketapress(with_script, "compose", "--at", AT, "--json")
    shown = ketapress(with_script, "outbox", "show", "weekly/2023-06-12T0800").stdout

    (problem,) = composed.result["editions"][0]["problems"]
    assert (problem["code"], problem["path"], problem["line"]) == (
        "mail.alt-missing",
        "posts/2023-06-08-sea.md",
        7,
    )
    assert "posts/2023-06-08-sea.md:7" in shown
