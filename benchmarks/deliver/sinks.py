"""The SMTP servers that benchmarks send to: a sink that counts and uses very little CPU, or Postfix's smtp-sink.

smtp-sink uses as much CPU for a message of 60 KB as a fast sender does, so that the sink is the limit. The counting sink
(sink.c, compiled here with cc) uses a seventh of that, and reports how many messages, bytes and recipients arrived.

    python benchmarks/deliver/sinks.py          check that the counting sink counts correctly however the bytes arrive
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
MAX_SECONDS = 900
"""Seconds after which a counting sink ends, even if its benchmark has crashed."""
MIN_SIZE_RATIO = 0.9
MAX_SIZE_RATIO = 1.15
"""The average size of a message, divided by the size asked for, is in this range: encodings differ."""
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


@dataclass(frozen=True)
class Counts:
    messages: int
    bytes: int
    recipients: int
    errors: int


@dataclass
class Sink:
    port: int
    cpu_seconds: float = 0.0
    """The sink's CPU seconds; 0 until it has ended."""
    counts: Counts | None = None
    """What arrived; None until the sink has ended, and always for smtp-sink, which does not count."""

    def check(self, messages: int, size: int) -> None:
        """Exit unless this many messages of about this size arrived, each for one recipient."""
        counts = self.counts
        if counts is None:
            return
        is_complete = counts.messages == counts.recipients == messages and not counts.errors
        if not is_complete or not MIN_SIZE_RATIO * size <= counts.bytes / messages <= MAX_SIZE_RATIO * size:
            sys.exit(f"Expected {messages} messages of {size} bytes; the sink received {counts}.")


@contextmanager
def open_sink(kind: str) -> Iterator[Sink]:
    """Start a sink and yield it; its counts and CPU seconds are set when the context ends."""
    with start_counting_sink() if kind == "counting" else start_smtp_sink() as sink:
        yield sink


@contextmanager
def start_counting_sink() -> Iterator[Sink]:
    with subprocess.Popen([compile_sink(), str(MAX_SECONDS)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        sink = Sink(int(process.stdout.readline()))
        try:
            yield sink
        finally:
            process.terminate()
            output = process.stdout.read()
            sink.cpu_seconds = wait_for_exit(process)
        sink.counts = Counts(*map(int, output.split()))


@contextmanager
def start_smtp_sink() -> Iterator[Sink]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sink = Sink(free.getsockname()[1])
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    with subprocess.Popen([find_program("smtp-sink"), *user, f"127.0.0.1:{sink.port}", "1000"]) as process:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if not probe.connect_ex(("127.0.0.1", sink.port)):
                        break
                time.sleep(0.01)
            yield sink
        finally:
            process.terminate()
            sink.cpu_seconds = wait_for_exit(process)


@cache
def compile_sink() -> str:
    """Compile sink.c into a temporary folder, removed at exit, and return the path of the binary."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    binary = f"{folder}/sink"
    source = Path(__file__).with_name("sink.c")
    subprocess.run([find_program("cc"), "-std=gnu11", "-O2", "-o", binary, str(source)], check=True)
    return binary


def find_program(name: str) -> str:
    path = shutil.which(name, path=SEARCH_PATH)
    if path is None:
        sys.exit(f"{name} is not installed. Run: apt-get install postfix gcc libc6-dev")
    return path


def wait_for_exit(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> float:
    """Wait for the process to end, and return the CPU seconds that it used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def check_counts() -> int:
    """Send messages that contain false ends of data, split in two at every byte; return the number of splits."""
    bodies = (b"", b"A: b\r\n\r\n..\r\n...\r\n.\n.\r.\r\nQUIT\r\n", b".\n\r\n..\r\n\r\n")
    commands = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    session = b"EHLO me\r\n" + b"".join(commands + body + b".\r\n" for body in bodies) + b"RSET\r\nQUIT\r\n"
    with open_sink("counting") as sink:
        for position in range(len(session)):
            with socket.create_connection(("127.0.0.1", sink.port), timeout=5) as relay:
                relay.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                relay.sendall(session[:position])
                time.sleep(0.002)
                relay.sendall(session[position:])
                with relay.makefile("rb") as answers:
                    codes = [line[:3] for line in answers]
            assert codes == [b"220", *[b"250"] * 4, *[b"250", b"250", b"354", b"250"] * 3, b"250", b"221"], (
                codes
            )
    messages = len(session) * len(bodies)
    assert sink.counts == Counts(messages, len(session) * len(b"".join(bodies)), messages, 0), sink.counts
    return len(session)


if __name__ == "__main__":
    print(f"All counts are correct, with {check_counts()} different splits.")
