"""Four `ketapress send` on one PostgreSQL, each a process; one is stopped in the middle past its lease, and wakes.

`benchmarks/soak/sleepers.py` does it at any moment, and waits until the lease is over.
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
from support.sender_processes import House, open_house, stopped

READERS = [f"reader{n}@host{n % 7}.example" for n in range(240)]
LINES = 4
SENDERS = 4
_numbers = count()


class Turnstile:
    """An act of a relay: whoever comes is counted, and waits for its answer until it is opened."""

    def __init__(self, answer: str, *, free: int = 0, only: tuple[int, ...] = ()) -> None:
        """The first `free` pass; `only` are the callers who have to wait, all of them where there is none."""
        self._answer = answer
        self._free = free
        self._only = only
        self._open = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._came = threading.Semaphore(0)

    async def __call__(self, talk: Conversation) -> str:
        self._free -= 1
        if self._free < 0 and (not self._only or talk.number in self._only):
            self._loop = asyncio.get_running_loop()
            self._came.release()
            await self._open.wait()
        return self._answer

    def wait_for(self, callers: int) -> None:
        for _ in range(callers):
            assert self._came.acquire(timeout=30), "nobody came"

    def open(self) -> None:
        assert self._loop, "nobody came"
        self._loop.call_soon_threadsafe(self._open.set)


@pytest.fixture
def in_doubt() -> str:
    return "resend"


@pytest.fixture
def house(server: URL, tmp_path: Path, in_doubt: str) -> Iterator[House]:
    name = f"senders{next(_numbers)}"
    with open_house(
        server, tmp_path, name, READERS, senders=SENDERS, lines=LINES, in_doubt=in_doubt
    ) as found:
        yield found


@pytest.mark.parametrize(("in_doubt", "senders"), [("resend", SENDERS), ("hold", 2)])
def test_one_of_four_is_stopped_past_its_lease_and_wakes(house: House, in_doubt: str, senders: int) -> None:
    """Two of its lines have written their dot, two may have an answer that is not in the ledger yet: those are sending.

    Nobody else may be sent to twice.
    Held for a person, nobody is: they are named, until the woken one says what became of them.
    """
    at_the_dot = Turnstile("250 2.0.0 taken", free=8, only=(1, 2))
    before_the_body = Turnstile("354 go on", free=8, only=(3, 4))
    house.relays[0].script(Phase.END_OF_DATA, at_the_dot)
    house.relays[0].script(Phase.DATA, before_the_body)
    sleeper = house.run(0, "send", "--json")
    at_the_dot.wait_for(2)
    before_the_body.wait_for(2)
    [worker] = house.workers()

    gates = [Turnstile("250 2.0.0 taken") for _ in range(1, senders)]
    for number, gate in enumerate(gates, 1):
        house.relays[number].script(Phase.END_OF_DATA, gate)
    others = [house.run(number, "send", "--json") for number in range(1, senders)]
    for gate in gates:
        gate.wait_for(1)
    stopped(sleeper)
    doubtful = house.sending_by(worker)
    assert 2 <= len(doubtful) <= LINES
    house.let_a_lease_pass(worker)
    for gate in gates:
        gate.open()
    for each in others:
        house.answered(each)
    assert worker not in house.workers()
    if in_doubt == "hold":
        assert house.named(DeliveryState.IN_DOUBT) == doubtful
        assert house.answered(house.run(1, "status", "--json"))["deliveries"]["in_doubt"] == len(doubtful)
    assert set(house.received()) >= set(READERS) - doubtful

    for gate in (at_the_dot, before_the_body):
        gate.open()
    os.kill(sleeper.pid, signal.SIGCONT)
    [woken] = house.answered(sleeper)["editions"]
    assert woken["sent"] == len(READERS)
    assert house.named(DeliveryState.SENT) == set(READERS)
    times = house.received()
    assert set(times) == set(READERS)
    assert {each for each, count in times.items() if count > 1} <= (
        doubtful if in_doubt == "resend" else set()
    )
    assert max(times.values()) <= 2
    house.assert_repeats_are_the_same_to_the_byte()
    [edition] = house.store.editions.list_all()
    assert edition.state is EditionState.DONE


def test_one_that_is_stopped_inside_its_commit_keeps_nobody_waiting(house: House) -> None:
    """It holds the locks of its commit, so it cannot be declared dead: the others send what is theirs meanwhile.

    When PostgreSQL has ended its transaction, it takes over from it as from anybody else; and woken, it stops.
    """
    sleeper = house.run(0, "send", "--json")
    gate = Turnstile("354 go on", free=8)
    house.relays[0].script(Phase.DATA, gate)
    gate.wait_for(LINES)
    [worker] = house.workers()
    with house.store._transactions.write() as connection:
        connection.exec_driver_sql(f"SELECT id FROM workers WHERE id = {worker} FOR UPDATE")
        gate.open()
        house.wait_until("wait_event_type = 'Lock'")
        stopped(sleeper)
    house.wait_until("state = 'idle in transaction'")
    doubtful = house.sending_by(worker)
    assert len(doubtful) <= LINES
    assert house.answered(house.run(1, "send", "--json"))["editions"][0]["state"] == "sending"
    assert worker in house.workers()
    house.let_a_lease_pass(worker)
    assert house.answered(house.run(2, "send", "--json"))["editions"][0]["state"] == "done"
    os.kill(sleeper.pid, signal.SIGCONT)
    _, complaint = sleeper.communicate(timeout=60)
    assert sleeper.returncode == 1, complaint
    assert house.received() == Counter(READERS) + Counter(doubtful)
    house.assert_repeats_are_the_same_to_the_byte()
