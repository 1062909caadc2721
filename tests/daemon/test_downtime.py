"""The daemon was down: one edition with everything since the last, and held where that is too late."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ketapress.testing import ScriptedRelay
from support.cli_runner import ketapress
from support.mailbox_clients import DAY, HOUR, MINUTE, START, Reader


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as found:
        yield found


@pytest.mark.parametrize(
    ("down", "missed"),
    [(MINUTE, 1), (3 * HOUR, 1), (3 * DAY, 3), (40 * DAY, 40)],
    ids=["a minute", "three hours", "three days", "forty days"],
)
def test_one_edition_brings_everything_since_the_last(
    tmp_path: Path, relay: ScriptedRelay, down: timedelta, missed: int
) -> None:
    reader = Reader(tmp_path, relay)
    for day in range(45):
        reader.write((START + day * DAY).date())
    reader.go_on(START + 2 * DAY)
    assert reader.inbox == [["P0000"], ["P0001"]]
    fell = START + 2 * DAY + HOUR - 30 * timedelta(seconds=1)  # half a minute before the third slot
    reader.tick(fell)
    reader.start(fell + down)
    reader.tick()
    assert reader.inbox[2:] == [[f"P{2 + number:04}" for number in range(missed)]]
    reader.go_on(fell + down + 2 * DAY)
    following = 2 + missed
    assert reader.inbox[3:] == [[f"P{following:04}"], [f"P{following + 1:04}"]]


@pytest.mark.parametrize(
    "down", [3 * HOUR, 3 * DAY, 40 * DAY], ids=["three hours", "three days", "forty days"]
)
def test_what_is_later_than_send_within_waits_for_a_person(
    tmp_path: Path, relay: ScriptedRelay, down: timedelta
) -> None:
    reader = Reader(tmp_path, relay, more='send_within = "30m"')
    for day in range(45):
        reader.write((START + day * DAY).date())
    reader.go_on(START + DAY)
    reader.start(START + DAY + down)
    reader.tick()
    assert len(reader.inbox) == 1
    ((late, state),) = [each for each in reader.states.items() if each[1] != "done"]
    assert state == "held"
    said = reader.press.heard("composed")
    assert "too late to be sent without a person" in said[0]
    ketapress(tmp_path, "outbox", "release", late)
    reader.tick()
    assert len(reader.inbox) == 2


def test_an_edition_that_was_made_but_not_begun_is_found(tmp_path: Path, relay: ScriptedRelay) -> None:
    reader = Reader(tmp_path, relay)
    reader.write(START.date())
    reader.press.clock.now = START + HOUR
    reader.press.daemon.publish_due()
    reader.start(START + 2 * HOUR)
    reader.tick()
    assert reader.inbox == [["P0000"]]


def test_the_daemon_was_down_over_nothing_new(tmp_path: Path, relay: ScriptedRelay) -> None:
    reader = Reader(tmp_path, relay)
    reader.write(START.date())
    reader.tick(START + HOUR)
    reader.start(START + 5 * DAY + HOUR)
    reader.tick()
    assert reader.inbox == [["P0000"]]
    reader.write((START + 5 * DAY).date())
    reader.tick(START + 6 * DAY + HOUR)
    assert reader.inbox == [["P0000"], ["P0001"]]
