"""Send an alert: run a command with it, or mail it through the relay, each within a deadline.

A failure comes back as a `Problem` of severity warning; the log has the problems of the alert in any case.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Sequence

from ketapress.model.delivery import Phase
from ketapress.model.errors import Problem, Severity
from ketapress.model.settings import RelaySettings
from ketapress.relay.client import ConnectError, Connection
from ketapress.relay.stream import Deadlines
from ketapress.relay.transaction import Envelope

COMMAND_TIMEOUT = 30.0
"""Seconds after which the command is killed."""

_DEADLINES = Deadlines(
    connect=5,
    greeting=10,
    tls=5,
    hello=10,
    authenticate=10,
    mail=10,
    recipient=10,
    data=10,
    body=10,
    end_of_data=30,
    quit=1,
)
_OK = 250
_MAX_OUTPUT = 300  # characters of the command's stderr in a message


def run_command(command: Sequence[str], document: str, *, seconds: float = COMMAND_TIMEOUT) -> Problem | None:
    """Run the program, without a shell, with the alert on its stdin. Returns None when it ended with 0."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the program that the settings name
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that its own children can be killed with it
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL character in an argument
        return _channel_problem("command", f"{command[0]} cannot be run: {error}")
    with process:
        try:
            _, stderr = process.communicate(document.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return _channel_problem(
                "command", f"{command[0]} took longer than {seconds:g} seconds and was killed"
            )
    if process.returncode == 0:
        return None
    output = " ".join(stderr.decode(errors="replace").split())[:_MAX_OUTPUT] or "no output"
    return _channel_problem("command", f"{command[0]} exited with {process.returncode}: {output}")


def send_message(relay: RelaySettings, sender: str, recipient: str, message: bytes) -> Problem | None:
    """Send the message through the relay, in one attempt. Returns None when the relay accepted it."""
    return asyncio.run(_send(relay, sender, recipient, message))


async def _send(relay: RelaySettings, sender: str, recipient: str, message: bytes) -> Problem | None:
    try:
        connection = await Connection.open(
            relay.url, hostname=sender.rpartition("@")[2], deadlines=_DEADLINES
        )
    except ConnectError as refusal:
        return _channel_problem("email", f"{relay.url} refused the alert at {refusal.phase}: {refusal.reply}")
    try:
        envelope = Envelope(relay.return_path or sender, recipient, len(message))
        outcome = await connection.send(envelope, [message], _may_send)
    finally:
        await connection.close()
    if outcome and outcome[0] is Phase.END_OF_DATA and outcome[1].code == _OK:
        return None
    phase, reply = outcome or (Phase.BODY, "the connection was closed")
    return _channel_problem("email", f"{relay.url} refused the alert at {phase}: {reply}")


async def _may_send() -> bool:
    return True


def _channel_problem(channel: str, reason: str) -> Problem:
    return Problem(
        code=f"alerts.{channel}",
        path="ketapress.toml",
        severity=Severity.WARNING,
        message=f"`alerts.{channel}`: {reason}. The alert was not delivered this way.",
        cure=f"Correct `{channel}` below [alerts]; `ketapress status` shows what needs a person.",
    )
