"""One screen for whoever keeps it running."""

from pathlib import Path

from ketapress.testing import ScriptedRelay
from walk import ketapress


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
    assert "127.0.0.1" in outcome.result["relay"]["last_reply"]


def test_db_upgrade_of_a_new_folder_and_again(publication: Path) -> None:
    assert ketapress(publication, "db", "upgrade").exit_code == 0
    assert "already" in ketapress(publication, "db", "upgrade").stdout


def test_a_backup_is_a_whole_copy_and_never_overwrites(publication: Path, tmp_path: Path) -> None:
    ketapress(publication, "subscribers", "add", "ann@example.net")
    copy = tmp_path / "copy.db"
    assert ketapress(publication, "db", "backup", str(copy)).exit_code == 0
    assert b"ann@example.net" in copy.read_bytes()
    assert ketapress(publication, "db", "backup", str(copy)).exit_code == 1
