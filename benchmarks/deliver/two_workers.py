"""Measure how much faster two senders on one PostgreSQL are than one, with a slow relay.

The relay on loopback replies to each final dot after 50 ms. Each sender is a process of its own with `--connections`
connections; the edition always has the same size. The figure is the median of the paired ratios.

    python benchmarks/deliver/two_workers.py --messages 2000 --rounds 3

Starts the PostgreSQL of the tests.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import URL

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from ketapress.model.delivery import Phase
from ketapress.store.store import open_store
from ketapress.testing import ScriptedRelay
from support.delivery_fixture import DeliveryFixture, RemoteRelay
from support.postgresql import administer, postgresql

REPLY_SECONDS = 0.05


def send(url: str, port: int, connections: int) -> None:
    with tempfile.TemporaryDirectory() as folder, open_store(url, Path(folder)) as store:
        DeliveryFixture(store, RemoteRelay(port), Path(folder), connections=connections).send_all()


def measure_seconds(server: URL, name: str, workers: int, options: argparse.Namespace) -> float:
    """Send an edition with this many processes; return seconds from the first accepted message to the last."""
    reply_times: list[float] = []

    async def reply_slowly(_session: Any) -> str:
        await asyncio.sleep(REPLY_SECONDS)
        reply_times.append(time.perf_counter())
        return "250 2.0.0 accepted"

    administer(server, f"CREATE DATABASE {name}")
    url = server.set(database=name).render_as_string(hide_password=False)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(url, Path(folder)) as store,
        ScriptedRelay() as relay,
    ):
        relay.script(Phase.END_OF_DATA, reply_slowly)
        delivery = DeliveryFixture(store, relay, Path(folder))
        delivery.subscribe(*(f"reader{n}@host{n % 97}.example" for n in range(options.messages)))
        edition = delivery.add_edition()
        store.deliveries.freeze(edition, "weekly", delivery.clock())
        command = [sys.executable, __file__, "--url", url, "--port", str(relay.port)]
        command += ["--connections", str(options.connections)]
        processes = [subprocess.Popen(command) for _ in range(workers)]
        assert not any([process.wait() for process in processes])  # noqa: C419 - all of them are waited for
        assert (
            len({message.recipient for message in relay.messages}) == len(relay.messages) == options.messages
        )
    return reply_times[-1] - reply_times[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.url:
        send(options.url, options.port, options.connections)
        return
    ratios = []
    with postgresql() as server:
        for number in range(options.rounds):
            one, two = (measure_seconds(server, f"round{number}by{n}", n, options) for n in (1, 2))
            ratios.append(one / two)
            print(
                f"round {number + 1}: one {one:.1f} s, two {two:.1f} s, {ratios[-1]:.2f} times as fast",
                flush=True,
            )
    print(f"median {median(ratios):.2f}")


if __name__ == "__main__":
    main()
