"""What all commands share: exit codes, one document with --json, and messages instead of tracebacks."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ketapress.cli.main import COMMANDS
from support.cli_runner import ketapress

READ_COMMANDS = (["check"], ["queue"], ["preview"], ["status"], ["outbox", "list"], ["subscribers", "list"])


@pytest.mark.parametrize("words", READ_COMMANDS, ids=" ".join)
def test_json_is_one_document_on_stdout(publication: Path, words: list[str]) -> None:
    outcome = ketapress(publication, *words, "--json")
    assert outcome.document["schema"] == 1
    assert outcome.document["command"] == " ".join(words)
    assert set(outcome.document) == {"schema", "command", "at", "result", "problems"}


def test_wrong_settings_end_with_78_and_name_file_and_line(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("schedule =", "shedule ="))
    outcome = ketapress(publication, "publish")
    assert outcome.exit_code == 78
    assert "ketapress.toml:11" in outcome.stderr
    assert "`schedule`" in outcome.stderr


def test_a_folder_that_is_no_publication_says_how_to_make_one(tmp_path: Path) -> None:
    outcome = ketapress(tmp_path, "publish")
    assert outcome.exit_code == 78
    assert "ketapress init" in outcome.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["compose", "daily"],
        ["compose", "--now"],
        ["queue", "--from", "soon"],
        ["explain", "weekly"],
        ["explain", "weekly/someday"],
        ["outbox", "show", "weekly/2023-06-12T0800"],
        ["explain", "weekly/2023-06-13T0300"],
        ["publish", "--at", "noon"],
        ["publish", "--at", "9999-12-31T23:59"],
        ["queue", "--from", "0001-01-01"],
        ["queue", "--from", "2026-12-10", "--to", "2026-12-01"],
        ["subscribers", "import", "/nowhere.csv"],
        ["new", " "],
        ["new"],
        ["publish", "--bogus"],
        ["unheard-of"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(publication: Path, words: list[str]) -> None:
    outcome = ketapress(publication, *words)
    assert outcome.exit_code == 2
    assert outcome.stderr
    document = ketapress(publication, *words, "--json").document
    assert document["problems"][0]["message"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(publication: Path, name: str) -> None:
    outcome = ketapress(publication, name, "--help")
    assert outcome.exit_code == 0
    assert "Usage:" in outcome.stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from ketapress.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*[m for m in sys.modules if m.split('.')[0] in "
        "('sqlalchemy','jinja2','premailer','feedgen','lxml','asyncio','alembic','apscheduler','rich','nh3','yaml')], file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stderr.strip() == ""
    assert "publish" in process.stdout


def test_who_only_looks_at_a_lock_keeps_nobody_out(
    publication: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ketapress.system import lock

    with lock.publication_lock(publication, "publish"):
        assert str(os.getpid()) in lock.lock_holder(publication, "publish")
    with (publication / ".ketapress/publish.lock").open() as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_SH)
        monkeypatch.setattr(
            "ketapress.system.lock.time.sleep", lambda _: fcntl.flock(lock_file, fcntl.LOCK_UN)
        )
        with lock.publication_lock(publication, "publish"):
            assert lock.lock_holder(publication, "publish")
    assert lock.lock_holder(publication, "publish") == ""


def test_two_publishers_at_a_time_are_refused_with_the_number_of_the_first(publication: Path) -> None:
    from ketapress.system.lock import publication_lock

    with publication_lock(publication, "publish"):
        outcome = ketapress(publication, "publish")
    assert outcome.exit_code == 1
    assert "another Ketapress process" in outcome.stderr


@pytest.mark.parametrize(
    "line", ['late_posts = "999999999999d"', 'publish_at = "25:00"', 'late_posts = "200000d"']
)
def test_settings_at_the_edge_of_the_calendar_are_refused(publication: Path, line: str) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(f"{toml.read_text()}\n[posts]\n{line}\n")
    assert ketapress(publication, "publish").exit_code == 78


@pytest.mark.parametrize("starts", ["0001-01-01", "9999-12-31"])
def test_a_newsletter_starts_in_our_times(publication: Path, starts: str) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("2023-06-05", starts))
    assert ketapress(publication, "publish").exit_code == 78


def test_a_subject_without_end_is_refused(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + "subject = \"{{ 'a' * 100000 }}\"\n")
    outcome = ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    assert outcome.exit_code == 78
    assert "newsletters.weekly.subject" in outcome.stderr


def test_lost_ids_stop_everything_before_a_post_is_mailed_twice(publication: Path) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    (publication / "posts" / ".published.jsonl").unlink()
    outcome = ketapress(publication, "publish", "--at", "2023-06-26T09:00")
    assert outcome.exit_code == 78
    assert "backup" in outcome.stderr
