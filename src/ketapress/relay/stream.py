"""A socket that gives whole answers, or says why not: each within a total deadline, however busily it dribbles.

In: bytes to write, TLS settings. Out: answers of the relay. Every fault of the network becomes `Lost`. It knows no
order of commands, and nothing of messages.
"""

import asyncio
import math
import os
import re
import ssl
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ketapress.relay.protocol import Answer, Garbage, Replies


class Deadlines(NamedTuple):
    """Seconds that each step may take in all (RFC 5321, 4.5.3.2); `reuse` is how old a connection may become.

    `dot` is long for a reason: who gives up sooner makes the relay deliver a second copy (RFC 1047).
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
    dot: float = 600
    farewell: float = 5
    reuse: float = 300


DEADLINES = Deadlines()


class Lost(Exception):  # noqa: N818 - a fact about the line; it never leaves this room
    """The line broke, timed out, or spoke garbage."""


class Line(asyncio.Protocol):
    """One line to a relay. For one task at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._transport: asyncio.Transport | None = None
        self._replies = Replies()
        self._answers: deque[Answer] = deque()
        self._fault = ""
        self._writable = True
        self._waiter: asyncio.Future[None] | None = None
        self._due = math.inf
        self._late = (
            "",
            0.0,
        )  # made a sentence when somebody is: a deadline is set twice a message, and seldom missed
        self._timer: asyncio.TimerHandle | None = None
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.closed.set_result(None)

    @property
    def open(self) -> bool:
        return not self._fault

    @property
    def spoken(self) -> bool:
        """Whether there are words of the relay that nobody has read."""
        return bool(self._answers) or self._replies.partial

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return self._loop.time() - self._began

    async def connect(self, host: str, port: int, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._loop.create_connection(lambda: self, host, port)
        except TimeoutError:
            raise Lost(f"no connection to {host}:{port} within {seconds:g} s") from None
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be looked up
            raise Lost(f"no connection to {host}:{port}: {_why(error)}") from None

    async def secure(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Goes on inside TLS; the certificate is verified as `context` says."""
        if self._transport is None or self._fault:
            raise Lost(self._fault)
        try:
            transport = await self._loop.start_tls(
                self._transport, self, context, server_hostname=host, ssl_handshake_timeout=seconds
            )
        except OSError as error:  # ssl.SSLError is one
            raise Lost(f"TLS with {host} failed: {error}") from None
        if transport is None:
            raise Lost(f"TLS with {host} failed: the line was closed")
        self._transport = transport

    def write(self, data: bytes) -> None:
        if self._transport is None or self._fault:
            raise Lost(self._fault)
        self._transport.write(data)

    async def drained(self, seconds: float) -> None:
        """Waits until the socket has taken what was written, but for the last few buffers."""
        if not self._writable or self._fault:
            await self._woken(lambda: self._writable, "it did not take the message within {:g} s", seconds)

    async def answer(self, seconds: float) -> Answer:
        """The next whole answer. What came before the line was lost is still given."""
        if not self._answers:
            await self._woken(lambda: bool(self._answers), "no whole answer within {:g} s", seconds)
        return self._answers.popleft()

    def interrupted(self) -> Answer | None:
        """What the relay said although it was not its turn, if anything. Raises `Lost` if the line is gone."""
        if self._answers:
            return self._answers.popleft()
        if self._fault:
            raise Lost(self._fault)
        return None

    def fail(self, why: str) -> None:
        """Ends the line; who waits for it is told why. The first reason stays."""
        self._fault = self._fault or why
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    async def _woken(self, ready: Callable[[], bool], late: str, seconds: float) -> None:
        deadline = self._loop.time() + seconds
        while not ready():
            if self._fault:
                raise Lost(self._fault)
            self._due, self._late = deadline, (late, seconds)
            self._wind()
            self._waiter = self._loop.create_future()
            await self._waiter

    def _wind(self) -> None:
        """Sets the one timer. It may ring early, never late: most deadlines pass without it being touched."""
        if self._timer is not None and self._timer.when() > self._due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and self._due < math.inf:
            self._timer = self._loop.call_at(self._due, self._rung)

    def _rung(self) -> None:
        self._timer = None
        if self._loop.time() >= self._due:
            late, seconds = self._late
            self.fail(late.format(seconds))
        else:
            self._wind()

    def _wake(self) -> None:
        self._due = math.inf  # something came in time, even if this process is late in looking at it
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # what create_connection makes
        self._transport = transport
        self.closed = self._loop.create_future()

    def data_received(self, data: bytes) -> None:
        try:
            self._answers.extend(self._replies.feed(data))
        except Garbage as garbage:
            self.fail(str(garbage))
        if self._answers:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(f"the relay closed the line{f': {exc}' if exc else ''}")
        if self._timer is not None:
            self._timer.cancel()
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._wake()


def _why(error: OSError | UnicodeError) -> str:
    """Why no address of a host lets us connect: one sentence, where Python names each address and a number."""
    numbers = re.findall(r"\[Errno (\d+)\]", str(error))
    return ", ".join(dict.fromkeys(os.strerror(int(number)) for number in numbers)) or str(error)
