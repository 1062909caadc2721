"""Settings that stopped meaning what they meant are named by `check`, `status` and `doctor`."""

import socket
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from ketapress.model.tags import has_tag
from ketapress.testing import ScriptedRelay
from support.cli_runner import Outcome, ketapress

AT = "2023-06-12T09:00"


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as relay:
        yield relay


def edit(publication: Path, old: str, new: str) -> None:
    toml = publication / "ketapress.toml"
    assert old in toml.read_text()
    toml.write_text(toml.read_text().replace(old, new))


def texts(publication: Path) -> dict[str, str]:
    """What each of the three commands says, for people."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        dns = f"127.0.0.1:{silent.getsockname()[1]}"
        outcomes: dict[str, Outcome] = {
            "check": ketapress(publication, "check", "--at", AT),
            "status": ketapress(publication, "status", "--at", AT),
            "doctor": ketapress(publication, "doctor", "--dns", dns),
        }
    return {name: " ".join((outcome.stdout + outcome.stderr).split()) for name, outcome in outcomes.items()}


def test_a_newsletter_with_subscribers_that_is_gone(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    ketapress(publication, "subscribers", "add", "a@example.org", "b@example.org")
    edit(publication, "[newsletters.weekly]", "[newsletters.news]")
    for name, text in texts(publication).items():
        assert "2 subscribers of `weekly`" in text, name
        assert "change its name back to [newsletters.weekly]" in text, name


def test_a_renamed_newsletter_mails_nothing_again(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    edit(publication, "[newsletters.weekly]", "[newsletters.news]")
    outcome = ketapress(publication, "publish", "--at", "2023-06-19T09:00", "--json")
    assert outcome.exit_code == 1
    assert outcome.result["editions"] == []
    assert [problem["code"] for problem in outcome.document["problems"]] == ["newsletter.renamed"]
    edit(publication, "[newsletters.news]", "[newsletters.weekly]")
    assert ketapress(publication, "publish", "--at", "2023-06-19T09:00").exit_code == 0


def test_another_newsletter_begins_when_a_person_says_so(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    edit(publication, "[newsletters.weekly]", "[newsletters.news]")
    ketapress(publication, "compose", "news", "--now", "--at", "2023-06-14T09:00")
    (publication / "posts" / "2023-06-15-new.md").write_text("---\ntitle: New\n---\nNew.\n")
    ketapress(publication, "publish", "--at", "2023-06-15T12:00")
    outcome = ketapress(publication, "publish", "--at", "2023-06-19T09:00", "--json")
    assert [edition["edition"] for edition in outcome.result["editions"]] == ["news/2023-06-19T0800"]


def test_a_new_newsletter_beside_the_old_one_is_no_question(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    toml = publication / "ketapress.toml"
    second = toml.read_text().split("[newsletters.weekly]")[1]
    toml.write_text(f"{toml.read_text()}\n[newsletters.news]{second}")
    outcome = ketapress(publication, "publish", "--at", AT, "--json")
    assert [edition["edition"] for edition in outcome.result["editions"]] == ["news/2023-06-12T0800"]


@pytest.mark.parametrize("tags", ['["Nothing"]', '["wombats", "yaks"]'])
def test_a_selection_that_no_post_matches(publication: Path, tags: str) -> None:
    (publication / "posts" / "2023-06-08-a.md").write_text("---\ntitle: A\ntags: [news]\n---\nA.\n")
    edit(publication, "[newsletters.weekly]", f"[newsletters.weekly]\ntags = {tags}")
    output = ketapress(publication, "doctor", "--dns", "127.0.0.1:9").stdout
    assert "selects no post" in " ".join(output.split())
    for name, text in texts(publication).items():
        assert "`newsletters.weekly.tags` selects no post" in text, name


@pytest.mark.parametrize("header", ["draft: true", "hold: true", "date: 2023-09-01", "title: B"])
def test_a_post_that_is_yet_to_come_is_a_match(publication: Path, header: str) -> None:
    (publication / "posts" / "2023-06-08-a.md").write_text(f"---\n{header}\ntags: [news]\n---\nA.\n")
    edit(publication, "[newsletters.weekly]", '[newsletters.weekly]\ntags = ["NEWS"]')
    for name, text in texts(publication).items():
        assert "selects no post" not in text, name


def test_a_schedule_without_a_slot(publication: Path) -> None:
    edit(publication, "0 8 * * mon", "0 8 30 2 *")
    for name, text in texts(publication).items():
        assert "has no send time" in text or "is not valid" in text, name


def test_another_domain_of_the_sender(publication: Path, relay: ScriptedRelay) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\n')
    ketapress(publication, "subscribers", "add", "a@example.org")
    ketapress(publication, "publish", "--at", AT)
    assert ketapress(publication, "send", "--at", AT).exit_code == 0
    assert all("is now sent from" not in text for text in texts(publication).values())
    edit(publication, "digest@example.org", "digest@letters.example")
    for name, text in texts(publication).items():
        assert "weekly is now sent from letters.example" in text, name
        assert "came from example.org" in text, name


@pytest.mark.parametrize(
    ("tag", "selector"),
    [
        ("News", "news"),
        ("NEWS", "news"),
        ("Stra\u00dfe", "STRASSE"),
        ("\uff2e\uff45\uff57\uff53", "news"),
        (unicodedata.normalize("NFD", "caf\u00e9"), "Caf\u00e9"),
        ("#news", "news"),
        ("long read", "Long-Read"),
    ],
)
def test_a_subject_is_the_same_however_it_is_written(publication: Path, tag: str, selector: str) -> None:
    assert has_tag([tag], [selector])
    post = f"---\ntitle: Tagged\ntags: ['{tag}']\n---\nA.\n"
    (publication / "posts" / "2023-06-08-tagged.md").write_text(post)
    edit(publication, "[newsletters.weekly]", f'[newsletters.weekly]\ntags = ["{selector}"]')
    outcome = ketapress(publication, "publish", "--at", AT, "--json")
    assert [edition["subject"] for edition in outcome.result["editions"]] == ["Tagged"]


@pytest.mark.parametrize(
    ("tag", "selector"), [("C", "C++"), ("C#", "C++"), ("caf\u00e9", "cafe"), ("new", "news")]
)
def test_other_subjects_stay_apart(tag: str, selector: str) -> None:
    assert not has_tag([tag], [selector])
