"""A sender that is killed in any phase and started again loses no recipient, and repeats at most one message a connection."""

import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from ketapress.model.delivery import DeliveryState, Phase
from ketapress.model.edition import EditionState
from ketapress.testing import after, hang_up
from support.delivery_fixture import DeliveryFixture, new_delivery
from support.factories import REPOSITORY

delivery = new_delivery
READERS = [f"reader{n}@example.net" for n in range(24)]
SCRIPT = """
import sys
from pathlib import Path
from ketapress.store.store import open_store
from support.delivery_fixture import DeliveryFixture, RemoteRelay
root, port, connections = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with open_store("sqlite:///ketapress.db", root) as store:
    DeliveryFixture(store, RemoteRelay(port), root, connections=connections).send()
"""


def send_and_be_killed(
    delivery: DeliveryFixture, connections: int, phase: Phase, number: int, answer: str | None
) -> None:
    """Send in a separate process, which the relay kills the n-th time in a phase."""
    processes: list[subprocess.Popen[bytes]] = []
    kill = after(lambda: os.kill(processes[0].pid, signal.SIGKILL), answer)
    delivery.relay.script(phase, kill, on=number)
    paths = os.pathsep.join(str(REPOSITORY / name) for name in ("src", "tests"))
    command = [sys.executable, "-c", SCRIPT, str(delivery.root), str(delivery.relay.port), str(connections)]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": paths}) as process:
        processes.append(process)
        assert process.wait(timeout=60) == -signal.SIGKILL


@pytest.mark.parametrize("connections", [1, 8])
@pytest.mark.parametrize(
    ("phase", "answer"),
    [
        (Phase.CONNECT, None),
        (Phase.RECIPIENT, "250 2.1.5 ok"),
        (Phase.DATA, "354 go on"),
        (Phase.BODY, None),
        (Phase.END_OF_DATA, "250 2.0.0 accepted, and you are dead"),
        (Phase.END_OF_DATA, None),
    ],
    ids=["greeting", "rcpt", "354", "body", "end of data, accepted", "end of data, not accepted"],
)
def test_after_a_kill_nobody_is_lost_and_a_repeat_is_the_same_to_the_byte(
    delivery: DeliveryFixture, connections: int, phase: Phase, answer: str | None
) -> None:
    delivery.subscribe(*READERS)
    delivery.add_edition()
    send_and_be_killed(delivery, connections, phase, 1 if phase is Phase.CONNECT else 11, answer)
    in_doubt = [address for address, state in delivery.states().items() if state is DeliveryState.SENDING]
    assert len(in_doubt) <= connections
    assert delivery.send().state is EditionState.DONE
    counts = Counter(delivery.recipients())
    assert set(counts) == set(READERS)
    repeated = {recipient for recipient, count in counts.items() if count > 1}
    assert repeated <= set(in_doubt)
    assert all(count <= 2 for count in counts.values())
    for recipient in repeated:
        assert (
            len({message.message for message in delivery.relay.messages if message.recipient == recipient})
            == 1
        )


def test_a_message_that_was_taken_just_before_the_kill_is_named_as_in_doubt(
    delivery: DeliveryFixture,
) -> None:
    delivery.subscribe(*READERS)
    delivery.add_edition()
    send_and_be_killed(delivery, 1, Phase.END_OF_DATA, 5, "250 2.0.0 accepted")
    delivery.in_doubt = "hold"
    report = delivery.send()
    assert (report.in_doubt, report.sent) == (1, 23)
    [in_doubt] = [address for address, state in delivery.states().items() if state is DeliveryState.IN_DOUBT]
    assert delivery.recipients()[4] == in_doubt
    assert Counter(delivery.recipients()) == Counter(READERS)


@pytest.mark.parametrize("connections", [1, 8])
def test_a_sender_told_to_end_finishes_what_is_in_flight_and_doubles_nothing(
    delivery: DeliveryFixture, connections: int
) -> None:
    delivery.connections = connections
    delivery.subscribe(*READERS)
    delivery.add_edition()
    signals: list[str] = []
    delivery.must_stop = lambda: bool(signals)
    delivery.relay.script(Phase.END_OF_DATA, after(lambda: signals.append("end"), "250 2.0.0 accepted"), on=9)
    report = delivery.send()
    assert report.in_doubt == 0
    assert set(delivery.states().values()) == {DeliveryState.SENT, DeliveryState.QUEUED}
    assert report.sent == len(delivery.relay.messages) < len(READERS)
    signals.clear()
    delivery.must_stop = lambda: False
    delivery.send()
    assert Counter(delivery.recipients()) == Counter(READERS)


def test_a_kill_in_the_middle_of_a_resend_does_not_multiply_it(delivery: DeliveryFixture) -> None:
    delivery.subscribe(*READERS)
    delivery.add_edition()
    for _ in range(3):
        send_and_be_killed(delivery, 1, Phase.END_OF_DATA, 1, "250 2.0.0 accepted")
        delivery.relay._script.clear()
    delivery.send()
    counts = Counter(delivery.recipients())
    assert set(counts) == set(READERS)
    assert sum(counts.values()) <= len(READERS) + 3
    assert all(
        len({message.message for message in delivery.relay.messages if message.recipient == recipient}) == 1
        for recipient in counts
    )


def test_a_relay_that_dies_under_way_loses_nobody(delivery: DeliveryFixture) -> None:
    delivery.connections = 4
    delivery.subscribe(*READERS)
    delivery.add_edition()
    delivery.relay.script(Phase.RECIPIENT, hang_up, recipient=READERS[7], on=1)
    delivery.relay.script(Phase.CONNECT, hang_up, on=5)
    delivery.send()
    while (report := delivery.send()).next_at is not None:
        delivery.clock.advance(report.next_at - delivery.clock())
    assert Counter(delivery.recipients()) == Counter(READERS)
