"""`ketapress doctor` as a command: every finding has a cure, nothing is changed, nothing is sent."""

import os
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ketapress.doctor.finding import Health
from ketapress.doctor.system import check_sqlite_version
from ketapress.model.delivery import Phase
from ketapress.testing import ScriptedRelay
from support.cli_runner import hashes, ketapress


def configure(folder: Path, text: str) -> None:
    toml = folder / "ketapress.toml"
    toml.write_text(f"{toml.read_text()}\n{text}\n")


def run_doctor(folder: Path, zone: Any) -> dict[str, dict[str, str]]:
    outcome = ketapress(folder, "doctor", "--json", "--dns", f"127.0.0.1:{zone.port}")
    by_subject = {finding["subject"].split()[0]: finding for finding in outcome.result["findings"]}
    faulty = [finding for finding in by_subject.values() if finding["health"] in {"warning", "error"}]
    assert all(finding["cure"] for finding in faulty)
    codes = {finding["code"] for finding in outcome.document["problems"]}
    assert {f"doctor.{finding['subject'].split()[0]}" for finding in faulty} <= codes
    errors = any(finding["health"] == "error" for finding in outcome.result["findings"])
    assert outcome.exit_code == (1 if errors else 0)
    return by_subject


@pytest.fixture
def relay() -> Any:
    with ScriptedRelay() as server:
        yield server


def test_a_new_publication_on_its_own_machine_needs_nobody(
    publication: Path, zone: Any, relay: ScriptedRelay
) -> None:
    configure(publication, f'[relay]\nurl = "{relay.url}"')
    original = hashes(publication)
    outcome = ketapress(publication, "doctor", "--dns", f"127.0.0.1:{zone.port}")
    assert outcome.exit_code == 0
    assert "accepts connections without TLS" in outcome.stdout
    assert "example.org: it is reserved" in outcome.stdout
    assert hashes(publication) == original
    assert not any(command.startswith("MAIL") for command in relay.commands)


def test_ids_that_are_lost_are_an_error(publication: Path, zone: Any) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    assert "ids" not in run_doctor(publication, zone)
    (publication / "posts" / ".published.jsonl").unlink()
    ids = run_doctor(publication, zone)["ids"]
    assert ids["health"] == "error"
    assert "subscribers export" in ids["cure"]


def test_a_relay_that_is_not_there_is_an_error_with_its_address(publication: Path, zone: Any) -> None:
    configure(publication, '[relay]\nurl = "smtp://127.0.0.1:1"')
    relay = run_doctor(publication, zone)["relay"]
    assert relay["health"] == "error"
    assert "127.0.0.1:1" in relay["message"]


def test_a_wrong_password_is_told_from_a_dead_relay(
    publication: Path, zone: Any, relay: ScriptedRelay
) -> None:
    relay.script(Phase.HELLO, "550 not from here")
    configure(publication, f'[relay]\nurl = "{relay.url}"')
    finding = run_doctor(publication, zone)["relay"]
    assert "at hello: 550" in finding["message"]


def test_a_remote_relay_needs_the_web_door(publication: Path, zone: Any) -> None:
    configure(publication, '[relay]\nurl = "smtp://192.0.2.1:1"')
    assert run_doctor(publication, zone)["web"]["health"] == "error"


@pytest.mark.parametrize(
    ("value", "text"),
    [("0123456789" * 4, "is in ketapress.toml"), ("${WEAK_SECRET}", "easy to guess")],
)
def test_secrets(
    publication: Path, zone: Any, monkeypatch: pytest.MonkeyPatch, relay: ScriptedRelay, value: str, text: str
) -> None:
    monkeypatch.setenv("WEAK_SECRET", "ab" * 20)
    configure(publication, f'[relay]\nurl = "{relay.url}"\n[web]\nsecret = "{value}"')
    outcome = ketapress(publication, "doctor", "--dns", f"127.0.0.1:{zone.port}")
    assert text in outcome.stdout
    assert "ab" * 20 not in outcome.stdout


def test_a_secret_that_others_can_read(publication: Path, zone: Any) -> None:
    (publication / ".ketapress").mkdir()
    secret = publication / ".ketapress" / "secret"
    secret.write_text("0123456789abcdef" * 4)
    secret.chmod(0o644)
    assert run_doctor(publication, zone)["secret"]["health"] == "error"
    secret.chmod(0o600)
    assert run_doctor(publication, zone)["secret"]["health"] == "well"


@pytest.mark.parametrize(
    ("alerts", "health"),
    [
        ("", "warning"),
        ('[alerts]\nemail = "ops@example.org"', "well"),
        ('[alerts]\ncommand = ["sh", "-c", "cat"]', "well"),
        ('[alerts]\ncommand = ["/no/such/program"]', "error"),
    ],
)
def test_somebody_is_told_of_what_needs_a_person(
    publication: Path, zone: Any, alerts: str, health: str
) -> None:
    configure(publication, alerts)
    assert run_doctor(publication, zone)["alerts"]["health"] == health


def test_the_backup_is_as_old_as_it_is(publication: Path, zone: Any, tmp_path: Path) -> None:
    assert run_doctor(publication, zone)["backup"]["health"] == "well"
    ketapress(publication, "subscribers", "add", "ann@example.net")
    assert "no backup has been made" in run_doctor(publication, zone)["backup"]["message"]
    ketapress(publication, "db", "backup", str(tmp_path / "copy.db"))
    finding = run_doctor(publication, zone)["backup"]
    assert finding["health"] == "well"
    assert "copy.db" in finding["message"]
    note = publication / ".ketapress" / "last-backup"
    note.write_text(f"{(datetime.now(UTC) - timedelta(days=8)).isoformat()} copy.db\n")
    assert run_doctor(publication, zone)["backup"]["health"] == "warning"


def test_a_clock_behind_what_was_decided_or_written_is_an_error(publication: Path, zone: Any) -> None:
    ketapress(publication, "compose", "weekly", "--now", "--at", "2023-06-12T09:00")
    assert run_doctor(publication, zone)["clock"]["health"] == "well"
    future = datetime.now(UTC) + timedelta(days=40)
    os.utime(publication / "ketapress.toml", (future.timestamp(), future.timestamp()))
    finding = run_doctor(publication, zone)["clock"]
    assert finding["health"] == "error"
    assert "ketapress.toml was written at" in finding["message"]


def test_a_slot_decided_by_a_clock_that_was_ahead_is_named(publication: Path, zone: Any) -> None:
    future = datetime.now(UTC) + timedelta(days=30)
    (publication / "posts" / "a.md").write_text(
        f"---\ntitle: A\ndate: {future - timedelta(days=20):%Y-%m-%d}\n---\nA.\n"
    )
    ketapress(publication, "publish", "--at", f"{future:%Y-%m-%dT%H:%M}")
    finding = run_doctor(publication, zone)["clock"]
    assert "was ahead then" in finding["message"]
    assert "compose weekly --now" in finding["cure"]


def test_a_ledger_that_does_not_add_up_is_named(publication: Path, zone: Any, relay: ScriptedRelay) -> None:
    configure(publication, f'[relay]\nurl = "{relay.url}"')
    ketapress(publication, "subscribers", "add", "ann@example.net", "bob@example.net")
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    ketapress(publication, "send", "--at", "2023-06-12T09:00")
    assert "the counts of deliveries add up" in run_doctor(publication, zone)["ledger"]["message"]
    with sqlite3.connect(publication / "ketapress.db") as database:
        database.execute("DELETE FROM deliveries WHERE subscription_id = 1")
    database.close()
    finding = run_doctor(publication, zone)["ledger"]
    assert finding["health"] == "error"
    assert "weekly/2023-06-12T0800" in finding["message"]


def test_a_database_that_is_none_is_a_finding(publication: Path, zone: Any) -> None:
    (publication / "ketapress.db").write_bytes(b"no database, and long enough to be looked at" * 100)
    assert run_doctor(publication, zone)["database"]["health"] == "error"


def test_wrong_settings_are_78_and_a_wrong_server_is_2(publication: Path) -> None:
    assert ketapress(publication, "doctor", "--dns", "nowhere").exit_code == 2
    (publication / "ketapress.toml").write_text("[site]\n")
    assert ketapress(publication, "doctor").exit_code == 78


def test_a_folder_that_cannot_be_written(
    publication: Path, zone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        os, "access", lambda path, _mode: Path(path).name != "posts"
    )  # root may write anywhere
    finding = run_doctor(publication, zone)["folder"]
    assert finding["health"] == "error"
    assert str(publication / "posts") in finding["message"]


@pytest.mark.parametrize(("free", "health"), [(2**40, "well"), (2**28, "warning"), (2**20, "error")])
def test_room_on_the_disk(
    publication: Path, zone: Any, monkeypatch: pytest.MonkeyPatch, free: int, health: str
) -> None:
    usage = shutil.disk_usage(publication)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    assert run_doctor(publication, zone)["disk"]["health"] == health


@pytest.mark.parametrize(
    ("version", "health"),
    [
        ((3, 40, 1), Health.WARNING),
        ((3, 44, 5), Health.WARNING),
        ((3, 44, 6), Health.OK),
        ((3, 45, 0), Health.WARNING),
        ((3, 50, 7), Health.OK),
        ((3, 51, 2), Health.WARNING),
        ((3, 51, 3), Health.OK),
        ((3, 52, 0), Health.OK),
    ],
)
def test_versions_of_sqlite_with_the_fault_of_its_log(version: tuple[int, ...], health: Health) -> None:
    assert check_sqlite_version(version).health is health
