"""Kill the sender again and again, each time at another point of its work, and count messages at the relay.

    python benchmarks/soak/kills.py --kills 1000 --connections 8

A kill is kill -9 of a whole process. Its points are before and after each call that moves mail or results: each read and
write of a socket, each statement and commit of the ledger. The other deaths are faults: a full disk, a locked database,
a closed connection to PostgreSQL, and a restart of its server. After each death a new process continues, until all
subscribers have received the edition; then the next edition follows.

No subscriber may be lost. A message may be sent twice only if its delivery was recorded as sending or in doubt at the
death: at most one for each open connection, and byte for byte the same. At the end the counts of the ledger must match.
`benchmarks/deliver/kill_sweep.py` does the same at every system call with strace, more slowly, on SQLite.
"""

import argparse
import os
import resource
import signal
import sqlite3
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socket
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from sqlalchemy import URL, make_url
from sqlalchemy.exc import OperationalError

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.db import engine as transactions
from ketapress.store.store import Store, open_store
from ketapress.testing import ScriptedRelay
from support.delivery_fixture import SLOT, DeliveryFixture, RemoteRelay
from support.postgresql import administer, postgresql
from support.store_fixture import expire_leases

_SOCKET_CALLS = frozenset({"send", "recv", "recv_into"})
POINTS = _SOCKET_CALLS | {"execute", "executemany", "commit"}
FAULTS = {
    "sqlite": ("kill", "kill", "kill", "kill", "kill", "kill", "kill", "disk full", "locked"),
    "postgresql": ("kill", "kill", "kill", "kill", "kill", "kill", "kill", "cut off", "restart"),
}
"""The deaths of each database in order: far more kills than faults."""

_UNCERTAIN = frozenset({DeliveryState.SENDING, DeliveryState.IN_DOUBT})
_FORK = get_context("fork")


@dataclass
class Tally:
    """The effects of one kind of death on one database; the last four fields are counted for all kinds together."""

    deaths: int = 0
    uncertain: int = 0
    max_uncertain: int = 0
    lost: int = 0
    repeats: int = 0
    unexplained: int = 0
    different: int = 0


@dataclass
class Trial:
    """A database with its subscribers and its relay."""

    url: str
    root: Path
    relay: Connection
    port: int
    readers: tuple[str, ...]
    connections: int
    tallies: dict[str, Tally] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return make_url(self.url).get_backend_name()

    def store(self) -> Store:
        return open_store(self.url, self.root, durability="process")

    def send(self) -> None:
        with self.store() as store:
            DeliveryFixture(store, RemoteRelay(self.port), self.root, connections=self.connections).send_all()


def act_at_point(point: int, action: Callable[[], object]) -> None:
    """Run `action` in this process at the point with this number, before or after a call.

    Nine of ten points are counted from the first command to the relay, the others from the start of the process.
    """
    count, is_active = 0, point % 10 == 0

    def count_call(frame: FrameType, event: str, callee: Any) -> None:
        nonlocal count, is_active
        is_socket_call = isinstance(getattr(callee, "__self__", None), socket)
        name = callee.__name__ if event.startswith("c_") else frame.f_code.co_name
        is_active = is_active or (is_socket_call and name == "send")
        if is_active and name in POINTS and (is_socket_call or name not in _SOCKET_CALLS):
            count += 1
            if count == point:
                action()

    threading.setprofile(count_call)
    sys.setprofile(count_call)


def run_in_process(work: Callable[[], None]) -> bool:
    """Run `work` in a process of its own; return whether it ended without an error or a kill."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            work()
        except BaseException:  # noqa: BLE001 - any exception ends this process
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def run_relay(pipe: Connection) -> None:
    """Run a relay; for each request on the pipe, send the recipients of new messages and the messages' hashes."""
    with ScriptedRelay() as relay:
        pipe.send(relay.port)
        while pipe.recv():
            pipe.send(
                [(message.recipient, sha256(message.message).hexdigest()) for message in relay.messages]
            )
            relay.messages.clear()


def kill(trial: Trial, point: int) -> bool:
    def work() -> None:
        act_at_point(point, lambda: os.kill(os.getpid(), signal.SIGKILL))
        trial.send()

    return run_in_process(work)


def fill_disk(trial: Trial, point: int) -> bool:
    """Send while no file may grow by more than a few pages."""
    wal = Path(f"{trial.root / 'soak.db'}-wal")
    size = wal.stat().st_size if wal.exists() else 0
    limit = size + 4096 * (point % 40 + 1)

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        trial.send()

    return run_in_process(work)


def lock_database(trial: Trial, point: int) -> bool:
    """Send while another connection holds the lock for longer than the timeout."""
    with closing(sqlite3.connect(trial.root / "soak.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")

        def work() -> None:
            transactions.LOCK_TIMEOUT_MS = point % 40
            trial.send()

        return run_in_process(work)


def cut_connections(trial: Trial, point: int) -> bool:
    """Send while PostgreSQL closes the sender's connections at this point, as a failover does."""
    return disturb(
        trial,
        point,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def restart_server(trial: Trial, point: int) -> bool:
    """Send while the server closes all connections at this point and accepts no new ones."""
    return disturb(
        trial,
        point,
        f"ALTER DATABASE {make_url(trial.url).database} ALLOW_CONNECTIONS false",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'",
    )


def disturb(trial: Trial, point: int, *statements: str) -> bool:
    server = make_url(trial.url)

    def action() -> None:
        with suppress(OperationalError):  # the administrator's connection may be closed too
            administer(server if len(statements) == 1 else _SERVER[0], *statements)

    def work() -> None:
        act_at_point(point, action)
        trial.send()

    try:
        return run_in_process(work)
    finally:
        administer(_SERVER[0], f"ALTER DATABASE {server.database} ALLOW_CONNECTIONS true")


_SERVER: list[URL] = []
DEATHS: dict[str, Callable[[Trial, int], bool]] = {
    "kill": kill,
    "disk full": fill_disk,
    "locked": lock_database,
    "cut off": cut_connections,
    "restart": restart_server,
}


def find_uncertain(trial: Trial, edition: int) -> dict[str, DeliveryState]:
    """Return the deliveries that are sending or in doubt, by address: their messages may have been sent."""
    with trial.store() as store:
        if trial.kind == "postgresql":
            expire_leases(store)
        deliveries = store.deliveries.iter_deliveries(edition)
        return {delivery.address: delivery.state for delivery in deliveries if delivery.state in _UNCERTAIN}


def send_through_deaths(trial: Trial, number: int, deaths: Iterator[tuple[str, int]]) -> bool:
    """Send one edition through as many deaths as needed; return False when no deaths are left."""
    with trial.store() as store:
        delivery = DeliveryFixture(store, RemoteRelay(trial.port), trial.root)
        edition = delivery.add_edition(SLOT + timedelta(minutes=number), None)
    uncertain: dict[str, DeliveryState] = {}
    record_counts: Counter[str] = Counter()
    has_death = is_done = False
    while not is_done:
        kind, point = next(deaths, ("", 0))
        has_death = bool(kind)
        is_complete = DEATHS[kind](trial, point) if has_death else run_in_process(trial.send)
        previous, uncertain = uncertain, find_uncertain(trial, edition)
        new = [
            address
            for address, state in uncertain.items()
            if state is DeliveryState.SENDING or address not in previous
        ]
        record_counts.update(new)
        tally = trial.tallies.setdefault(kind or "(none)", Tally())
        tally.deaths += has_death and not is_complete
        tally.uncertain += len(new)
        tally.max_uncertain = max(tally.max_uncertain, len(new))
        with trial.store() as store:
            is_done = all(
                stored_edition.state is EditionState.DONE for stored_edition in store.editions.list_all()
            )
    tally_messages(trial, record_counts)
    return has_death


def tally_messages(trial: Trial, record_counts: Counter[str]) -> None:
    """Count lost subscribers, repeats, unexplained repeats and different bytes at the end of an edition."""
    messages_by_recipient: dict[str, list[str]] = {}
    for recipient, message in fetch_messages(trial):
        messages_by_recipient.setdefault(recipient, []).append(message)
    total = trial.tallies.setdefault("(all)", Tally())
    total.lost += len(set(trial.readers) - set(messages_by_recipient))
    for recipient, messages in messages_by_recipient.items():
        total.repeats += len(messages) - 1
        total.unexplained += max(0, len(messages) - 1 - record_counts[recipient])
        total.different += len(set(messages)) > 1


def fetch_messages(trial: Trial) -> list[tuple[str, str]]:
    trial.relay.send("messages")
    messages: list[tuple[str, str]] = trial.relay.recv()
    return messages


def plan_deaths(kind: str, kills: int) -> Iterator[tuple[str, int]]:
    """Yield each death with its point; the kinds alternate, so that none is left out."""
    kinds = FAULTS[kind]
    for number in range(kills):
        yield kinds[number % len(kinds)], 1 + number * 13 % 307


def soak(url: str, root: Path, options: argparse.Namespace) -> dict[str, Tally]:
    pipe, relay_pipe = _FORK.Pipe()
    relay = _FORK.Process(target=run_relay, args=(relay_pipe,), daemon=True)
    relay.start()
    readers = tuple(f"reader{number}@example.net" for number in range(options.readers))
    trial = Trial(url, root, pipe, pipe.recv(), readers, options.connections)
    with trial.store() as store:
        DeliveryFixture(store, RemoteRelay(trial.port), root).subscribe(*readers)
    deaths = plan_deaths(trial.kind, options.kills)
    number = 0
    while send_through_deaths(trial, number, deaths):
        number += 1
    with trial.store() as store:
        if violations := store.find_invariant_violations(thorough=True):
            sys.exit(f"Deliveries are missing or surplus: {violations}")
    pipe.send("")
    relay.join()
    return trial.tallies


@contextmanager
def open_database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield "sqlite:///soak.db"
        return
    with postgresql() as server:
        _SERVER[:] = [server]
        administer(server, "CREATE DATABASE soak")
        yield server.set(database="soak").render_as_string(hide_password=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500, help="deaths on each database")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--databases", nargs="+", choices=tuple(FAULTS), default=tuple(FAULTS))
    parser.add_argument("--folder", help="parent folder of the publications")
    options = parser.parse_args()
    print(
        "| database | death | deaths | uncertain | most at once | lost | repeats | unexplained | different bytes |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|")
    violation_count = 0
    for kind in options.databases:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, open_database(kind) as url:
            for death, tally in soak(url, Path(folder), options).items():
                figures = (
                    tally.deaths,
                    tally.uncertain,
                    tally.max_uncertain,
                    tally.lost,
                    tally.repeats,
                    tally.unexplained,
                    tally.different,
                )
                print(f"| {kind} | {death} | {' | '.join(map(str, figures))} |", flush=True)
                violation_count += (
                    tally.lost
                    + tally.unexplained
                    + tally.different
                    + max(0, tally.max_uncertain - options.connections)
                )
    sys.exit(1 if violation_count else 0)


if __name__ == "__main__":
    main()
