"""One screen for whoever keeps it running."""

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
from ketapress.system.lock import publication_lock, run_work
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
        found = ketapress(publication, "status", "--at", "2023-06-12T10:00", "--json").result
    (weekly,) = found["newsletters"]
    assert weekly["next_slot"] == "2023-06-19T08:00:00+00:00"
    assert weekly["last_edition"] == {"edition": "weekly/2023-06-12T0800", "state": "done"}
    assert weekly["subscriptions"] == {"active": 2}
    assert found["deliveries"]["sent"] == 2
    assert found["relay"]["reachable"]


def test_who_is_subscribed_is_told_before_who_left(publication: Path) -> None:
    ketapress(publication, "subscribers", "add", "ann@example.net", "bob@example.net", "cat@example.net")
    ketapress(publication, "subscribers", "remove", "bob@example.net")
    assert "subscribed  2 active, 1 left\n" in ketapress(publication, "status").stdout


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
    assert ketapress(publication, "status", "--at", "2023-06-12T10:00").exit_code == 0
    ketapress(publication, "subscribers", "add", "ann@example.net")
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    ketapress(publication, "send", "--at", "2023-06-12T09:00")
    outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    assert outcome.exit_code == 1
    assert "1 message cannot go out: smtp://127.0.0.1:1 does not let us in." in outcome.stdout


def test_status_tells_which_parts_of_run_are_up(publication: Path) -> None:
    assert "run\n  not up here; " in ketapress(publication, "status").stdout
    with publication_lock(publication, run_work("delivery")), publication_lock(publication, run_work("web")):
        screen = ketapress(publication, "status").stdout
        found = ketapress(publication, "status", "--json").result["run"]
    assert f"run\n  delivery, web  process {os.getpid()} on " in screen
    assert [each["part"] for each in found] == ["delivery", "web"]
    assert all(each["process"].startswith(f"{os.getpid()} on ") for each in found)
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
    assert "3 messages were in the hands of a process that is gone; 1 may have been accepted" in told(
        publication
    )
    with publication_lock(publication, "send"):
        assert "process that is gone" not in told(publication)
    with publication_lock(publication, run_work("delivery")):
        assert "process that is gone" not in told(publication)


def told(publication: Path) -> str:
    outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    assert outcome.exit_code == 1  # its relay is not there
    return outcome.stdout


def test_a_disk_without_room_needs_a_person(publication: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of a disk cannot be had smaller without rights; what it says of itself can."""
    usage = shutil.disk_usage(publication)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    assert outcome.exit_code == 1
    assert "1 MB are free on its disk" in outcome.stdout
    assert "Make room" in outcome.stdout


def on_a_terminal(folder: Path, columns: int, **environ: str) -> str:
    """What `status` shows on a terminal of that width, with its colours."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    clean = {
        name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}
    }
    command = [sys.executable, "-m", "ketapress", "-C", str(folder), "status", "--at", "2023-06-12T10:00"]
    done = subprocess.run(
        command, stdout=theirs, stderr=subprocess.PIPE, env={**clean, **environ}, check=False
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.stderr == b""
    return shown.replace("\r\n", "\n")


@pytest.fixture
def troubled(publication: Path) -> Path:
    """An edition that is held, a bad post, and no relay."""
    (publication / "posts" / "bad.md").write_text("---\ntitle: No date\n---\nWords.\n")
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[relay]\nurl = "smtp://127.0.0.1:1"\n')
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    ketapress(publication, "outbox", "hold", "weekly/2023-06-12T0800")
    return publication


@pytest.mark.parametrize("columns", [40, 80])
def test_the_screen_fits_its_terminal(troubled: Path, columns: int) -> None:
    shown = on_a_terminal(troubled, columns)
    assert "\x1b[" in shown
    lines = click.unstyle(shown).splitlines()
    whole = [line for line in lines if len(line.strip().split(" ")) > 1]
    assert max(map(len, whole)) <= columns
    assert "2 need a person" in lines
    assert len(lines) < {40: 60, 80: 30}[columns]


def test_no_colour_where_none_is_wanted(troubled: Path) -> None:
    assert "\x1b" not in on_a_terminal(troubled, 80, NO_COLOR="1")


def test_into_a_pipe_lines_are_whole_and_plain(troubled: Path) -> None:
    shown = ketapress(troubled, "status", "--at", "2023-06-12T10:00").stdout
    assert "\x1b" not in shown
    assert "  next slot  Mon 19 Jun 2023, 08:00 UTC (in 6 days)\n" in shown
    assert "  !  posts/bad.md:" in shown
    assert "  !  outbox/weekly/2023-06-12T0800: weekly/2023-06-12T0800 is held: a person held it.\n" in shown


def test_many_bad_posts_do_not_fill_the_screen(publication: Path) -> None:
    for number in range(30):
        (publication / "posts" / f"bad-{number}.md").write_text("---\ntitle: No date\n---\nWords.\n")
    shown = ketapress(publication, "status")
    assert shown.stdout.count("!  posts/bad-") == 5
    assert "and 25 more" in shown.stdout
    assert shown.exit_code == 1


@pytest.mark.parametrize("name", ["posts", "outbox", "public"])
def test_a_folder_that_may_not_be_used_needs_a_person(
    publication: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Root may use any folder; what the system says of it can be had without rights."""
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != name and allowed(path, mode))
    outcome = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    assert outcome.exit_code == 1
    assert f"{name} cannot be used by user" in outcome.stdout


def test_the_screen_is_there_where_posts_cannot_be_read(publication: Path) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    ids = publication / "posts" / ".published.jsonl"
    ids.unlink()
    lost = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    ids.mkdir()
    unreadable = ketapress(publication, "status", "--at", "2023-06-12T10:00")
    for outcome, words in (
        (lost, "the file is missing, but editions were sent"),
        (unreadable, "Is a directory"),
    ):
        assert outcome.exit_code == 1
        assert words in outcome.stdout
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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""
    assert "last edition  weekly/2023-06-12T0800" in done.stdout
