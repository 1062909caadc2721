"""`ketapress doctor` as ops run it: each finding with its cure, nothing changed, nothing sent."""

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


def configured(folder: Path, text: str) -> None:
    toml = folder / "ketapress.toml"
    toml.write_text(f"{toml.read_text()}\n{text}\n")


def findings(folder: Path, zone: Any) -> dict[str, dict[str, str]]:
    outcome = ketapress(folder, "doctor", "--json", "--dns", f"127.0.0.1:{zone.port}")
    found = {each["subject"].split()[0]: each for each in outcome.result["findings"]}
    wrong = [each for each in found.values() if each["health"] in {"warning", "error"}]
    assert all(each["cure"] for each in wrong)
    codes = {each["code"] for each in outcome.document["problems"]}
    assert {f"doctor.{each['subject'].split()[0]}" for each in wrong} <= codes
    errors = any(each["health"] == "error" for each in outcome.result["findings"])
    assert outcome.exit_code == (1 if errors else 0)
    return found


@pytest.fixture
def relay() -> Any:
    with ScriptedRelay() as found:
        yield found


def test_a_new_publication_on_its_own_machine_needs_nobody(
    publication: Path, zone: Any, relay: ScriptedRelay
) -> None:
    configured(publication, f'[relay]\nurl = "{relay.url}"')
    before = hashes(publication)
    outcome = ketapress(publication, "doctor", "--dns", f"127.0.0.1:{zone.port}")
    assert outcome.exit_code == 0
    assert "lets us in without TLS" in outcome.stdout
    assert "example.org: it is reserved" in outcome.stdout
    assert hashes(publication) == before
    assert not any(each.startswith("MAIL") for each in relay.commands)


def test_ids_that_are_lost_are_an_error(publication: Path, zone: Any) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    assert "ids" not in findings(publication, zone)
    (publication / "posts" / ".published.jsonl").unlink()
    ids = findings(publication, zone)["ids"]
    assert ids["health"] == "error"
    assert "subscribers export" in ids["cure"]


def test_a_relay_that_is_not_there_is_an_error_with_its_address(publication: Path, zone: Any) -> None:
    configured(publication, '[relay]\nurl = "smtp://127.0.0.1:1"')
    relay = findings(publication, zone)["relay"]
    assert relay["health"] == "error"
    assert "127.0.0.1:1" in relay["message"]


def test_a_wrong_password_is_told_from_a_dead_relay(
    publication: Path, zone: Any, relay: ScriptedRelay
) -> None:
    relay.script(Phase.HELLO, "550 not from here")
    configured(publication, f'[relay]\nurl = "{relay.url}"')
    found = findings(publication, zone)["relay"]
    assert "at hello: 550" in found["message"]


def test_a_remote_relay_needs_the_web_door(publication: Path, zone: Any) -> None:
    configured(publication, '[relay]\nurl = "smtp://192.0.2.1:1"')
    assert findings(publication, zone)["web"]["health"] == "error"


@pytest.mark.parametrize(
    ("value", "said"),
    [("0123456789" * 4, "stands in ketapress.toml"), ("${WEAK_SECRET}", "easy to guess")],
)
def test_secrets(
    publication: Path, zone: Any, monkeypatch: pytest.MonkeyPatch, relay: ScriptedRelay, value: str, said: str
) -> None:
    monkeypatch.setenv("WEAK_SECRET", "ab" * 20)
    configured(publication, f'[relay]\nurl = "{relay.url}"\n[web]\nsecret = "{value}"')
    outcome = ketapress(publication, "doctor", "--dns", f"127.0.0.1:{zone.port}")
    assert said in outcome.stdout
    assert "ab" * 20 not in outcome.stdout


def test_a_secret_that_others_can_read(publication: Path, zone: Any) -> None:
    (publication / ".ketapress").mkdir()
    secret = publication / ".ketapress" / "secret"
    secret.write_text("0123456789abcdef" * 4)
    secret.chmod(0o644)
    assert findings(publication, zone)["secret"]["health"] == "error"
    secret.chmod(0o600)
    assert findings(publication, zone)["secret"]["health"] == "well"


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
    configured(publication, alerts)
    assert findings(publication, zone)["alerts"]["health"] == health


def test_the_backup_is_as_old_as_it_is(publication: Path, zone: Any, tmp_path: Path) -> None:
    assert findings(publication, zone)["backup"]["health"] == "well"
    ketapress(publication, "subscribers", "add", "ann@example.net")
    assert "never made" in findings(publication, zone)["backup"]["message"].replace("was ever", "never")
    ketapress(publication, "db", "backup", str(tmp_path / "copy.db"))
    found = findings(publication, zone)["backup"]
    assert found["health"] == "well"
    assert "copy.db" in found["message"]
    note = publication / ".ketapress" / "last-backup"
    note.write_text(f"{(datetime.now(UTC) - timedelta(days=8)).isoformat()} copy.db\n")
    assert findings(publication, zone)["backup"]["health"] == "warning"


def test_a_clock_behind_what_was_decided_or_written_is_an_error(publication: Path, zone: Any) -> None:
    ketapress(publication, "compose", "weekly", "--now", "--at", "2023-06-12T09:00")
    assert findings(publication, zone)["clock"]["health"] == "well"
    ahead = datetime.now(UTC) + timedelta(days=40)
    os.utime(publication / "ketapress.toml", (ahead.timestamp(), ahead.timestamp()))
    found = findings(publication, zone)["clock"]
    assert found["health"] == "error"
    assert "ketapress.toml was written at" in found["message"]


def test_a_slot_decided_by_a_clock_that_was_ahead_is_named(publication: Path, zone: Any) -> None:
    ahead = datetime.now(UTC) + timedelta(days=30)
    (publication / "posts" / "a.md").write_text(
        f"---\ntitle: A\ndate: {ahead - timedelta(days=20):%Y-%m-%d}\n---\nA.\n"
    )
    ketapress(publication, "publish", "--at", f"{ahead:%Y-%m-%dT%H:%M}")
    found = findings(publication, zone)["clock"]
    assert "was ahead then" in found["message"]
    assert "compose weekly --now" in found["cure"]


def test_a_ledger_that_does_not_add_up_is_named(publication: Path, zone: Any, relay: ScriptedRelay) -> None:
    configured(publication, f'[relay]\nurl = "{relay.url}"')
    ketapress(publication, "subscribers", "add", "ann@example.net", "bob@example.net")
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    ketapress(publication, "send", "--at", "2023-06-12T09:00")
    assert "all deliveries add up" in findings(publication, zone)["ledger"]["message"]
    with sqlite3.connect(publication / "ketapress.db") as database:
        database.execute("DELETE FROM deliveries WHERE subscription_id = 1")
    database.close()
    found = findings(publication, zone)["ledger"]
    assert found["health"] == "error"
    assert "weekly/2023-06-12T0800" in found["message"]


def test_a_database_that_is_none_is_a_finding(publication: Path, zone: Any) -> None:
    (publication / "ketapress.db").write_bytes(b"no database, and long enough to be looked at" * 100)
    assert findings(publication, zone)["database"]["health"] == "error"


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
    found = findings(publication, zone)["folder"]
    assert found["health"] == "error"
    assert str(publication / "posts") in found["message"]


@pytest.mark.parametrize(("free", "health"), [(2**40, "well"), (2**28, "warning"), (2**20, "error")])
def test_room_on_the_disk(
    publication: Path, zone: Any, monkeypatch: pytest.MonkeyPatch, free: int, health: str
) -> None:
    usage = shutil.disk_usage(publication)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    assert findings(publication, zone)["disk"]["health"] == health


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
