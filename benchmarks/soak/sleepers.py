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
from support.sender_processes import SenderProcesses, open_senders, stop_process

SILENCE = LEASE_MICROSECONDS / 1e6 + 5
TAKES = 0.03
"""Seconds that the relay takes for a message, so that there is a while in which to stop somebody."""


async def slow(_conversation: Any) -> str:
    await asyncio.sleep(TAKES)
    return "250 2.0.0 accepted"


def one_round(processes: SenderProcesses, readers: list[str], rng: Random) -> tuple[int, int, int, int]:
    """How many were sending when it was stopped; then lost, sent to twice, and twice without having been named."""
    for relay in processes.relays:
        relay.script(Phase.END_OF_DATA, slow)
    senders = [processes.start(number, "send", "--json") for number in range(len(processes.folders))]
    most = len(readers) * rng.uniform(0.02, 0.4)
    while sum(processes.count_messages().values()) < most:
        time.sleep(0.001)
    stop_process(senders[0])
    asleep_since = time.monotonic()
    for sender in senders[1:]:
        processes.read_result(sender)
    # The others have ended: what is still sending is claimed by the one that is stopped.
    in_doubt = processes.addresses(DeliveryState.SENDING)
    time.sleep(max(0.0, asleep_since + SILENCE - time.monotonic()))
    processes.read_result(processes.start(1, "send", "--json"))
    os.kill(senders[0].pid, signal.SIGCONT)
    senders[0].communicate(timeout=60)
    processes.read_result(processes.start(2, "send", "--json"))
    times = processes.count_messages()
    repeated = {address for address, count in times.items() if count > 1}
    processes.assert_repeats_are_the_same_to_the_byte()
    return len(in_doubt), len(set(readers) - set(times)), len(repeated), len(repeated - in_doubt)


def rounds(server: URL, options: argparse.Namespace) -> int:
    readers = [f"reader{number}@example{number % 97}.net" for number in range(options.readers)]
    rng, wrong = Random(options.seed), 0
    print("| round | sending when stopped | lost | twice | not named |\n|--:|--:|--:|--:|--:|")
    for number in range(1, options.rounds + 1):
        with (
            tempfile.TemporaryDirectory() as folder,
            open_senders(
                server,
                Path(folder),
                f"round{number}",
                readers,
                senders=4,
                connections=options.connections,
                in_doubt="resend",
            ) as processes,
        ):
            named, lost, twice, unnamed = one_round(processes, readers, rng)
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
