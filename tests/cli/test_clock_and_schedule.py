"""A wrong clock or an edited schedule causes no second edition, and no mail that a person did not approve."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.cli_runner import ketapress

DUE = "2023-06-12T09:00"


def list_editions(folder: Path) -> list[str]:
    return [
        edition["edition"] for edition in ketapress(folder, "outbox", "list", "--json").result["editions"]
    ]


def edit_settings(folder: Path, old: str, new: str) -> None:
    toml = folder / "ketapress.toml"
    assert old in toml.read_text()
    toml.write_text(toml.read_text().replace(old, new))


def write_post(folder: Path, name: str, date: str) -> None:
    (folder / "posts" / f"{name}.md").write_text(f"---\ntitle: {name}\ndate: {date}\n---\nWords.\n")


def publish(folder: Path, at: str) -> dict[str, Any]:
    return ketapress(folder, "publish", "--at", at, "--json").result


def test_a_clock_set_back_makes_no_second_edition(publication: Path) -> None:
    publish(publication, DUE)
    for at in ("2023-06-12T07:00", "2023-06-12T08:00", "2023-06-05T08:00", DUE):
        assert publish(publication, at)["slots"] == []
    assert list_editions(publication) == ["weekly/2023-06-12T0800"]


def test_a_clock_ten_years_ahead_decides_nothing_and_says_so(publication: Path) -> None:
    publish(publication, DUE)
    write_post(publication, "2023-06-14-second", "2023-06-14")
    outcome = ketapress(publication, "publish", "--at", "2033-06-12T09:00", "--json")
    assert outcome.exit_code == 1
    assert outcome.result["slots"] == []
    [problem] = [problem for problem in outcome.document["problems"] if problem["code"] == "clock.ahead"]
    assert "weekly/2023-06-19T0800 was missed 3646 days ago" in problem["message"]
    assert "compose weekly --now" in problem["cure"]


def test_once_the_clock_is_right_again_the_schedule_goes_on(publication: Path) -> None:
    publish(publication, DUE)
    write_post(publication, "2023-06-14-second", "2023-06-14")
    publish(publication, "2033-06-12T09:00")
    assert [slot["slot"] for slot in publish(publication, "2023-06-19T09:00")["slots"]] == ["2023-06-19T0800"]


def test_a_person_ends_a_long_silence(publication: Path) -> None:
    publish(publication, DUE)
    write_post(publication, "2023-12-01-second", "2023-12-01")
    ketapress(publication, "compose", "weekly", "--now", "--at", "2023-12-05T10:00")
    assert list_editions(publication)[0] == "weekly/2023-12-05T1000"
    assert publish(publication, "2023-12-11T09:00")["slots"] == [
        {"newsletter": "weekly", "slot": "2023-12-11T0800", "decided": "empty"}
    ]


def test_a_zone_edited_after_the_slot_repeats_nothing_and_blocks_nothing(publication: Path) -> None:
    publish(publication, DUE)
    write_post(publication, "2023-06-12-second", "2023-06-12")
    edit_settings(publication, 'timezone = "UTC"', 'timezone = "America/New_York"')
    assert publish(publication, "2023-06-12T13:00+00:00")["slots"] == []
    result = publish(publication, "2023-06-19T13:00+00:00")
    assert [slot["slot"] for slot in result["slots"]] == ["2023-06-19T0800"]


def test_a_schedule_edited_between_ticks_repeats_no_slot(publication: Path) -> None:
    publish(publication, DUE)
    write_post(publication, "2023-06-12-second", "2023-06-12")
    edit_settings(publication, "0 8 * * mon", "30 7 * * *")
    assert publish(publication, "2023-06-12T10:00")["slots"] == []
    assert [slot["slot"] for slot in publish(publication, "2023-06-13T08:00")["slots"]] == ["2023-06-13T0730"]
    edit_settings(publication, "30 7 * * *", "0 8 * * mon")
    assert publish(publication, "2023-06-13T09:00")["slots"] == []


def test_queue_shows_what_an_edit_of_the_schedule_changes_before_it_is_acted_on(publication: Path) -> None:
    publish(publication, DUE)
    assert ketapress(publication, "queue", "--at", DUE, "--json").result["changes"] == []
    edit_settings(publication, "0 8 * * mon", "daily 07:30")
    edit_settings(publication, 'timezone = "UTC"', 'timezone = "Europe/Berlin"')
    assert ketapress(publication, "queue", "--at", DUE + "+00:00", "--json").result["changes"] == [
        {
            "newsletter": "weekly",
            "before": {
                "schedule": "0 8 * * mon",
                "timezone": "UTC",
                "next_slot": "2023-06-19T08:00:00+00:00",
            },
            "after": {
                "schedule": "daily 07:30",
                "timezone": "Europe/Berlin",
                "next_slot": "2023-06-13T07:30:00+02:00",
            },
        }
    ]
    text = ketapress(publication, "queue", "--at", DUE + "+00:00").stdout
    assert "  after:  daily 07:30 (Europe/Berlin), next Tue 13 Jun 2023, 07:30 CEST" in text
    publish(publication, "2023-06-12T10:00")
    assert ketapress(publication, "queue", "--at", DUE, "--json").result["changes"] == []


def test_a_spoiled_memory_of_schedules_is_none(publication: Path) -> None:
    publish(publication, DUE)
    for text in (
        "{",
        "[]",
        '{"weekly": 3}',
        '{"weekly": {"schedule": "never", "zone": "Nowhere"}}',
        "null",
    ):
        (publication / ".ketapress" / "schedules.json").write_text(text)
        assert ketapress(publication, "queue", "--at", DUE, "--json").result["changes"] == []
    publish(publication, DUE)
    assert json.loads((publication / ".ketapress" / "schedules.json").read_text())["weekly"]["zone"] == "UTC"


@pytest.mark.parametrize("command", ["publish", "build", "compose"])
def test_who_writes_as_of_a_day_to_come_is_told_so(publication: Path, command: str) -> None:
    future = f"{datetime.now(UTC).date() + timedelta(days=3)}T09:00"
    dry_run = ketapress(publication, command, "--at", future, "--dry-run", "--json")
    assert "at.ahead" not in [problem["code"] for problem in dry_run.document["problems"]]
    real_run = ketapress(publication, command, "--at", future, "--json")
    assert "at.ahead" in [problem["code"] for problem in real_run.document["problems"]]
