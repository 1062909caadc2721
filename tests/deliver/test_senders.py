"""Four `ketapress send` on one PostgreSQL, each a process; one is stopped in the middle past its lease, and wakes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from factories import TOML
from ketapress.model.delivery import DeliveryState, Phase
from ketapress.model.edition import EditionState
from ketapress.store.database import Store, open_store
from ketapress.store.tables import delivery_code
from ketapress.testing import Conversation, ScriptedRelay
from postgresql import administer
from pressroom import Press

READERS = [f"reader{n}@example{n % 7}.net" for n in range(240)]
LINES = 4
SENDERS = 4
_MORE = """
[database]
url = "{url}"

[relay]
url = "smtp://127.0.0.1:{port}"
connections = {lines}
in_doubt = "{in_doubt}"

[web]
secret = "{secret}"
"""
_NO_POSTS = '{"schema": 1, "first_built": "2023-06-05T00:00:00Z"}\n'


@dataclass
class House:
    """A database with an edition that is ready, and for each sender a folder and a relay of its own."""

    url: str
    store: Store
    edition: int
    folders: list[Path]
    relays: list[ScriptedRelay]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, sender: int, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ketapress", "-C", str(self.folders[sender]), *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def answered(self, process: subprocess.Popen[str]) -> Any:
        """What a command printed as JSON; it ended well, or with something for a person."""
        printed, complaint = process.communicate(timeout=60)
        assert process.returncode in {0, 1}, (process.returncode, printed, complaint)
        return json.loads(printed)["result"]

    def named(self, state: DeliveryState) -> set[str]:
        return {each.address for each in self.store.deliveries.lines(self.edition, state)}

    def received(self) -> Counter[str]:
        return Counter(each.recipient for relay in self.relays for each in relay.messages)

    def assert_repeats_are_the_same_to_the_byte(self) -> None:
        got: dict[str, set[bytes]] = {}
        for relay in self.relays:
            for each in relay.messages:
                got.setdefault(each.recipient, set()).add(each.message)
        assert all(len(messages) == 1 for messages in got.values())

    def let_a_lease_pass(self, worker: int) -> None:
        """As if this worker had been silent for more than a minute: its lease is over, and a transaction that it left open."""
        with self.store._transactions.write() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state = 'idle in transaction' AND pid <> pg_backend_pid()"
            )
        with self.store._transactions.write() as connection:
            connection.exec_driver_sql(f"UPDATE workers SET lease_until = 0 WHERE id = {worker}")

    def sending_by(self, worker: int) -> set[str]:
        """Who is at the dot of this worker."""
        with self.store._transactions.read() as connection:
            query = "SELECT subscription_id FROM deliveries WHERE worker_id = %s AND state = %s"
            found = connection.exec_driver_sql(query, (worker, delivery_code(DeliveryState.SENDING)))
            mine = set(found.scalars())
        lines = self.store.deliveries.lines(self.edition, DeliveryState.SENDING)
        return {each.address for each in lines if each.subscription_id in mine}

    def wait_until(self, activity: str) -> None:
        """Until some other connection to this database is in that state, as the server sees it."""
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            f"AND pid <> pg_backend_pid() AND {activity}"
        )
        for _ in range(3000):
            with self.store._transactions.read() as connection:
                if connection.exec_driver_sql(query).scalar_one():
                    return
                connection.exec_driver_sql("SELECT pg_sleep(0.01)")
        raise AssertionError(f"nobody came to be in {activity}")

    def workers(self) -> list[int]:
        with self.store._transactions.read() as connection:
            return list(connection.exec_driver_sql("SELECT id FROM workers ORDER BY id").scalars())


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
def house(server: URL, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    name = f"senders{os.getpid()}_{abs(hash(request.node.name)) % 10**8}"
    administer(server, f"CREATE DATABASE {name}")
    url = server.set(database=name).render_as_string(hide_password=False)
    callspec = getattr(request.node, "callspec", None)
    in_doubt = callspec.params["in_doubt"] if callspec else "resend"
    with ExitStack() as stack:
        store = stack.enter_context(open_store(url, tmp_path))
        relays = [stack.enter_context(ScriptedRelay()) for _ in range(SENDERS)]
        folders = [tmp_path / str(number) for number in range(SENDERS)]
        for folder, relay in zip(folders, relays, strict=True):
            (folder / "posts").mkdir(parents=True)
            (folder / "posts" / ".published.jsonl").write_text(_NO_POSTS)
            more = _MORE.format(url=url, port=relay.port, lines=LINES, in_doubt=in_doubt, secret="s" * 32)
            (folder / "ketapress.toml").write_text(TOML + more)
        press = Press(store, relays[0], tmp_path)
        press.subscribe(*READERS)
        found = House(url, store, press.edition(send_by=None), folders, relays)
        yield found
        for process in found.processes:
            if process.poll() is None:
                process.kill()  # one that is stopped, too
            process.communicate()
        assert not store.imbalances(thorough=True)


def stopped(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGSTOP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)


@pytest.mark.parametrize(("in_doubt", "senders"), [("resend", SENDERS), ("hold", 2)])
def test_one_of_four_is_stopped_past_its_lease_and_wakes(house: House, in_doubt: str, senders: int) -> None:
    """Two of its lines have written their dot; of the two others the last answer may not be written down yet.

    Only these may be sent to twice, at most one a line. Held for a person, nobody is: they are named, until the woken one says what became of them.
    """
    at_the_dot = Turnstile("250 2.0.0 taken", free=8, only=(1, 2))
    before_the_body = Turnstile("354 go on", free=8, only=(3, 4))
    house.relays[0].script(Phase.DOT, at_the_dot)
    house.relays[0].script(Phase.DATA, before_the_body)
    sleeper = house.run(0, "send", "--json")
    at_the_dot.wait_for(2)
    before_the_body.wait_for(2)
    [worker] = house.workers()

    gates = [Turnstile("250 2.0.0 taken") for _ in range(1, senders)]
    for number, gate in enumerate(gates, 1):
        house.relays[number].script(Phase.DOT, gate)
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
    [edition] = house.store.editions.all()
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
