"""A sender that is killed at any point of a conversation, and started again: nobody is lost, hardly anybody repeated."""

import os
import signal
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from ketapress.model.delivery import DeliveryState, Phase
from ketapress.model.edition import EditionState
from ketapress.testing import after, hang_up
from support.delivery_fixture import Press, new_press
from support.factories import REPOSITORY

press = new_press
READERS = [f"reader{n}@example.net" for n in range(24)]
CHILD = """
import sys
from pathlib import Path
from ketapress.store.store import open_store
from support.delivery_fixture import Press, Elsewhere
root, port, connections = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with open_store("sqlite:///ketapress.db", root) as store:
    Press(store, Elsewhere(port), root, connections=connections).send()
"""


def send_and_be_killed(
    press: Press, connections: int, phase: Phase, occasion: int, answer: str | None
) -> None:
    """Sends in a process of its own, which the relay kills at the n-th occasion of a phase."""
    child: list[subprocess.Popen[bytes]] = []
    kill = after(lambda: os.kill(child[0].pid, signal.SIGKILL), answer)
    press.relay.script(phase, kill, on=occasion)
    paths = os.pathsep.join(str(REPOSITORY / name) for name in ("src", "tests"))
    command = [sys.executable, "-c", CHILD, str(press.root), str(press.relay.port), str(connections)]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": paths}) as process:
        child.append(process)
        assert process.wait(timeout=60) == -signal.SIGKILL


@pytest.mark.parametrize("connections", [1, 8])
@pytest.mark.parametrize(
    ("phase", "answer"),
    [
        (Phase.CONNECT, None),
        (Phase.RECIPIENT, "250 2.1.5 ok"),
        (Phase.DATA, "354 go on"),
        (Phase.BODY, None),
        (Phase.END_OF_DATA, "250 2.0.0 taken, and you are dead"),
        (Phase.END_OF_DATA, None),
    ],
    ids=["greeting", "rcpt", "354", "body", "dot, taken", "dot, not taken"],
)
def test_after_a_kill_nobody_is_lost_and_a_repeat_is_the_same_to_the_byte(
    press: Press, connections: int, phase: Phase, answer: str | None
) -> None:
    press.subscribe(*READERS)
    press.edition()
    send_and_be_killed(press, connections, phase, 1 if phase is Phase.CONNECT else 11, answer)
    doubtful = [each for each, state in press.states().items() if state is DeliveryState.SENDING]
    assert len(doubtful) <= connections
    assert press.send().state is EditionState.DONE
    times = Counter(press.sent_to())
    assert set(times) == set(READERS)
    repeated = {recipient for recipient, count in times.items() if count > 1}
    assert repeated <= set(doubtful)
    assert all(count <= 2 for count in times.values())
    for recipient in repeated:
        assert len({each.message for each in press.relay.messages if each.recipient == recipient}) == 1


def test_a_message_that_was_taken_just_before_the_kill_is_named_as_in_doubt(press: Press) -> None:
    press.subscribe(*READERS)
    press.edition()
    send_and_be_killed(press, 1, Phase.END_OF_DATA, 5, "250 2.0.0 taken")
    press.in_doubt = "hold"
    report = press.send()
    assert (report.in_doubt, report.sent) == (1, 23)
    [doubtful] = [each for each, state in press.states().items() if state is DeliveryState.IN_DOUBT]
    assert press.sent_to()[4] == doubtful
    assert Counter(press.sent_to()) == Counter(READERS)


@pytest.mark.parametrize("connections", [1, 8])
def test_a_sender_told_to_end_finishes_what_is_in_flight_and_doubles_nothing(
    press: Press, connections: int
) -> None:
    press.connections = connections
    press.subscribe(*READERS)
    press.edition()
    told: list[Any] = []
    press.stop = lambda: bool(told)
    press.relay.script(Phase.END_OF_DATA, after(lambda: told.append("end"), "250 2.0.0 taken"), on=9)
    report = press.send()
    assert report.in_doubt == 0
    assert set(press.states().values()) == {DeliveryState.SENT, DeliveryState.QUEUED}
    assert report.sent == len(press.relay.messages) < len(READERS)
    told.clear()
    press.stop = lambda: False
    press.send()
    assert Counter(press.sent_to()) == Counter(READERS)


def test_a_kill_in_the_middle_of_a_resend_does_not_multiply_it(press: Press) -> None:
    press.subscribe(*READERS)
    press.edition()
    for _ in range(3):
        send_and_be_killed(press, 1, Phase.END_OF_DATA, 1, "250 2.0.0 taken")
        press.relay._script.clear()
    press.send()
    times = Counter(press.sent_to())
    assert set(times) == set(READERS)
    assert sum(times.values()) <= len(READERS) + 3
    assert all(
        len({each.message for each in press.relay.messages if each.recipient == one}) == 1 for one in times
    )


def test_a_relay_that_dies_under_way_loses_nobody(press: Press) -> None:
    press.connections = 4
    press.subscribe(*READERS)
    press.edition()
    press.relay.script(Phase.RECIPIENT, hang_up, recipient=READERS[7], on=1)
    press.relay.script(Phase.CONNECT, hang_up, on=5)
    press.send()
    while (report := press.send()).next_at is not None:
        press.clock.advance(report.next_at - press.clock())
    assert Counter(press.sent_to()) == Counter(READERS)
