"""Kill the sender at each system call that moves mail or results, finish with a second process, and count at the relay.

    python benchmarks/deliver/kill_sweep.py --connections 8 --every 1

For each such call (sendto, recvfrom, pwrite64, fdatasync) and each N, a process sends a new publication to a relay on
loopback, and strace kills it at its N-th call; a second process finishes. No subscriber may be lost. A message may be
sent twice only if its end of data was uncertain at the kill: at most one for each connection, and a repeat has to be
byte for byte the same. Requires strace and permission to use ptrace.
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

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from ketapress.store.store import open_store
from ketapress.testing import ScriptedRelay
from support.delivery_fixture import DeliveryFixture, RemoteRelay

CALLS = ("sendto", "recvfrom", "pwrite64", "fdatasync")


@dataclass
class Tally:
    """The effects of the kills at one system call."""

    kills: int = 0
    lost: int = 0
    repeats: int = 0
    max_repeats: int = 0
    different: int = 0


def send(root: Path, port: int, connections: int) -> None:
    with open_store("sqlite:///ketapress.db", root) as store:
        DeliveryFixture(store, RemoteRelay(port), root, connections=connections).send_all()


def run_sender(root: Path, port: int, connections: int, *prefix: str) -> int:
    """Send in a process of its own, started through the command `prefix`; return its exit code."""
    command = [*prefix, sys.executable, __file__, "--send", str(root), "--port", str(port)]
    return subprocess.run(
        [*command, "--connections", str(connections)], check=False, stderr=subprocess.DEVNULL
    ).returncode


def kill_once(call: str, call_number: int, options: argparse.Namespace, tally: Tally) -> bool:
    """Send one publication with one kill; return False if the process ended before its N-th call."""
    readers = [f"reader{n}@example.net" for n in range(options.readers)]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, ScriptedRelay() as relay:
        with open_store("sqlite:///ketapress.db", Path(folder)) as store:
            delivery = DeliveryFixture(store, relay, Path(folder))
            delivery.subscribe(*readers)
            delivery.add_edition()
        strace = ["strace", "-f", "-o", os.devnull, "-e", f"trace={call}"]
        inject = ["-e", f"inject={call}:signal=KILL:when={call_number}"]
        code = run_sender(Path(folder), relay.port, options.connections, *strace, *inject)
        if code == 0:
            return False
        assert code in {-signal.SIGKILL, 128 + signal.SIGKILL}, code
        assert run_sender(Path(folder), relay.port, options.connections) == 0
        with open_store("sqlite:///ketapress.db", Path(folder)) as store:
            assert all(store.deliveries.counts_match(edition.id) for edition in store.editions.list_all())
    times = Counter(message.recipient for message in relay.messages)
    repeat_recipients = {recipient for recipient, count in times.items() if count > 1}
    tally.kills += 1
    tally.lost += len(set(readers) - set(times))
    tally.repeats += sum(times[recipient] - 1 for recipient in repeat_recipients)
    tally.max_repeats = max(tally.max_repeats, sum(times[recipient] - 1 for recipient in repeat_recipients))
    tally.different += sum(
        len({message.message for message in relay.messages if message.recipient == recipient}) > 1
        for recipient in repeat_recipients
    )
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument(
        "--every", type=int, default=1, help="kill at every n-th call only, for a shorter sweep"
    )
    parser.add_argument("--most", type=int, default=400, help="kills for each system call at most")
    parser.add_argument("--folder", help="where the publications are made")
    parser.add_argument("--send", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send:
        send(options.send, options.port, options.connections)
        return
    if shutil.which("strace") is None:
        sys.exit("strace is not installed. Run: apt-get install strace")
    print("| killed at | kills | lost | repeats | most repeats of a kill | different bytes |")
    print("|---|--:|--:|--:|--:|--:|")
    total = Tally()
    for call in CALLS:
        tally = Tally()
        for call_number in range(1, options.most + 1, options.every):
            if not kill_once(call, call_number, options, tally):
                break
        print(
            f"| {call} | {tally.kills} | {tally.lost} | {tally.repeats} | {tally.max_repeats} | {tally.different} |",
            flush=True,
        )
        total.lost += tally.lost
        total.different += tally.different
        total.max_repeats = max(total.max_repeats, tally.max_repeats)
    sys.exit(1 if total.lost or total.different or total.max_repeats > options.connections else 0)


if __name__ == "__main__":
    main()
