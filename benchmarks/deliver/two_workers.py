"""How much two senders on one PostgreSQL get done, against one, where the relay is what takes time.

A relay of ours answers each final dot after 50 ms. Each sender is a process of its own with so many connections; the
edition is the same size each time. A figure is the median of the paired ratios.

    python benchmarks/deliver/two_workers.py --messages 2000 --rounds 3

Brings its own PostgreSQL (the one of the tests).
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

TAKES = 0.05


def sender(url: str, port: int, connections: int) -> None:
    with tempfile.TemporaryDirectory() as folder, open_store(url, Path(folder)) as store:
        DeliveryFixture(store, RemoteRelay(port), Path(folder), connections=connections).send_all()


def seconds(server: URL, name: str, workers: int, options: argparse.Namespace) -> float:
    """One edition to all its readers, by so many processes: from the first message taken to the last."""
    taken: list[float] = []

    async def slow(_talk: Any) -> str:
        await asyncio.sleep(TAKES)
        taken.append(time.perf_counter())
        return "250 2.0.0 taken"

    administer(server, f"CREATE DATABASE {name}")
    url = server.set(database=name).render_as_string(hide_password=False)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(url, Path(folder)) as store,
        ScriptedRelay() as relay,
    ):
        relay.script(Phase.END_OF_DATA, slow)
        delivery = DeliveryFixture(store, relay, Path(folder))
        delivery.subscribe(*(f"reader{n}@example{n % 97}.net" for n in range(options.messages)))
        edition = delivery.add_edition()
        store.deliveries.freeze(edition, "weekly", delivery.clock())
        words = [sys.executable, __file__, "--url", url, "--port", str(relay.port)]
        words += ["--connections", str(options.connections)]
        senders = [subprocess.Popen(words) for _ in range(workers)]
        assert not any([each.wait() for each in senders])  # noqa: C419 - all of them are waited for
        assert (
            len({message.recipient for message in relay.messages}) == len(relay.messages) == options.messages
        )
    return taken[-1] - taken[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.url:
        sender(options.url, options.port, options.connections)
        return
    ratios = []
    with postgresql() as server:
        for number in range(options.rounds):
            one, two = (seconds(server, f"round{number}by{n}", n, options) for n in (1, 2))
            ratios.append(one / two)
            print(
                f"round {number + 1}: one {one:.1f} s, two {two:.1f} s, {ratios[-1]:.2f} times as fast",
                flush=True,
            )
    print(f"median {median(ratios):.2f}")


if __name__ == "__main__":
    main()
