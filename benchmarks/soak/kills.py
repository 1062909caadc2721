"""Kills the sender again and again, at one point of its work after the other, and counts at the relay.

    python benchmarks/soak/kills.py --kills 1000 --connections 8

A kill is kill -9 of a whole process. Its points are the calls that move mail or results: each read and write of a
socket, each statement and commit of the ledger, before it and after it. Beside them, faults: a disk that is full,
a database that others keep locked, PostgreSQL's connection cut, and its server restarted. After each, a new process
goes on, until everybody has the edition; then comes the next edition.

Nobody may be lost. Nobody may get it twice but those whose deliveries were named as sending when it died: at most one
an open connection, and the same to the byte. At the end the ledger adds up. `benchmarks/deliver/kill_sweep.py` does
the same at every system call by strace, slower, on SQLite.
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

_OF_SOCKETS = frozenset({"send", "recv", "recv_into"})
POINTS = _OF_SOCKETS | {"execute", "executemany", "commit"}
FAULTS = {
    "sqlite": ("kill", "kill", "kill", "kill", "kill", "kill", "kill", "disk full", "locked"),
    "postgresql": ("kill", "kill", "kill", "kill", "kill", "kill", "kill", "cut off", "restart"),
}
"""What happens in turn: far more kills than faults of the database."""

_UNSURE = frozenset({DeliveryState.SENDING, DeliveryState.IN_DOUBT})
_FORK = get_context("fork")


@dataclass
class Tally:
    """What one kind of death did on one database; the last four are counted for all kinds together."""

    deaths: int = 0
    named: int = 0
    most: int = 0
    lost: int = 0
    repeats: int = 0
    unnamed: int = 0
    unlike: int = 0


@dataclass
class Trial:
    """One database, its people and its relay."""

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


def at_point(point: int, happens: Callable[[], object]) -> None:
    """From here on: something happens when the work has come to its so-manieth point, before a call or after it.

    Nine times in ten they are counted from the first word to the relay on, else from the start of the process.
    """
    seen, counting = 0, point % 10 == 0

    def count(frame: FrameType, event: str, called: Any) -> None:
        nonlocal seen, counting
        of_socket = isinstance(getattr(called, "__self__", None), socket)
        name = called.__name__ if event.startswith("c_") else frame.f_code.co_name
        counting = counting or (of_socket and name == "send")
        if counting and name in POINTS and (of_socket or name not in _OF_SOCKETS):
            seen += 1
            if seen == point:
                happens()

    threading.setprofile(count)
    sys.setprofile(count)


def in_a_process(work: Callable[[], None]) -> bool:
    """Runs it in a process of its own; whether that ended by itself, and well."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            work()
        except BaseException:  # noqa: BLE001 - whatever it is, it is the end of this process
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def take_mail(pipe: Connection) -> None:
    """The relay's process: whenever it is asked, it hands over whom it took a message for, with a hash of it."""
    with ScriptedRelay() as relay:
        pipe.send(relay.port)
        while pipe.recv():
            pipe.send([(each.recipient, sha256(each.message).hexdigest()) for each in relay.messages])
            relay.messages.clear()


def killed(trial: Trial, point: int) -> bool:
    def work() -> None:
        at_point(point, lambda: os.kill(os.getpid(), signal.SIGKILL))
        trial.send()

    return in_a_process(work)


def with_a_full_disk(trial: Trial, point: int) -> bool:
    """No file may grow by more than a few pages."""
    log = Path(f"{trial.root / 'soak.db'}-wal")
    size = log.stat().st_size if log.exists() else 0
    limit = size + 4096 * (point % 40 + 1)

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        trial.send()

    return in_a_process(work)


def while_others_write(trial: Trial, point: int) -> bool:
    """Sends while another process holds the lock for longer than the timeout."""
    with closing(sqlite3.connect(trial.root / "soak.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        def work() -> None:
            transactions.LOCK_TIMEOUT_MS = point % 40
            trial.send()

        return in_a_process(work)


def cut_off(trial: Trial, point: int) -> bool:
    """PostgreSQL ends the sender's connections, as a failover does, at some point of its work."""
    return _beside(
        trial,
        point,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def restarted(trial: Trial, point: int) -> bool:
    """Every connection to the server is lost, and nobody gets one for a while."""
    return _beside(
        trial,
        point,
        f"ALTER DATABASE {make_url(trial.url).database} ALLOW_CONNECTIONS false",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'",
    )


def _beside(trial: Trial, point: int, *statements: str) -> bool:
    server = make_url(trial.url)

    def happens() -> None:
        with suppress(OperationalError):  # its own connection may be among those that end
            administer(server if len(statements) == 1 else _SERVER[0], *statements)

    def work() -> None:
        at_point(point, happens)
        trial.send()

    try:
        return in_a_process(work)
    finally:
        administer(_SERVER[0], f"ALTER DATABASE {server.database} ALLOW_CONNECTIONS true")


_SERVER: list[URL] = []
DEATHS: dict[str, Callable[[Trial, int], bool]] = {
    "kill": killed,
    "disk full": with_a_full_disk,
    "locked": while_others_write,
    "cut off": cut_off,
    "restart": restarted,
}


def named(trial: Trial, edition: int) -> dict[str, DeliveryState]:
    """Whose messages may have gone out without the ledger knowing: those at their dot, and those in doubt already."""
    with trial.store() as store:
        if trial.kind == "postgresql":
            expire_leases(store)
        deliveries = store.deliveries.iter_deliveries(edition)
        return {delivery.address: delivery.state for delivery in deliveries if delivery.state in _UNSURE}


def one_edition(trial: Trial, number: int, deaths: Iterator[tuple[str, int]]) -> bool:
    """Sends one edition through as many deaths as it takes; whether there were deaths enough."""
    with trial.store() as store:
        delivery = DeliveryFixture(store, RemoteRelay(trial.port), trial.root)
        edition = delivery.add_edition(SLOT + timedelta(minutes=number), None)
    unsure: dict[str, DeliveryState] = {}
    times_named: Counter[str] = Counter()
    more = done = False
    while not done:
        kind, point = next(deaths, ("", 0))
        more = bool(kind)
        ended = DEATHS[kind](trial, point) if more else in_a_process(trial.send)
        before, unsure = unsure, named(trial, edition)
        fresh = [
            each for each, state in unsure.items() if state is DeliveryState.SENDING or each not in before
        ]
        times_named.update(fresh)
        tally = trial.tallies.setdefault(kind or "(none)", Tally())
        tally.deaths += more and not ended
        tally.named += len(fresh)
        tally.most = max(tally.most, len(fresh))
        with trial.store() as store:
            done = all(stored.state is EditionState.DONE for stored in store.editions.list_all())
    count(trial, times_named)
    return more


def count(trial: Trial, times_named: Counter[str]) -> None:
    """What the relay has to say when an edition is over: who got it, how often, and whether that was named before."""
    got: dict[str, list[str]] = {}
    for recipient, message in received(trial):
        got.setdefault(recipient, []).append(message)
    whole = trial.tallies.setdefault("(all)", Tally())
    whole.lost += len(set(trial.readers) - set(got))
    for recipient, messages in got.items():
        whole.repeats += len(messages) - 1
        whole.unnamed += max(0, len(messages) - 1 - times_named[recipient])
        whole.unlike += len(set(messages)) > 1


def received(trial: Trial) -> list[tuple[str, str]]:
    trial.relay.send("what came?")
    found: list[tuple[str, str]] = trial.relay.recv()
    return found


def planned(kind: str, kills: int) -> Iterator[tuple[str, int]]:
    """Each death with the point at which it comes: one after the other, so that none is left out."""
    kinds = FAULTS[kind]
    for number in range(kills):
        yield kinds[number % len(kinds)], 1 + number * 13 % 307


def soak(url: str, root: Path, options: argparse.Namespace) -> dict[str, Tally]:
    ours, theirs = _FORK.Pipe()
    relay = _FORK.Process(target=take_mail, args=(theirs,), daemon=True)
    relay.start()
    readers = tuple(f"reader{number}@example.net" for number in range(options.readers))
    trial = Trial(url, root, ours, ours.recv(), readers, options.connections)
    with trial.store() as store:
        DeliveryFixture(store, RemoteRelay(trial.port), root).subscribe(*readers)
    deaths = planned(trial.kind, options.kills)
    number = 0
    while one_edition(trial, number, deaths):
        number += 1
    with trial.store() as store:
        if violations := store.find_invariant_violations(thorough=True):
            sys.exit(f"deliveries are lost or surplus: {violations}")
    ours.send("")
    relay.join()
    return trial.tallies


@contextmanager
def database(kind: str) -> Iterator[str]:
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
    parser.add_argument("--folder", help="where the publications are made")
    options = parser.parse_args()
    print(
        "| database | death | deaths | named | most at once | lost | repeats | not named | not the same bytes |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|")
    wrong = 0
    for kind in options.databases:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, database(kind) as url:
            for death, each in soak(url, Path(folder), options).items():
                figures = (
                    each.deaths,
                    each.named,
                    each.most,
                    each.lost,
                    each.repeats,
                    each.unnamed,
                    each.unlike,
                )
                print(f"| {kind} | {death} | {' | '.join(map(str, figures))} |", flush=True)
                wrong += each.lost + each.unnamed + each.unlike + max(0, each.most - options.connections)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
