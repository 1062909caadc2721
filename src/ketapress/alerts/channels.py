"""Edge: how an alert leaves: a command that reads it, a message that the relay takes. Each within a deadline.

Every fault comes back as a `Problem`, a warning: what it was to tell stands in the log all the same.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Sequence

from ketapress.model.delivery import Phase
from ketapress.model.errors import Problem, Severity
from ketapress.model.settings import RelaySettings
from ketapress.relay.client import Connection, NotOpened
from ketapress.relay.stream import Deadlines
from ketapress.relay.transaction import Envelope

PATIENCE = 30.0
"""Seconds for the command; it is killed then."""

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
    dot=30,
    farewell=1,
)
_DONE = 250
_LONGEST = 300  # characters of what the command says


def run_command(words: Sequence[str], document: str, *, seconds: float = PATIENCE) -> Problem | None:
    """Runs the program, without a shell, with the alert on its stdin; None when it ended with 0."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the program that the settings name
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that what it started ends with it
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL in a word
        return _failed("command", f"{words[0]} cannot be run: {error}")
    with process:
        try:
            _, errors = process.communicate(document.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return _failed("command", f"{words[0]} took longer than {seconds:g} s and was ended")
    if process.returncode == 0:
        return None
    said = " ".join(errors.decode(errors="replace").split())[:_LONGEST] or "nothing"
    return _failed("command", f"{words[0]} ended with {process.returncode} and said: {said}")


def send_message(relay: RelaySettings, sender: str, to: str, message: bytes) -> Problem | None:
    """Hands the message to the relay, once; None when it was taken."""
    return asyncio.run(_sent(relay, sender, to, message))


async def _sent(relay: RelaySettings, sender: str, to: str, message: bytes) -> Problem | None:
    try:
        line = await Connection.open(relay.url, hostname=sender.rpartition("@")[2], deadlines=_DEADLINES)
    except NotOpened as refusal:
        return _failed("email", f"{relay.url} did not take the alert at {refusal.phase}: {refusal.reply}")
    try:
        envelope = Envelope(relay.return_path or sender, to, len(message))
        outcome = await line.transmit(envelope, [message], _at_once)
    finally:
        await line.close()
    if outcome and outcome[0] is Phase.DOT and outcome[1].code == _DONE:
        return None
    phase, reply = outcome or (Phase.BODY, "the line was closed")
    return _failed("email", f"{relay.url} did not take the alert at {phase}: {reply}")


async def _at_once() -> bool:
    return True


def _failed(key: str, why: str) -> Problem:
    return Problem(
        code=f"alerts.{key}",
        path="ketapress.toml",
        severity=Severity.WARNING,
        message=f"[alerts] {key}: {why}. Nobody was told that way.",
        cure=f"Mend `{key}` below [alerts]; `ketapress status` shows what waits for you.",
    )
