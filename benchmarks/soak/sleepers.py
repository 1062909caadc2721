"""Stops one of several senders again and again, at any moment of its work, until its lease is over; then wakes it.

    python benchmarks/soak/sleepers.py --rounds 10

Four `ketapress send` work on one PostgreSQL. The first is stopped while mail goes out; the others end. When it has been
silent for longer than a lease, and for as long as PostgreSQL lets a transaction wait, one more sender takes over from
it; then it is woken. A round takes a minute and a half, nearly all of it waiting.

Nobody may be lost. Nobody may get it twice but those whose deliveries were `sending` when it was stopped, and their
messages are the same to the byte: at most one an open connection.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from sqlalchemy import URL

from ketapress.model.delivery import DeliveryState, Phase
from ketapress.store.deliveries import LEASE_MICROSECONDS
from support.postgresql import postgresql
from support.sender_processes import House, open_house, stopped

SILENCE = LEASE_MICROSECONDS / 1e6 + 5
TAKES = 0.03
"""Seconds that the relay takes for a message, so that there is a while in which to stop somebody."""


async def slow(_talk: Any) -> str:
    await asyncio.sleep(TAKES)
    return "250 2.0.0 taken"


def one_round(house: House, readers: list[str], rng: Random) -> tuple[int, int, int, int]:
    """How many were sending when it was stopped; then lost, sent to twice, and twice without having been named."""
    for relay in house.relays:
        relay.script(Phase.END_OF_DATA, slow)
    senders = [house.run(number, "send", "--json") for number in range(len(house.folders))]
    most = len(readers) * rng.uniform(0.02, 0.4)
    while sum(house.received().values()) < most:
        time.sleep(0.001)
    stopped(senders[0])
    asleep_since = time.monotonic()
    for each in senders[1:]:
        house.answered(each)
    # Everybody else is done: what is not settled is in the hands of the one that sleeps.
    doubtful = house.named(DeliveryState.SENDING)
    time.sleep(max(0.0, asleep_since + SILENCE - time.monotonic()))
    house.answered(house.run(1, "send", "--json"))
    os.kill(senders[0].pid, signal.SIGCONT)
    senders[0].communicate(timeout=60)
    house.answered(house.run(2, "send", "--json"))
    times = house.received()
    repeated = {each for each, count in times.items() if count > 1}
    house.assert_repeats_are_the_same_to_the_byte()
    return len(doubtful), len(set(readers) - set(times)), len(repeated), len(repeated - doubtful)


def rounds(server: URL, options: argparse.Namespace) -> int:
    readers = [f"reader{number}@host{number % 97}.example" for number in range(options.readers)]
    rng, wrong = Random(options.seed), 0
    print("| round | sending when stopped | lost | twice | not named |\n|--:|--:|--:|--:|--:|")
    for number in range(1, options.rounds + 1):
        with (
            tempfile.TemporaryDirectory() as folder,
            open_house(
                server,
                Path(folder),
                f"round{number}",
                readers,
                senders=4,
                lines=options.connections,
                in_doubt="resend",
            ) as house,
        ):
            named, lost, twice, unnamed = one_round(house, readers, rng)
        print(f"| {number} | {named} | {lost} | {twice} | {unnamed} |", flush=True)
        wrong += lost + unnamed + max(0, twice - options.connections)
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--readers", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with postgresql() as server:
        sys.exit(1 if rounds(server, options) else 0)


if __name__ == "__main__":
    main()
