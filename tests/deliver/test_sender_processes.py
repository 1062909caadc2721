"""Four `ketapress send` processes on one PostgreSQL; one is suspended until its lease has expired, and resumes.

`benchmarks/soak/sleepers.py` does it at random moments, and waits until the lease has expired.
"""

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import URL

from ketapress.model.delivery import DeliveryState, Phase
from ketapress.model.edition import EditionState
from ketapress.testing import Conversation
from support.sender_processes import SenderProcesses, open_senders, stop_process

READERS = [f"reader{n}@example{n % 7}.net" for n in range(240)]
CONNECTIONS = 4
SENDERS = 4
_numbers = count()


class Gate:
    """An act of a relay: it counts conversations, and gives its answer when it is opened."""

    def __init__(self, answer: str, *, free: int = 0, only: tuple[int, ...] = ()) -> None:
        """The first `free` conversations pass; of the others those in `only` wait, or all if it is empty."""
        self._answer = answer
        self._free = free
        self._only = only
        self._open = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrivals = threading.Semaphore(0)

    async def __call__(self, conversation: Conversation) -> str:
        self._free -= 1
        if self._free < 0 and (not self._only or conversation.number in self._only):
            self._loop = asyncio.get_running_loop()
            self._arrivals.release()
            await self._open.wait()
        return self._answer

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self._arrivals.acquire(timeout=30), "there was no conversation"

    def open(self) -> None:
        assert self._loop, "there was no conversation"
        self._loop.call_soon_threadsafe(self._open.set)


@pytest.fixture
def in_doubt() -> str:
    return "resend"


@pytest.fixture
def senders(server: URL, tmp_path: Path, in_doubt: str) -> Iterator[SenderProcesses]:
    name = f"senders{next(_numbers)}"
    with open_senders(
        server, tmp_path, name, READERS, senders=SENDERS, connections=CONNECTIONS, in_doubt=in_doubt
    ) as processes:
        yield processes


@pytest.mark.parametrize(("in_doubt", "sender_count"), [("resend", SENDERS), ("hold", 2)])
def test_one_of_four_is_stopped_past_its_lease_and_wakes(
    senders: SenderProcesses, in_doubt: str, sender_count: int
) -> None:
    """Two of its connections have sent an end of data, two may have a reply that is not stored yet: these are sending.

    Only their recipients may get a message twice. With `hold` they do not: they are in doubt until the resumed process
    reports its results.
    """
    end_of_data_gate = Gate("250 2.0.0 accepted", free=8, only=(1, 2))
    data_gate = Gate("354 go on", free=8, only=(3, 4))
    senders.relays[0].script(Phase.END_OF_DATA, end_of_data_gate)
    senders.relays[0].script(Phase.DATA, data_gate)
    suspended = senders.start(0, "send", "--json")
    end_of_data_gate.wait_for(2)
    data_gate.wait_for(2)
    [worker] = senders.worker_ids()

    gates = [Gate("250 2.0.0 accepted") for _ in range(1, sender_count)]
    for number, gate in enumerate(gates, 1):
        senders.relays[number].script(Phase.END_OF_DATA, gate)
    others = [senders.start(number, "send", "--json") for number in range(1, sender_count)]
    for gate in gates:
        gate.wait_for(1)
    stop_process(suspended)
    in_doubt_addresses = senders.sending_addresses(worker)
    assert 2 <= len(in_doubt_addresses) <= CONNECTIONS
    senders.expire_lease(worker)
    for gate in gates:
        gate.open()
    for process in others:
        senders.read_result(process)
    assert worker not in senders.worker_ids()
    if in_doubt == "hold":
        assert senders.addresses(DeliveryState.IN_DOUBT) == in_doubt_addresses
        assert senders.read_result(senders.start(1, "status", "--json"))["deliveries"]["in_doubt"] == len(
            in_doubt_addresses
        )
    assert set(senders.count_messages()) >= set(READERS) - in_doubt_addresses

    for gate in (end_of_data_gate, data_gate):
        gate.open()
    os.kill(suspended.pid, signal.SIGCONT)
    [result] = senders.read_result(suspended)["editions"]
    assert result["sent"] == len(READERS)
    assert senders.addresses(DeliveryState.SENT) == set(READERS)
    counts = senders.count_messages()
    assert set(counts) == set(READERS)
    assert {address for address, count in counts.items() if count > 1} <= (
        in_doubt_addresses if in_doubt == "resend" else set()
    )
    assert max(counts.values()) <= 2
    senders.assert_repeats_are_the_same_to_the_byte()
    [edition] = senders.store.editions.list_all()
    assert edition.state is EditionState.DONE


def test_one_that_is_stopped_inside_its_commit_keeps_nobody_waiting(senders: SenderProcesses) -> None:
    """It has the locks of its commit, so it cannot be declared dead: the others send their claims meanwhile.

    When PostgreSQL has ended its transaction, they take over its claims; when it is resumed, it stops.
    """
    suspended = senders.start(0, "send", "--json")
    gate = Gate("354 go on", free=8)
    senders.relays[0].script(Phase.DATA, gate)
    gate.wait_for(CONNECTIONS)
    [worker] = senders.worker_ids()
    with senders.store._transactions.write() as connection:
        connection.exec_driver_sql(f"SELECT id FROM workers WHERE id = {worker} FOR UPDATE")
        gate.open()
        senders.wait_until("wait_event_type = 'Lock'")
        stop_process(suspended)
    senders.wait_until("state = 'idle in transaction'")
    in_doubt_addresses = senders.sending_addresses(worker)
    assert len(in_doubt_addresses) <= CONNECTIONS
    assert senders.read_result(senders.start(1, "send", "--json"))["editions"][0]["state"] == "sending"
    assert worker in senders.worker_ids()
    senders.expire_lease(worker)
    assert senders.read_result(senders.start(2, "send", "--json"))["editions"][0]["state"] == "done"
    os.kill(suspended.pid, signal.SIGCONT)
    _, stderr = suspended.communicate(timeout=60)
    assert suspended.returncode == 1, stderr
    assert senders.count_messages() == Counter(READERS) + Counter(in_doubt_addresses)
    senders.assert_repeats_are_the_same_to_the_byte()
