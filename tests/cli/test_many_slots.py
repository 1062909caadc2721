"""A newsletter whose schedule names many past slots is decided in seconds, by few rows, once."""

import time
from pathlib import Path

import pytest

from ketapress.store.store import open_store
from support.cli_runner import ketapress


@pytest.mark.parametrize(
    ("cron", "starts", "limit"),
    [("0 * * * *", "2016-01-01", 60), ("*/5 * * * *", "2022-01-01", 500), ("0 8 * * *", "1990-01-01", 60)],
)
def test_many_past_slots_are_decided_quickly_and_once(
    publication: Path, cron: str, starts: str, limit: int
) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("0 8 * * mon", cron).replace("2023-06-05", starts))
    started = time.monotonic()
    first = ketapress(publication, "publish", "--at", "2026-12-01T00:30", "--json")
    assert time.monotonic() - started < 20  # a row for each slot took more than a minute
    assert len(first.result["slots"]) < limit
    assert [slot["decided"] for slot in first.result["slots"][-2:]] == ["merged", "composed"]
    assert ketapress(publication, "publish", "--at", "2026-12-01T00:30", "--json").result["slots"] == []


def test_a_slot_in_a_range_is_merged_for_explain_and_one_before_is_not(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("0 8 * * mon", "0 8 * * *").replace("2023-06-05", "2022-01-01"))
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    words = ("--at", "2023-06-12T09:00", "--json")
    for key, decided in (
        ("2022-01-01T0800", "merged"),
        ("2022-10-30T0800", "merged"),
        ("2021-12-31T0800", None),
    ):
        explained = ketapress(publication, "explain", f"weekly/{key}", *words)
        assert explained.result["decided"] == decided
    with open_store("sqlite:///ketapress.db", publication) as store:
        assert len(store.editions.list_all()) < 10


def test_few_past_slots_are_decided_one_by_one(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("0 8 * * mon", "0 8 * * *").replace("2023-06-05", "2023-04-01"))
    slots = ketapress(publication, "publish", "--at", "2023-06-12T09:00", "--json").result["slots"]
    assert len(slots) == 73
