"""After downtime there is one edition with everything since the last, held where it is too late."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ketapress.testing import ScriptedRelay
from support.cli_runner import ketapress
from support.mailbox_clients import DAY, HOUR, MINUTE, START, Mailbox


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as scripted_relay:
        yield scripted_relay


@pytest.mark.parametrize(
    ("downtime", "missed_count"),
    [(MINUTE, 1), (3 * HOUR, 1), (3 * DAY, 3), (40 * DAY, 40)],
    ids=["a minute", "three hours", "three days", "forty days"],
)
def test_one_edition_brings_everything_since_the_last(
    tmp_path: Path, relay: ScriptedRelay, downtime: timedelta, missed_count: int
) -> None:
    mailbox = Mailbox(tmp_path, relay)
    for day in range(45):
        mailbox.write_post((START + day * DAY).date())
    mailbox.tick_until(START + 2 * DAY)
    assert mailbox.inbox == [["P0000"], ["P0001"]]
    last_tick = START + 2 * DAY + HOUR - 30 * timedelta(seconds=1)  # half a minute before the third slot
    mailbox.tick(last_tick)
    mailbox.start_daemon(last_tick + downtime)
    mailbox.tick()
    assert mailbox.inbox[2:] == [[f"P{2 + number:04}" for number in range(missed_count)]]
    mailbox.tick_until(last_tick + downtime + 2 * DAY)
    next_number = 2 + missed_count
    assert mailbox.inbox[3:] == [[f"P{next_number:04}"], [f"P{next_number + 1:04}"]]


@pytest.mark.parametrize(
    "downtime", [3 * HOUR, 3 * DAY, 40 * DAY], ids=["three hours", "three days", "forty days"]
)
def test_what_is_later_than_send_within_waits_for_a_person(
    tmp_path: Path, relay: ScriptedRelay, downtime: timedelta
) -> None:
    mailbox = Mailbox(tmp_path, relay, extra_settings='send_within = "30m"')
    for day in range(45):
        mailbox.write_post((START + day * DAY).date())
    mailbox.tick_until(START + DAY)
    mailbox.start_daemon(START + DAY + downtime)
    mailbox.tick()
    assert len(mailbox.inbox) == 1
    ((edition, state),) = [item for item in mailbox.edition_states.items() if item[1] != "done"]
    assert state == "held"
    messages = mailbox.inline_daemon.list_messages("composed")
    assert "too late to be sent without a person" in messages[0]
    ketapress(tmp_path, "outbox", "release", edition)
    mailbox.tick()
    assert len(mailbox.inbox) == 2


def test_an_edition_that_was_made_but_not_begun_is_found(tmp_path: Path, relay: ScriptedRelay) -> None:
    mailbox = Mailbox(tmp_path, relay)
    mailbox.write_post(START.date())
    mailbox.inline_daemon.clock.now = START + HOUR
    mailbox.inline_daemon.daemon.publish_due()
    mailbox.start_daemon(START + 2 * HOUR)
    mailbox.tick()
    assert mailbox.inbox == [["P0000"]]


def test_the_daemon_was_down_over_nothing_new(tmp_path: Path, relay: ScriptedRelay) -> None:
    mailbox = Mailbox(tmp_path, relay)
    mailbox.write_post(START.date())
    mailbox.tick(START + HOUR)
    mailbox.start_daemon(START + 5 * DAY + HOUR)
    mailbox.tick()
    assert mailbox.inbox == [["P0000"]]
    mailbox.write_post((START + 5 * DAY).date())
    mailbox.tick(START + 6 * DAY + HOUR)
    assert mailbox.inbox == [["P0000"], ["P0001"]]
