"""`ketapress status`: one screen for operators."""

import os
import shutil
import subprocess
import sys
import termios
from contextlib import closing
from pathlib import Path

import click
import pytest

from ketapress.store.store import open_store
from ketapress.system.lock import part_work, publication_lock
from ketapress.testing import ScriptedRelay
from support.cli_runner import ketapress
from support.factories import NOW
from support.store_fixture import claim_ids, start_sending


def test_status_tells_slots_people_deliveries_and_the_relay(publication: Path) -> None:
    with ScriptedRelay() as relay:
        toml = publication / "ketapress.toml"
        toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\n')
        ketapress(publication, "subscribers", "add", "ann@example.net", "Bob <bob@example.net>")
        ketapress(publication, "publish", "--at", "2023-06-12T09:00")
        ketapress(publication, "send", "--at", "2023-06-12T09:00")
        result = ketapress(publication, "status", "--at", "2023-06-12T10:00", "--json").result
    (weekly,) = result["newsletters"]
    assert weekly["next_slot"] == "2023-06-19T08:00:00+00:00"
    assert weekly["last_edition"] == {"edition": "weekly/2023-06-12T0800", "state": "done"}
    assert weekly["subscriptions"] == {"active": 2}
    assert result["deliveries"]["sent"] == 2
    assert result["relay"]["reachable"]


def test_who_is_subscribed_is_told_before_who_left(publication: Path) -> None:
    ketapress(publication, "subscribers", "add", "ann@example.net", "bob@example.net", "cat@example.net")
    ketapress(publication, "subscribers", "remove", "bob@example.net")
    assert "subscribers  2 active, 1 left\n" in ketapress(publication, "status").stdout


def test_status_names_what_waits_for_a_person(publication: Path) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    ketapress(publication, "outbox", "hold", "weekly/2023-06-12T0800")
    outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    assert outcome.exit_code == 1
    assert "ketapress outbox release weekly/2023-06-12T0800" in outcome.stdout


def test_a_relay_that_is_not_there_is_said_with_its_address(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[relay]\nurl = "smtp://127.0.0.1:1"\n')
    outcome = ketapress(publication, "status", "--json")
    assert outcome.result["relay"]["reachable"] is False
    assert (
        outcome.result["relay"]["last_reply"] == "connect: no connection to 127.0.0.1:1: Connection refused"
    )


def test_db_upgrade_of_a_new_folder_and_again(publication: Path) -> None:
    assert ketapress(publication, "db", "upgrade").exit_code == 0
    assert "already" in ketapress(publication, "db", "upgrade").stdout


def test_a_backup_is_a_whole_copy_and_never_overwrites(publication: Path, tmp_path: Path) -> None:
    ketapress(publication, "subscribers", "add", "ann@example.net")
    copy = tmp_path / "copy.db"
    assert ketapress(publication, "db", "backup", str(copy)).exit_code == 0
    assert b"ann@example.net" in copy.read_bytes()
    assert ketapress(publication, "db", "backup", str(copy)).exit_code == 1


def test_mail_that_waits_for_a_relay_that_is_down_needs_a_person(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[relay]\nurl = "smtp://127.0.0.1:1"\n')
    idle = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    assert idle.exit_code == 0
    assert "warning  the relay smtp://127.0.0.1:1 is not available: no connection" in idle.stdout
    assert "no problems" not in idle.stdout
    ketapress(publication, "subscribers", "add", "ann@example.net")
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    ketapress(publication, "send", "--at", "2023-06-12T09:00")
    outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    assert outcome.exit_code == 1
    assert (
        "1 message cannot be sent: the relay smtp://127.0.0.1:1 is not available: no connection"
        in outcome.stdout
    )


def test_status_tells_which_parts_of_run_are_up(publication: Path) -> None:
    assert "run\n  not running here: " in ketapress(publication, "status").stdout
    with (
        publication_lock(publication, part_work("delivery")),
        publication_lock(publication, part_work("web")),
    ):
        screen = ketapress(publication, "status").stdout
        parts = ketapress(publication, "status", "--json").result["run"]
    assert f"run\n  delivery, web  process {os.getpid()} on " in screen
    assert [part["part"] for part in parts] == ["delivery", "web"]
    assert all(part["process"].startswith(f"{os.getpid()} on ") for part in parts)
    assert ketapress(publication, "status", "--json").result["run"] == []


def test_what_a_dead_process_had_in_its_hands_needs_a_person_until_somebody_goes_on(
    publication: Path,
) -> None:
    ketapress(publication, "subscribers", "add", *(f"reader{number}@example.net" for number in range(3)))
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    with closing(open_store("sqlite:///ketapress.db", publication)) as store:
        edition = store.editions.list_all()[0].id
        store.deliveries.freeze(edition, "weekly", NOW)
        start_sending(store, edition, 1)
        claim_ids(store, edition, 2)
    assert (
        "a process ended before it finished sending 3 messages; the relay may have accepted 1"
        in status_text(publication)
    )
    with publication_lock(publication, "send"):
        assert "a process ended" not in status_text(publication)
    with publication_lock(publication, part_work("delivery")):
        assert "a process ended" not in status_text(publication)


def status_text(publication: Path) -> str:
    outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    assert outcome.exit_code == 1  # its relay is not available
    return outcome.stdout


def test_a_disk_without_room_needs_a_person(publication: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only root can fill a disk, so the reported free space is changed."""
    usage = shutil.disk_usage(publication)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    assert outcome.exit_code == 1
    assert "1 MB are free on its disk" in outcome.stdout
    assert "Free some space" in outcome.stdout


def run_on_terminal(folder: Path, columns: int, **environment: str) -> str:
    """Run `status` on a terminal of that width. Return its screen."""
    controller, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, columns))
    clean_environment = {
        name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}
    }
    command = [sys.executable, "-m", "ketapress", "-C", str(folder), "status", "--at", "2023-06-12T10:00"]
    process = subprocess.run(
        command,
        stdout=terminal,
        stderr=subprocess.PIPE,
        env={**clean_environment, **environment},
        check=False,
    )
    os.close(terminal)
    output = os.read(controller, 100_000).decode()
    os.close(controller)
    assert process.stderr == b""
    return output.replace("\r\n", "\n")


@pytest.fixture
def folder_with_problems(publication: Path) -> Path:
    """A publication with a held edition, an invalid post, and no relay."""
    (publication / "posts" / "bad.md").write_text("---\ntitle: No date\n---\nWords.\n")
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[relay]\nurl = "smtp://127.0.0.1:1"\n')
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    ketapress(publication, "outbox", "hold", "weekly/2023-06-12T0800")
    return publication


@pytest.mark.parametrize("columns", [40, 80])
def test_the_screen_fits_its_terminal(folder_with_problems: Path, columns: int) -> None:
    screen = run_on_terminal(folder_with_problems, columns)
    assert "\x1b[" in screen
    lines = click.unstyle(screen).splitlines()
    wrappable_lines = [line for line in lines if len(line.strip().split(" ")) > 1]
    assert max(map(len, wrappable_lines)) <= columns
    assert "2 problems need attention" in lines
    assert len(lines) < {40: 60, 80: 30}[columns]


def test_no_colour_where_none_is_wanted(folder_with_problems: Path) -> None:
    assert "\x1b" not in run_on_terminal(folder_with_problems, 80, NO_COLOR="1")


def test_into_a_pipe_lines_are_whole_and_plain(folder_with_problems: Path) -> None:
    screen = ketapress(folder_with_problems, "status", "--at", "2023-06-12T10:00").stdout
    assert "\x1b" not in screen
    assert "  next send time  Mon 19 Jun 2023, 08:00 UTC (in 6 days)\n" in screen
    assert "  !  posts/bad.md:" in screen
    assert "  !  outbox/weekly/2023-06-12T0800: weekly/2023-06-12T0800 is held: a person held it.\n" in screen


def test_many_bad_posts_do_not_fill_the_screen(publication: Path) -> None:
    for number in range(30):
        (publication / "posts" / f"bad-{number}.md").write_text("---\ntitle: No date\n---\nWords.\n")
    outcome = ketapress(publication, "status")
    assert outcome.stdout.count("!  posts/bad-") == 5
    assert "and 25 more" in outcome.stdout
    assert outcome.exit_code == 1


@pytest.mark.parametrize("name", ["posts", "outbox", "public"])
def test_a_folder_that_may_not_be_used_needs_a_person(
    publication: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Root may use any folder, so the reported permission is changed."""
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != name and access(path, mode))
    outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    assert outcome.exit_code == 1
    assert "cannot read or write" in outcome.stdout
    assert f"/{name}.\n" in outcome.stdout


def test_the_screen_is_there_where_posts_cannot_be_read(publication: Path) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    registry = publication / "posts" / ".published.jsonl"
    registry.unlink()
    missing_outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    registry.mkdir()
    unreadable_outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    for outcome, message in (
        (missing_outcome, "the file is missing, but editions were sent"),
        (unreadable_outcome, "Is a directory"),
    ):
        assert outcome.exit_code == 1
        assert message in outcome.stdout
        assert "last edition  weekly/2023-06-12T0800" in outcome.stdout


def test_status_loads_nothing_heavy(publication: Path) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    code = (
        "import sys; from ketapress.cli.main import main\n"
        f"try: main(['-C', {str(publication)!r}, 'status'])\n"
        "except SystemExit: pass\n"
        "print(*[m for m in sys.modules if m.split('.')[0] in "
        "('sqlalchemy','jinja2','premailer','feedgen','lxml','alembic','apscheduler','rich')], file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stderr.strip() == ""
    assert "last edition  weekly/2023-06-12T0800" in process.stdout
