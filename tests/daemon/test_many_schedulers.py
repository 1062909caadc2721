"""Several schedulers on one PostgreSQL, killed at random or cut off from it: one edition a slot.

There is a slot a minute; the clock advances when the slot is decided. A few slots in `make test`, a thousand with
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
from support.scheduler_processes import (
    MINUTE,
    START,
    SchedulerPool,
    assert_one_edition_per_slot,
    create_clones,
    get_newest_slot,
    warm_up,
)

SOAK = bool(os.environ.get("KETAPRESS_SOAK"))
SLOTS = 1000 if SOAK else 3
SCHEDULERS = 5
FIRST_TICK = 0.5  # seconds, a guess; later ticks are measured, so that kills hit them
PORT = 5432  # in a network of its own
# Forwards connections from the network to the socket file of PostgreSQL.
PROXY = """
import asyncio, sys
async def copy(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def connect(reader, writer):
    database = await asyncio.open_unix_connection(sys.argv[1])
    await asyncio.gather(copy(reader, database[1]), copy(database[0], writer), return_exceptions=True)
async def main():
    server = await asyncio.start_server(connect, "0.0.0.0", int(sys.argv[2]))
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
    """In every other slot a scheduler is killed, at a random moment within the duration of a tick."""
    rng, durations = Random(1), [FIRST_TICK]
    kill_counts, composer_numbers = Counter[bool](), set[int]()
    warm_up(tmp_path / "warm_up")
    folders = create_clones(tmp_path, [url] * SCHEDULERS, SLOTS)
    pool = SchedulerPool(folders)
    with ExitStack() as stack:
        stack.callback(pool.stop)
        for number in range(SCHEDULERS):
            pool.start(number)
        store = stack.enter_context(open_store(url, tmp_path))
        for slot in range(SLOTS):
            now = START + slot * MINUTE
            pool.request_ticks(now)
            kill_time = (
                time.monotonic() + rng.random() * rng.choice(durations) if rng.random() < 0.5 else None
            )
            while (is_undecided := get_newest_slot(store) < now) or kill_time:
                ticks = pool.wait_for_ticks(max(0.0, kill_time - time.monotonic()) if kill_time else None)
                assert not any(tick.has_error for tick in ticks.values())
                durations += [tick.seconds for tick in ticks.values()]
                composer_numbers |= {number for number, tick in ticks.items() if tick.has_edition}
                if is_undecided and ticks:
                    pool.request_ticks(now, *ticks)
                if kill_time and time.monotonic() >= kill_time:
                    number, kill_time = rng.randrange(SCHEDULERS), None
                    kill_counts[pool.kill(number)] += 1
                    pool.start(number)
                    pool.request_ticks(now, number)
    if SOAK:  # three slots prove nothing
        assert kill_counts[True] >= SLOTS / 5, f"too few were killed at work: {kill_counts}"
        assert len(composer_numbers) == SCHEDULERS
    assert_one_edition_per_slot(url, folders[0], SLOTS)


class Network:
    """Hosts with one link each to the host of the database, as network namespaces."""

    def __init__(self, hosts: int) -> None:
        self.database = f"kp{os.getpid()}d"
        self.hosts = [f"kp{os.getpid()}h{number}" for number in range(hosts)]

    def create(self) -> None:
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
            for name, interface, address in ((host, "db", 2), (self.database, f"h{number}", 1)):
                ip("-n", name, "addr", "add", f"10.231.{number}.{address}/30", "dev", interface)
                ip("-n", name, "link", "set", interface, "up")

    def set_link(self, number: int, *, is_up: bool) -> None:
        ip("-n", self.database, "link", "set", f"h{number}", "up" if is_up else "down")

    def enter(self, number: int) -> None:
        """Move this process, which has one thread, to a host."""
        with Path("/run/netns", self.hosts[number]).open() as namespace:
            assert ctypes.CDLL(None).setns(namespace.fileno(), 0) == 0

    def delete(self) -> None:
        for name in (self.database, *self.hosts):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def proxy(network: Network, url: str) -> Iterator[None]:
    """Make PostgreSQL, which listens on a socket file, answer in this network only."""
    socket = Path(url.partition("host=")[2].partition("&")[0].replace("%2F", "/")) / ".s.PGSQL.5432"
    assert socket.is_socket(), socket
    command = ["ip", "netns", "exec", network.database, sys.executable, "-c", PROXY, str(socket), str(PORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "listening\n"
            yield
        finally:
            process.kill()


@pytest.mark.netns
def test_a_host_that_is_cut_off_and_comes_back_repeats_nothing(url: str, tmp_path: Path) -> None:
    """The first of three hosts is cut off and the others continue; then it is back, and the others are killed."""
    network = Network(3)
    slots = 6
    urls = [f"postgresql+psycopg://postgres@10.231.{number}.1:{PORT}/schedulers" for number in range(3)]
    warm_up(tmp_path / "warm_up")
    folders = create_clones(tmp_path, urls, slots)
    pool = SchedulerPool(folders, network.enter)
    with ExitStack() as stack:
        stack.callback(network.delete)
        network.create()
        stack.enter_context(proxy(network, url))
        stack.callback(pool.stop)
        for number in range(3):
            pool.start(number)
        store = stack.enter_context(open_store(url, tmp_path))
        for slot in range(slots):
            if slot == 2:
                network.set_link(0, is_up=False)
            if slot == 4:
                network.set_link(0, is_up=True)
                pool.kill(1)
                pool.kill(2)
            now = START + slot * MINUTE
            pool.request_ticks(now)
            while get_newest_slot(store) < now:
                pool.request_ticks(now, *pool.wait_for_ticks())
        assert set(pool.schedulers) == {0}
    (folders[0] / "ketapress.toml").write_text(
        (folders[0] / "ketapress.toml").read_text().replace(urls[0], url)
    )
    assert_one_edition_per_slot(url, folders[0], slots)
