"""Postfix's own test server as a second, independent judge of what we write."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ketapress.model.delivery import Phase
from ketapress.model.settings import RelayUrl
from ketapress.relay.client import ConnectError, Connection
from ketapress.relay.transaction import Envelope

SINK = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin") or "smtp-sink"
MESSAGE = b"Subject: x\r\n\r\n.begins with a full stop\r\n" + b"x" * 70 + b"\r\n" * 900


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that smtp-sink may write to, although it refuses to stay root."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@contextmanager
def sink(folder: Path, *options: str) -> Iterator[RelayUrl]:
    """`smtp-sink`, which dumps each message into a file of the folder, on a port that was free a moment ago."""
    with socket.socket() as free_socket:
        free_socket.bind(("127.0.0.1", 0))
        port = free_socket.getsockname()[1]
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    command = [SINK, *user, "-d", str(folder / "m."), *options, f"127.0.0.1:{port}", "100"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield RelayUrl("127.0.0.1", port, "none")
        finally:
            process.terminate()


async def open_connection(url: RelayUrl) -> Connection:
    for _ in range(200):
        try:
            return await Connection.open(url, hostname="press.example.org")
        except ConnectError as error:
            if error.phase is not Phase.CONNECT:
                raise
            await asyncio.sleep(0.02)  # it is not listening yet
    raise AssertionError("smtp-sink did not start")


async def send_messages(url: RelayUrl, recipients: list[str]) -> list[tuple[Phase, int]]:
    async def allow() -> bool:
        return True

    connection, steps = await open_connection(url), []
    for recipient in recipients:
        outcome = await connection.send(
            Envelope("digest@example.org", recipient, len(MESSAGE)), [MESSAGE], allow
        )
        assert outcome is not None
        steps.append((outcome[0], outcome[1].code))
    await connection.close()
    return steps


@pytest.mark.smtp_sink
@pytest.mark.parametrize("options", [[], ["-p"]], ids=["pipelining", "without pipelining"])
def test_smtp_sink_takes_every_message_as_it_was(folder: Path, options: list[str]) -> None:
    recipients = [f"reader{n}@example.net" for n in range(20)]
    with sink(folder, *options) as url:
        assert asyncio.run(send_messages(url, recipients)) == [(Phase.END_OF_DATA, 250)] * 20
    dumps = [file.read_bytes() for file in folder.iterdir()]
    assert len(dumps) == 20
    assert {
        recipient for recipient in recipients for dump in dumps if f"<{recipient}>".encode() in dump
    } == set(recipients)
    assert all(b"\n.begins with a full stop\n" in dump.replace(b"\r\n", b"\n") for dump in dumps)


@pytest.mark.smtp_sink
@pytest.mark.parametrize(
    ("command", "phase"),
    [("MAIL", Phase.MAIL), ("RCPT", Phase.RECIPIENT), ("DATA", Phase.DATA), (".", Phase.END_OF_DATA)],
)
def test_smtp_sink_refusing_a_step_is_told_as_that_step(folder: Path, command: str, phase: Phase) -> None:
    with sink(folder, "-r", command) as url:
        assert [step[0] for step in asyncio.run(send_messages(url, ["a@example.net", "b@example.net"]))] == [
            phase,
            phase,
        ]
