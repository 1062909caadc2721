"""Suspend one of several senders at a random moment until its lease has expired, then resume it.

    python benchmarks/soak/sleepers.py --rounds 10

Four `ketapress send` work on one PostgreSQL. The first is suspended while it sends mail; the others finish. After a pause
that is longer than a lease and than PostgreSQL's timeout of idle transactions, another sender takes over its deliveries;
then the first is resumed. A round takes a minute and a half, mostly waiting.

No subscriber may be lost. A message may be sent twice only if its delivery was `sending` at the suspension: at most one
for each open connection, and byte for byte the same.
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
REPLY_SECONDS = 0.03
"""Seconds until the relay replies to a message, so that the sender is suspended before it has finished."""


async def reply_slowly(_session: Any) -> str:
    await asyncio.sleep(REPLY_SECONDS)
    return "250 2.0.0 accepted"


def run_round(processes: SenderProcesses, readers: list[str], rng: Random) -> tuple[int, int, int, int]:
    """Return how many deliveries were sending at the suspension, and how many were lost, repeated and unexplained."""
    for relay in processes.relays:
        relay.script(Phase.END_OF_DATA, reply_slowly)
    senders = [processes.start(number, "send", "--json") for number in range(len(processes.folders))]
    threshold = len(readers) * rng.uniform(0.02, 0.4)
    while sum(processes.count_messages().values()) < threshold:
        time.sleep(0.001)
    stop_process(senders[0])
    stop_time = time.monotonic()
    for sender in senders[1:]:
        processes.read_result(sender)
    # The others have ended: the deliveries that are still sending are claimed by the suspended sender.
    in_doubt = processes.addresses(DeliveryState.SENDING)
    time.sleep(max(0.0, stop_time + SILENCE - time.monotonic()))
    processes.read_result(processes.start(1, "send", "--json"))
    os.kill(senders[0].pid, signal.SIGCONT)
    senders[0].communicate(timeout=60)
    processes.read_result(processes.start(2, "send", "--json"))
    times = processes.count_messages()
    repeats = {address for address, count in times.items() if count > 1}
    processes.assert_repeats_are_the_same_to_the_byte()
    return len(in_doubt), len(set(readers) - set(times)), len(repeats), len(repeats - in_doubt)


def run_rounds(server: URL, options: argparse.Namespace) -> int:
    readers = [f"reader{number}@host{number % 97}.example" for number in range(options.readers)]
    rng, violation_count = Random(options.seed), 0
    print("| round | sending at suspension | lost | repeats | unexplained |\n|--:|--:|--:|--:|--:|")
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
            in_doubt, lost, repeats, unexplained = run_round(processes, readers, rng)
        print(f"| {number} | {in_doubt} | {lost} | {repeats} | {unexplained} |", flush=True)
        violation_count += lost + unexplained + max(0, repeats - options.connections)
    return violation_count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--readers", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with postgresql() as server:
        sys.exit(1 if run_rounds(server, options) else 0)


if __name__ == "__main__":
    main()
