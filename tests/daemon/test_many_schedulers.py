"""Several schedulers on one PostgreSQL, killed at random or cut off from it: one edition a slot.

A minute a slot; the clock goes on when somebody has decided the slot. A few slots in `make test`, a thousand with
KETAPRESS_SOAK=1.
"""

import ctypes
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import pytest

from ketapress.store.store import open_store
from support.postgresql import administer, postgresql
from support.scheduler_processes import MINUTE, START, Crew, assert_one_edition_a_slot, clones, load, newest

SOAK = bool(os.environ.get("KETAPRESS_SOAK"))
SLOTS = 1000 if SOAK else 3
SCHEDULERS = 5
FIRST_TICK = 0.5  # seconds, a guess: what later ones take is measured, so that kills fall into them
PORT = 5432  # in a network of its own
# Hands on what comes over the network to the socket file of PostgreSQL.
PROXY = """
import asyncio, sys
async def copy(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def called(reader, writer):
    there = await asyncio.open_unix_connection(sys.argv[1])
    await asyncio.gather(copy(reader, there[1]), copy(there[0], writer), return_exceptions=True)
async def main():
    server = await asyncio.start_server(called, "0.0.0.0", int(sys.argv[2]))
    print("listening", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@pytest.fixture
def url() -> Iterator[str]:
    with postgresql() as server:
        administer(server, "CREATE DATABASE schedulers")
        yield server.set(database="schedulers").render_as_string(hide_password=False)


def test_each_slot_has_one_edition_whoever_is_killed(url: str, tmp_path: Path) -> None:
    """In every other slot somebody is killed: at a moment that lies within what a tick takes, whenever it began."""
    rng, kills, took, composers = Random(1), Counter[bool](), [FIRST_TICK], set[int]()
    load(tmp_path / "loaded")
    folders = clones(tmp_path, [url] * SCHEDULERS, SLOTS)
    crew = Crew(folders)
    with ExitStack() as last:
        last.callback(crew.end)
        for number in range(SCHEDULERS):
            crew.hire(number)
        store = last.enter_context(open_store(url, tmp_path))
        for slot in range(SLOTS):
            now = START + slot * MINUTE
            crew.tell(now)
            strike = time.monotonic() + rng.random() * rng.choice(took) if rng.random() < 0.5 else None
            while (undecided := newest(store) < now) or strike:
                ticked = crew.ticks(max(0.0, strike - time.monotonic()) if strike else None)
                assert not any(each.wrong for each in ticked.values())
                took += [each.seconds for each in ticked.values()]
                composers |= {number for number, each in ticked.items() if each.composed}
                if undecided and ticked:
                    crew.tell(now, *ticked)
                if strike and time.monotonic() >= strike:
                    number, strike = rng.randrange(SCHEDULERS), None
                    kills[crew.kill(number)] += 1
                    crew.hire(number)
                    crew.tell(now, number)
    if SOAK:  # of three slots nobody knows
        assert kills[True] >= SLOTS / 5, f"too few are killed at work: {kills}"
        assert len(composers) == SCHEDULERS
    assert_one_edition_a_slot(url, folders[0], SLOTS)


class Network:
    """Hosts without anything between them but a line each to the host of the database: namespaces of the kernel."""

    def __init__(self, hosts: int) -> None:
        self.database = f"kp{os.getpid()}d"
        self.hosts = [f"kp{os.getpid()}h{number}" for number in range(hosts)]

    def build(self) -> None:
        for name in (self.database, *self.hosts):
            ip("netns", "add", name)
        for number, host in enumerate(self.hosts):
            ip(
                "link",
                "add",
                "db",
                "netns",
                host,
                "type",
                "veth",
                "peer",
                "name",
                f"h{number}",
                "netns",
                self.database,
            )
            for name, line, address in ((host, "db", 2), (self.database, f"h{number}", 1)):
                ip("-n", name, "addr", "add", f"10.231.{number}.{address}/30", "dev", line)
                ip("-n", name, "link", "set", line, "up")

    def cut(self, number: int, *, off: bool) -> None:
        ip("-n", self.database, "link", "set", f"h{number}", "down" if off else "up")

    def settle(self, number: int) -> None:
        """This process moves to that host; it has no other thread."""
        with Path("/run/netns", self.hosts[number]).open() as place:
            assert ctypes.CDLL(None).setns(place.fileno(), 0) == 0

    def end(self) -> None:
        for name in (self.database, *self.hosts):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def proxy(network: Network, url: str) -> Iterator[None]:
    """PostgreSQL listens on a socket file alone; this makes it answer in the network, and nowhere else."""
    socket = Path(url.partition("host=")[2].partition("&")[0].replace("%2F", "/")) / ".s.PGSQL.5432"
    assert socket.is_socket(), socket
    words = ["ip", "netns", "exec", network.database, sys.executable, "-c", PROXY, str(socket), str(PORT)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "listening\n"
            yield
        finally:
            process.kill()


@pytest.mark.netns
def test_a_host_that_is_cut_off_and_comes_back_repeats_nothing(url: str, tmp_path: Path) -> None:
    """Three hosts; the first is cut off, the others go on; it is back, the others are killed, and it goes on alone."""
    network = Network(3)
    slots = 6
    urls = [f"postgresql+psycopg://postgres@10.231.{number}.1:{PORT}/schedulers" for number in range(3)]
    load(tmp_path / "loaded")
    folders = clones(tmp_path, urls, slots)
    crew = Crew(folders, network.settle)
    with ExitStack() as last:
        last.callback(network.end)
        network.build()
        last.enter_context(proxy(network, url))
        last.callback(crew.end)
        for number in range(3):
            crew.hire(number)
        store = last.enter_context(open_store(url, tmp_path))
        for slot in range(slots):
            if slot == 2:
                network.cut(0, off=True)
            if slot == 4:
                network.cut(0, off=False)
                crew.kill(1)
                crew.kill(2)
            now = START + slot * MINUTE
            crew.tell(now)
            while newest(store) < now:
                crew.tell(now, *crew.ticks())
        assert set(crew.children) == {0}
    (folders[0] / "ketapress.toml").write_text(
        (folders[0] / "ketapress.toml").read_text().replace(urls[0], url)
    )
    assert_one_edition_a_slot(url, folders[0], slots)
