"""Kills the sender at every system call around the send, starts it again until it is done, and counts at the relay.

    python benchmarks/deliver/kill_sweep.py --connections 8 --every 1

For each of the calls that move mail or results (sendto, recvfrom, pwrite64, fdatasync) and each occasion N, a fresh
publication is sent to a relay of ours by a process that strace kills at its N-th such call; a second process finishes.
Nobody may be lost. Nobody may be sent to twice but those at their dot at the kill, at most one a connection, and each
repeat has to be the same to the byte. Needs strace, and ptrace allowed.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ketapress.store.store import open_store
from ketapress.testing import ScriptedRelay
from support.delivery_fixture import DeliveryFixture, RemoteRelay

CALLS = ("sendto", "recvfrom", "pwrite64", "fdatasync")


@dataclass
class Tally:
    """What the kills at one system call did."""

    kills: int = 0
    lost: int = 0
    repeated: int = 0
    most: int = 0
    unlike: int = 0


def send(root: Path, port: int, connections: int) -> None:
    with open_store("sqlite:///ketapress.db", root) as store:
        DeliveryFixture(store, RemoteRelay(port), root, connections=connections).send_all()


def sender(root: Path, port: int, connections: int, *before: str) -> int:
    """Sends in a process of its own, under the words before it; its exit code."""
    words = [*before, sys.executable, __file__, "--send", str(root), "--port", str(port)]
    return subprocess.run(
        [*words, "--connections", str(connections)], check=False, stderr=subprocess.DEVNULL
    ).returncode


def killed_once(call: str, occasion: int, options: argparse.Namespace, tally: Tally) -> bool:
    """One publication, one kill; False when the process was done before that occasion came."""
    readers = [f"reader{n}@example.net" for n in range(options.readers)]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, ScriptedRelay() as relay:
        with open_store("sqlite:///ketapress.db", Path(folder)) as store:
            delivery = DeliveryFixture(store, relay, Path(folder))
            delivery.subscribe(*readers)
            delivery.add_edition()
        strace = ["strace", "-f", "-o", os.devnull, "-e", f"trace={call}"]
        inject = ["-e", f"inject={call}:signal=KILL:when={occasion}"]
        code = sender(Path(folder), relay.port, options.connections, *strace, *inject)
        if code == 0:
            return False
        assert code in {-signal.SIGKILL, 128 + signal.SIGKILL}, code
        assert sender(Path(folder), relay.port, options.connections) == 0
        with open_store("sqlite:///ketapress.db", Path(folder)) as store:
            assert all(store.deliveries.counts_match(edition.id) for edition in store.editions.list_all())
    times = Counter(message.recipient for message in relay.messages)
    repeats = {recipient for recipient, count in times.items() if count > 1}
    tally.kills += 1
    tally.lost += len(set(readers) - set(times))
    tally.repeated += sum(times[recipient] - 1 for recipient in repeats)
    tally.most = max(tally.most, sum(times[recipient] - 1 for recipient in repeats))
    tally.unlike += sum(
        len({message.message for message in relay.messages if message.recipient == recipient}) > 1
        for recipient in repeats
    )
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--every", type=int, default=1, help="only every n-th occasion, for a shorter sweep")
    parser.add_argument("--most", type=int, default=400, help="occasions a system call at the most")
    parser.add_argument("--folder", help="where the publications are made")
    parser.add_argument("--send", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send:
        send(options.send, options.port, options.connections)
        return
    if shutil.which("strace") is None:
        sys.exit("strace is not installed: apt-get install strace brings it.")
    print("| killed at | kills | lost | repeated | most a kill | not the same bytes |")
    print("|---|--:|--:|--:|--:|--:|")
    whole = Tally()
    for call in CALLS:
        tally = Tally()
        for occasion in range(1, options.most + 1, options.every):
            if not killed_once(call, occasion, options, tally):
                break
        print(
            f"| {call} | {tally.kills} | {tally.lost} | {tally.repeated} | {tally.most} | {tally.unlike} |",
            flush=True,
        )
        whole.lost += tally.lost
        whole.unlike += tally.unlike
        whole.most = max(whole.most, tally.most)
    sys.exit(1 if whole.lost or whole.unlike or whole.most > options.connections else 0)


if __name__ == "__main__":
    main()
