"""Where a benchmark's mail goes: a sink of ours that costs next to nothing and counts, or Postfix's smtp-sink.

smtp-sink uses as much CPU for a message of 60 KB as a good sender does, so that it is the limit. Ours (sink.c, compiled
here with cc) uses a seventh of that, and says how many messages, bytes and recipients came.

    python benchmarks/deliver/sinks.py          checks ours: it counts right however the bytes come in
"""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SINKS = ("counting", "smtp-sink")
BOUND = 900
"""Seconds after which a sink of ours ends, whatever became of its benchmark."""
LESS = 0.9
MORE = 1.15
"""A message may be so much smaller or larger than was asked for: encodings differ."""
BINARIES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


@dataclass(frozen=True)
class Counts:
    messages: int
    bytes: int
    recipients: int
    errors: int


@dataclass
class Sink:
    port: int
    processor: float = 0.0
    """Its processor seconds, once it has ended."""
    counts: Counts | None = None
    """What came, once it has ended; smtp-sink does not say."""

    def check(self, messages: int, size: int) -> None:
        """Ends the benchmark unless so many messages of about that size came, each to one recipient."""
        counts = self.counts
        if counts is None:
            return
        whole = counts.messages == counts.recipients == messages and not counts.errors
        if not whole or not LESS * size <= counts.bytes / messages <= MORE * size:
            sys.exit(f"{messages} messages of {size} bytes were to arrive; the sink took {counts}.")


@contextmanager
def open_sink(kind: str) -> Iterator[Sink]:
    """Starts a sink on a port of its own; what it counted and what it cost is known afterwards."""
    with counting_sink() if kind == "counting" else smtp_sink() as sink:
        yield sink


@contextmanager
def counting_sink() -> Iterator[Sink]:
    with subprocess.Popen([compiled(), str(BOUND)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        sink = Sink(int(process.stdout.readline()))
        try:
            yield sink
        finally:
            process.terminate()
            told = process.stdout.read()
            sink.processor = wait(process)
        sink.counts = Counts(*map(int, told.split()))


@contextmanager
def smtp_sink() -> Iterator[Sink]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sink = Sink(free.getsockname()[1])
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    with subprocess.Popen([program("smtp-sink"), *user, f"127.0.0.1:{sink.port}", "1000"]) as process:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if not probe.connect_ex(("127.0.0.1", sink.port)):
                        break
                time.sleep(0.01)
            yield sink
        finally:
            process.terminate()
            sink.processor = wait(process)


@cache
def compiled() -> str:
    """Compiles sink.c into a folder that is gone when the benchmark ends."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    made = f"{folder}/sink"
    source = Path(__file__).with_name("sink.c")
    subprocess.run([program("cc"), "-std=gnu11", "-O2", "-o", made, str(source)], check=True)
    return made


def program(name: str) -> str:
    found = shutil.which(name, path=BINARIES)
    if found is None:
        sys.exit(f"{name} is not installed: apt-get install postfix gcc libc6-dev brings it.")
    return found


def wait(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> float:
    """Waits for the process, and returns the processor seconds that it used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def check() -> int:
    """Sends messages that look like ends and are none, cut in two at every byte; returns in how many ways."""
    bodies = (b"", b"A: b\r\n\r\n..\r\n...\r\n.\n.\r.\r\nQUIT\r\n", b".\n\r\n..\r\n\r\n")
    words = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    talk = b"EHLO me\r\n" + b"".join(words + body + b".\r\n" for body in bodies) + b"RSET\r\nQUIT\r\n"
    with open_sink("counting") as sink:
        for cut in range(len(talk)):
            with socket.create_connection(("127.0.0.1", sink.port), timeout=5) as relay:
                relay.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                relay.sendall(talk[:cut])
                time.sleep(0.002)
                relay.sendall(talk[cut:])
                with relay.makefile("rb") as answers:
                    codes = [line[:3] for line in answers]
            assert codes == [b"220", *[b"250"] * 4, *[b"250", b"250", b"354", b"250"] * 3, b"250", b"221"], (
                codes
            )
    taken = len(talk) * len(bodies)
    assert sink.counts == Counts(taken, len(talk) * len(b"".join(bodies)), taken, 0), sink.counts
    return len(talk)


if __name__ == "__main__":
    print(f"Counted right, cut in {check()} ways.")
