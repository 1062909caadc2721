"""What editors use before an edition is sent: queue, preview, explain, check, new, compose, approve, and init."""

from pathlib import Path

import pytest

from support.cli_runner import hashes, ketapress

AT = "2023-06-08T09:00"


def write(folder: Path, name: str, text: str) -> None:
    (folder / "posts" / name).write_text(text)


def test_the_queue_shows_slots_and_posts_by_date(publication: Path) -> None:
    write(publication, "2023-06-15-later.md", "---\ntitle: Later\n---\nTo come.\n")
    outcome = ketapress(publication, "queue", "--at", AT, "--to", "2023-06-20", "--json")
    assert [slot["slot"] for slot in outcome.result["slots"]] == ["2023-06-12T0800", "2023-06-19T0800"]
    assert outcome.result["slots"][0]["at"] == "2023-06-12T08:00:00+00:00"
    (post,) = outcome.result["posts"]
    assert post["path"] == "2023-06-15-later.md"
    assert post["publishes_at"] == "2023-06-15T06:00:00+00:00"
    assert post["newsletters"] == ["weekly"]


def test_the_queue_knows_no_slot_before_the_start(publication: Path) -> None:
    outcome = ketapress(publication, "queue", "--from", "2023-05-01", "--to", "2023-06-06", "--json")
    assert [slot["slot"] for slot in outcome.result["slots"]] == ["2023-06-05T0800"]


def test_a_preview_is_the_edition_that_is_then_composed(publication: Path) -> None:
    outcome = ketapress(publication, "preview", "weekly", "--at", AT, "--json")
    (edition,) = outcome.result["editions"]
    assert edition["edition"] == "weekly/2023-06-12T0800"
    ketapress(publication, "publish", "--at", "2023-06-12T08:00")
    assert hashes(Path(edition["folder"])) == hashes(publication / "outbox" / "weekly" / "2023-06-12T0800")


def test_a_preview_decides_nothing(publication: Path) -> None:
    ketapress(publication, "preview", "--at", "2023-06-12T09:00")
    assert not (publication / "outbox").exists()
    assert ketapress(publication, "outbox", "list", "--json").result == {"editions": []}


def test_explain_says_for_each_post_why(publication: Path) -> None:
    write(publication, "2023-06-08-draft.md", "---\ntitle: Draft\ndraft: true\n---\nNot yet.\n")
    write(publication, "2023-06-15-later.md", "---\ntitle: Later\n---\nTo come.\n")
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    outcome = ketapress(
        publication, "explain", "weekly/2023-06-12T0800", "--at", "2023-06-12T09:00", "--json"
    )
    reasons = {post["path"]: post for post in outcome.result["posts"]}
    assert outcome.result["decided"] == "composed"
    assert reasons["2023-06-07-ketamine-therapy.txt"]["included"]
    assert reasons["2023-06-08-draft.md"]["why"] == "is a draft"
    assert "after this window" in reasons["2023-06-15-later.md"]["why"]


def test_explain_tells_of_a_slot_to_come(publication: Path) -> None:
    outcome = ketapress(publication, "explain", "weekly/2023-06-12T0800", "--at", AT, "--json")
    assert outcome.result["decided"] is None
    assert [post["included"] for post in outcome.result["posts"]] == [True]


def test_explain_says_that_a_send_time_was_merged_into_a_later_edition(publication: Path) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    text = ketapress(publication, "explain", "weekly/2023-06-05T0800", "--at", "2023-06-12T09:00").stdout
    assert text.splitlines()[0] == "weekly/2023-06-05T0800: part of a later edition."


def test_drafts_held_and_future_posts_leak_nowhere(publication: Path) -> None:
    for name, header in (
        ("a", "draft: true"),
        ("b", "hold: true"),
        ("c", "date: 2023-07-01"),
        ("d", "published: false"),
    ):
        date = "" if "date" in header else "date: 2023-06-08\n"
        write(
            publication,
            f"{name}.md",
            f"---\ntitle: Secret {name}\n{date}{header}\ntags: [zebratag]\n---\nConfidential.\n",
        )
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    for folder in ("public", "outbox"):
        for file in (publication / folder).rglob("*"):
            if file.is_file() and file.suffix != ".gz":
                assert b"Confidential" not in file.read_bytes(), file
                assert b"zebratag" not in file.read_bytes(), file


def test_check_counts_add_up(publication: Path) -> None:
    write(publication, "no-date.md", "Nothing.\n")
    write(publication, "broken.md", "---\ntitle: [\n---\nx\n")
    outcome = ketapress(publication, "check", "--at", AT, "--json")
    assert outcome.exit_code == 1
    assert outcome.result == {"files": 3, "posts": 1, "problem_files": 2}
    for problem in outcome.document["problems"]:
        assert problem["path"]
        assert problem["message"]
        assert problem["cure"]


def test_check_finds_nothing_in_a_sound_folder(publication: Path) -> None:
    outcome = ketapress(publication, "check", "--at", AT)
    assert outcome.exit_code == 0
    assert "1 file: 1 post. No problems found." in outcome.stdout


def test_check_tries_the_templates_also_when_no_edition_is_coming(publication: Path) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    file = publication / "templates" / "mail" / "digest.html"
    file.parent.mkdir(parents=True)
    file.write_text("{{ nobody.knows }}")
    outcome = ketapress(publication, "check", "--at", "2023-06-12T10:00")
    assert outcome.exit_code == 1
    assert "templates/mail/digest.html:1" in outcome.stderr


def test_check_warns_of_settings_that_will_disappoint(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(
        toml.read_text().replace("digest@", "noreply@").replace("postal_address", "# postal_address")
    )
    outcome = ketapress(publication, "check", "--at", AT, "--json")
    assert outcome.exit_code == 0
    assert {problem["code"] for problem in outcome.document["problems"]} == {
        "settings.noreply",
        "settings.postal-address",
    }
    assert {problem["severity"] for problem in outcome.document["problems"]} == {"warning"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("mail/digest.html", "{% if %}"),
        ("mail/digest.html", "{{ nobody.knows }}"),
        ("mail/digest.txt", "no way out"),
    ],
)
def test_a_broken_template_is_refused_before_anything_is_decided(
    publication: Path, template: str, text: str
) -> None:
    file = publication / "templates" / template
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert f"templates/{template}" in ketapress(publication, "check", "--at", AT).stderr
    outcome = ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    assert outcome.exit_code == 78
    assert f"templates/{template}" in outcome.stderr
    file.unlink()
    again = ketapress(publication, "publish", "--at", "2023-06-12T09:00", "--json")
    assert len(again.result["editions"]) == 1


def test_a_new_post_is_a_draft_and_never_overwrites(publication: Path) -> None:
    outcome = ketapress(publication, "new", "A title: with signs", "--at", AT, "--json")
    assert outcome.exit_code == 0
    path = Path(outcome.result["path"])
    assert path.name == "2023-06-08-a-title-with-signs.md"
    assert ketapress(publication, "new", "A title: with signs", "--at", AT).exit_code == 1
    assert ketapress(publication, "check", "--at", AT).exit_code == 0


def test_compose_now_makes_an_edition_outside_the_schedule(publication: Path) -> None:
    outcome = ketapress(publication, "compose", "weekly", "--now", "--at", "2023-06-08T10:30", "--json")
    (edition,) = outcome.result["editions"]
    assert (edition["edition"], edition["state"]) == ("weekly/2023-06-08T1030", "ready")
    later = ketapress(publication, "publish", "--at", "2023-06-12T09:00", "--json")
    assert later.result["slots"] == [{"newsletter": "weekly", "slot": "2023-06-12T0800", "decided": "empty"}]


def test_compose_now_takes_what_was_published_in_this_very_minute(publication: Path) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00:00")
    (publication / "posts" / "2023-06-12-news.md").write_text("Something has happened just now.\n")
    ketapress(publication, "build", "--at", "2023-06-12T09:30:40")

    outcome = ketapress(publication, "compose", "weekly", "--now", "--at", "2023-06-12T09:30:41", "--json")

    (edition,) = outcome.result["editions"]
    assert (edition["edition"], len(edition["posts"])) == ("weekly/2023-06-12T0930", 1)
    later = ketapress(publication, "publish", "--at", "2023-06-19T09:00", "--json")
    assert [slot["decided"] for slot in later.result["slots"]] == ["empty"]


def test_an_edition_that_needs_approval_waits_for_it(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + 'approval = "one"\n')
    outcome = ketapress(publication, "publish", "--at", "2023-06-12T09:00", "--json")
    assert outcome.exit_code == 1
    assert outcome.result["editions"][0]["state"] == "awaiting approval"
    assert not (publication / "public" / "archive" / "weekly").exists()
    approved = ketapress(
        publication, "outbox", "approve", "weekly/2023-06-12T0800", "--at", "2023-06-12T10:00", "--json"
    )
    assert approved.result["state"] == "ready"
    ketapress(publication, "build", "--at", "2023-06-12T10:00")
    assert (publication / "public" / "archive" / "weekly" / "2023-06-12T0800.html").exists()
    assert ketapress(publication, "outbox", "approve", "weekly/2023-06-12T0800").exit_code == 1


def test_init_and_publish_show_an_edition_at_once(tmp_path: Path) -> None:
    assert ketapress(tmp_path, "init", "letter", "--at", "2023-06-07T10:05").exit_code == 0
    outcome = ketapress(tmp_path / "letter", "publish", "--at", "2023-06-07T10:06", "--json")
    assert outcome.exit_code == 0
    assert [edition["subject"] for edition in outcome.result["editions"]] == ["Welcome"]
    again = ketapress(tmp_path, "init", "letter")
    assert again.exit_code == 1
    assert "already" in again.stderr
