"""A TCP or TLS connection that returns complete SMTP replies, each within a total deadline.

A deadline is not extended by bytes that arrive slowly. Every network error becomes ConnectionLostError. The order of
commands is not known here.
"""

import asyncio
import math
import os
import re
import ssl
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ketapress.relay.protocol import ProtocolError, ReplyParser, SmtpReply


class Deadlines(NamedTuple):
    """Seconds that each step may take in total (RFC 5321, 4.5.3.2); `max_age` is how long a connection is reused.

    `end_of_data` is long on purpose: a client that gives up earlier makes the relay deliver twice (RFC 1047).
    """

    connect: float = 30
    greeting: float = 300
    tls: float = 60
    hello: float = 300
    authenticate: float = 120
    mail: float = 300
    recipient: float = 300
    data: float = 120
    body: float = 180
    end_of_data: float = 600
    quit: float = 5
    max_age: float = 300


DEADLINES = Deadlines()


class ConnectionLostError(Exception):
    """The connection broke or timed out, or the relay did not speak SMTP."""


class SmtpStream(asyncio.Protocol):
    """One connection to a relay, for one task at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._created_at = self._loop.time()
        self._transport: asyncio.Transport | None = None
        self._parser = ReplyParser()
        self._replies: deque[SmtpReply] = deque()
        self._error = ""
        self._is_writable = True
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = math.inf
        # Formatted only when it is shown: a deadline is set twice a message, and seldom missed.
        self._timeout_message = ("", 0.0)
        self._timer: asyncio.TimerHandle | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._closed.set_result(None)

    @property
    def is_open(self) -> bool:
        return not self._error

    @property
    def has_unread_data(self) -> bool:
        return bool(self._replies) or self._parser.has_partial_reply

    @property
    def age(self) -> float:
        """Seconds since it was created."""
        return self._loop.time() - self._created_at

    async def connect(self, host: str, port: int, seconds: float) -> None:
        """Connect within so many seconds. Raises ConnectionLostError."""
        try:
            async with asyncio.timeout(seconds):
                await self._loop.create_connection(lambda: self, host, port)
        except TimeoutError:
            raise ConnectionLostError(f"no connection to {host}:{port} within {seconds:g} s") from None
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be looked up
            # Python names each address that was tried, and an error number: the distinct reasons are enough.
            numbers = re.findall(r"\[Errno (\d+)\]", str(error))
            reasons = dict.fromkeys(os.strerror(int(number)) for number in numbers)
            reason = ", ".join(reasons) or str(error)
            raise ConnectionLostError(f"no connection to {host}:{port}: {reason}") from None

    async def start_tls(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Switch to TLS; the certificate is verified as `context` says. Raises ConnectionLostError."""
        if self._transport is None or self._error:
            raise ConnectionLostError(self._error)
        try:
            transport = await self._loop.start_tls(
                self._transport, self, context, server_hostname=host, ssl_handshake_timeout=seconds
            )
        except OSError as error:  # ssl.SSLError is one
            raise ConnectionLostError(f"TLS with {host} failed: {error}") from None
        if transport is None:
            raise ConnectionLostError(f"TLS with {host} failed: the connection was closed")
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send data. Raises ConnectionLostError."""
        if self._transport is None or self._error:
            raise ConnectionLostError(self._error)
        self._transport.write(data)

    async def drain(self, seconds: float) -> None:
        """Wait until the socket has accepted what was written, except for the last few buffers."""
        if not self._is_writable or self._error:
            await self._wait_until(
                lambda: self._is_writable, "it did not accept the message within {:g} s", seconds
            )

    async def read_reply(self, seconds: float) -> SmtpReply:
        """Return the next reply, also one that arrived before the connection was lost."""
        if not self._replies:
            await self._wait_until(lambda: bool(self._replies), "no complete reply within {:g} s", seconds)
        return self._replies.popleft()

    def take_early_reply(self) -> SmtpReply | None:
        """Return a reply that no command asked for, if there is one. Raises ConnectionLostError."""
        if self._replies:
            return self._replies.popleft()
        if self._error:
            raise ConnectionLostError(self._error)
        return None

    def fail(self, reason: str) -> None:
        """Close the connection at once. The first reason is reported to the task that waits."""
        self._error = self._error or reason
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    async def wait_closed(self) -> None:
        await self._closed

    async def _wait_until(self, is_ready: Callable[[], bool], timeout_message: str, seconds: float) -> None:
        deadline = self._loop.time() + seconds
        while not is_ready():
            if self._error:
                raise ConnectionLostError(self._error)
            self._deadline, self._timeout_message = deadline, (timeout_message, seconds)
            self._start_timer()
            self._waiter = self._loop.create_future()
            await self._waiter

    def _start_timer(self) -> None:
        """Start the timer, if none runs. It may fire early, never late: most deadlines pass without a new timer."""
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and self._deadline < math.inf:
            self._timer = self._loop.call_at(self._deadline, self._check_deadline)

    def _check_deadline(self) -> None:
        self._timer = None
        if self._loop.time() >= self._deadline:
            message, seconds = self._timeout_message
            self.fail(message.format(seconds))
        else:
            self._start_timer()

    def _wake(self) -> None:
        self._deadline = math.inf  # data arrived in time, even if this process looks at it late
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # create_connection makes one
        self._transport = transport
        self._closed = self._loop.create_future()

    def data_received(self, data: bytes) -> None:
        try:
            self._replies.extend(self._parser.feed(data))
        except ProtocolError as error:
            self.fail(str(error))
        if self._replies:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(f"the relay closed the connection{f': {exc}' if exc else ''}")
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True
        self._wake()
