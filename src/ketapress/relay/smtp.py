"""The conversation with a relay over one socket: RFC 5321, with PIPELINING (RFC 2920), STARTTLS (3207) and AUTH (4954).

In: an envelope and a finished message. Out: the phase that was reached and what the relay said there. Every fault of
the network becomes such a pair with code 0, so that a caller never meets an `OSError`. It never judges a reply, never
tries again, and writes no byte of a final dot before it was told that the dot may go out.
"""

import asyncio
import base64
import re
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ketapress.model.address import parsed_address
from ketapress.model.delivery import Phase, Reply
from ketapress.model.settings import RelayUrl
from ketapress.relay.wire import Answer, Garbage, Replies, transparent

_HOSTNAME = re.compile(r"[A-Za-z0-9.-]{1,255}\Z|\[[0-9A-Za-z.:]{1,64}\]\Z")
_READY, _GO_AHEAD, _DONE, _CLOSING = 220, 354, 250, 421
_NOT_KNOWN = (500, 502)  # to EHLO: an old server that wants HELO (RFC 5321, 3.2)
_LOGGED_IN, _GO_ON_LOGGING_IN = 235, 334
_SUCCESS, _TRANSIENT = 2, 4  # first digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds that each step may take in all, however busily the relay dribbles (RFC 5321, 4.5.3.2).

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


DEADLINES = Deadlines()


class NotOpened(Exception):  # noqa: N818 - a fact about the relay, not a fault of the program
    """The relay gave us no conversation. `phase` and `reply` say where it ended; nobody's mail was touched."""

    def __init__(self, phase: Phase, reply: Reply) -> None:
        self.phase = phase
        self.reply = reply
        super().__init__(f"{phase}: {reply}")


class _Lost(Exception):  # noqa: N818 - never leaves this file
    """The line broke, timed out, or spoke garbage."""


class Connection:
    """One open conversation that carries one message after another. Not for two tasks at a time."""

    def __init__(self, line: "_Line", hostname: str, deadlines: Deadlines) -> None:
        self._line = line
        self._hostname = hostname
        self._deadlines = deadlines
        self._extensions: dict[str, str] = {}
        self._phase = Phase.CONNECT
        self._unfinished = False  # a transaction that the relay still holds open

    @classmethod
    async def open(
        cls,
        url: RelayUrl,
        *,
        hostname: str,
        deadlines: Deadlines = DEADLINES,
        context: ssl.SSLContext | None = None,
    ) -> "Connection":
        """Connects, says who we are, secures the line, logs in. Raises `NotOpened`.

        `hostname` is our name in EHLO. `context` replaces the default one, which verifies the certificate.
        """
        if not _HOSTNAME.match(hostname):
            raise ValueError(f"{hostname!r} cannot stand in EHLO")
        if url.user and url.security == "none":
            raise NotOpened(
                Phase.TLS, Reply(0, "the password would travel in clear: use smtp+starttls:// or smtps://")
            )
        connection = cls(_Line(), hostname, deadlines)
        try:
            await connection._introduced(url, context)
        except _Lost as lost:
            connection.abort()
            raise NotOpened(connection._phase, Reply(0, str(lost))) from None
        except BaseException:
            connection.abort()
            raise
        return connection

    @property
    def usable(self) -> bool:
        """Whether another message may be tried on it."""
        return self._line.open and not self._line.spoken

    async def transmit(
        self,
        sender: str,
        recipient: str,
        message: bytes,
        before_dot: Callable[[], Awaitable[bool]],
    ) -> tuple[Phase, Reply] | None:
        """Hands one message over, and says how far it came; `(Phase.DOT, 2xx)` is success.

        The whole message is written, then `before_dot` is awaited; only if it says True the final dot follows.
        None means that it said False: the line was closed without the dot, and the relay has nothing. After any
        fault ask `usable` before the next message. Raises ValueError for an address that may not go on the wire.
        """
        envelope = (f"MAIL FROM:<{parsed_address(sender)}>", f"RCPT TO:<{parsed_address(recipient)}>")
        self._phase = Phase.MAIL
        try:
            refused = await self._announced(*envelope, size=len(message))
            return refused or await self._handed_over(message, before_dot)
        except _Lost as lost:
            return self._phase, Reply(0, str(lost))
        except BaseException:
            self.abort()
            raise

    async def close(self) -> None:
        """Says QUIT where there is somebody to hear it, and closes the line."""
        try:
            if self.usable:
                await self._asked("QUIT", self._deadlines.farewell)
        except _Lost:
            pass
        finally:
            self.abort()
        await self._line.closed

    def abort(self) -> None:
        """Closes the line at once, in whatever state."""
        self._line.fail("we closed it")

    async def _introduced(self, url: RelayUrl, context: ssl.SSLContext | None) -> None:
        """Everything before the first message."""
        host = url.host.strip("[]")
        await self._line.connect(host, url.port, self._deadlines.connect)
        if url.security == "tls":
            await self._secured(host, context)
        self._expect(await self._line.answer(self._deadlines.greeting), Phase.CONNECT, _READY)
        await self._greeted()
        if url.security == "starttls":
            await self._upgraded(host, context)
            await self._greeted()
        if url.user:
            await self._logged_in(url.user, url.password)

    async def _greeted(self) -> None:
        self._phase = Phase.HELLO
        answer = await self._asked(f"EHLO {self._hostname}", self._deadlines.hello)
        if answer.code in _NOT_KNOWN:
            answer = await self._asked(f"HELO {self._hostname}", self._deadlines.hello)
        self._expect(answer, Phase.HELLO, _DONE)
        words = (line.decode("ascii", "replace").upper().split(maxsplit=1) for line in answer.lines[1:])
        self._extensions = {word[0]: word[1] if len(word) > 1 else "" for word in words if word}

    async def _upgraded(self, host: str, context: ssl.SSLContext | None) -> None:
        self._phase = Phase.TLS
        if "STARTTLS" not in self._extensions:
            raise NotOpened(Phase.TLS, Reply(_DONE, "the relay does not offer STARTTLS"))
        self._expect(await self._asked("STARTTLS", self._deadlines.tls), Phase.TLS, _READY)
        if self._line.spoken:  # CVE-2011-0411: what was slipped in before TLS would count as said inside it
            raise _Lost("the relay went on in clear after STARTTLS")
        await self._secured(host, context)

    async def _secured(self, host: str, context: ssl.SSLContext | None) -> None:
        self._phase = Phase.TLS
        await self._line.secure(context or ssl.create_default_context(), host, self._deadlines.tls)
        self._phase = Phase.CONNECT

    async def _logged_in(self, user: str, password: str) -> None:
        self._phase = Phase.AUTHENTICATE
        offered = self._extensions.get("AUTH", "").split()
        if "PLAIN" in offered:
            steps = [f"AUTH PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}"]
        elif "LOGIN" in offered:
            steps = ["AUTH LOGIN", _base64(user), _base64(password)]
        else:
            found = " ".join(offered) or "none"
            raise NotOpened(
                Phase.AUTHENTICATE,
                Reply(_DONE, f"the relay offers no login that we know (PLAIN, LOGIN), but {found}"),
            )
        for step in steps[:-1]:
            self._expect(
                await self._asked(step, self._deadlines.authenticate), Phase.AUTHENTICATE, _GO_ON_LOGGING_IN
            )
        self._expect(
            await self._asked(steps[-1], self._deadlines.authenticate), Phase.AUTHENTICATE, _LOGGED_IN
        )

    async def _announced(self, mail: str, recipient: str, *, size: int) -> tuple[Phase, Reply] | None:
        """The envelope up to 354; otherwise the first refusal, with the line left ready for the next message."""
        if not self.usable:
            self._line.fail("the relay spoke before it was asked")
        reset = self._unfinished
        if "SIZE" in self._extensions:  # RFC 1870: a relay that takes less refuses before it has the body
            mail = f"{mail} SIZE={size}"
        commands = ["RSET"] * reset + [mail, recipient, "DATA"]
        self._unfinished = True
        pipelined = "PIPELINING" in self._extensions
        if pipelined:
            self._line.write("".join(f"{command}\r\n" for command in commands).encode("ascii"))
        return await (self._pipelined(reset=reset) if pipelined else self._stepped(commands, reset=reset))

    async def _pipelined(self, *, reset: bool) -> tuple[Phase, Reply] | None:
        """Reads the answers to a group written at once: each is read, whatever became of the one before."""
        refused: tuple[Phase, Reply] | None = None
        try:
            if reset:
                self._cleared(await self._line.answer(self._deadlines.mail))
            for phase, seconds in self._envelope_steps():
                self._phase = phase
                answer = await self._line.answer(seconds)
                refused = refused or self._refused(answer)
                if phase is Phase.DATA and refused and answer.code == _GO_AHEAD:
                    await self._ended_empty()
        except _Lost:
            if refused is None:
                raise
        return refused

    async def _stepped(self, commands: list[str], *, reset: bool) -> tuple[Phase, Reply] | None:
        """One command at a time, for relays without PIPELINING."""
        if reset:
            self._cleared(await self._asked(commands.pop(0), self._deadlines.mail))
        for command, (phase, seconds) in zip(commands, self._envelope_steps(), strict=True):
            self._phase = phase
            refused = self._refused(await self._asked(command, seconds))
            if refused:
                return refused
        return None

    def _refused(self, answer: Answer) -> tuple[Phase, Reply] | None:
        """The answer with its phase, where it is not the one that lets us go on."""
        wanted = answer.code == _GO_AHEAD if self._phase is Phase.DATA else answer.code // 100 == _SUCCESS
        if wanted:
            return None
        if answer.code == _CLOSING or answer.code // 100 < _TRANSIENT:
            self.abort()  # it hangs up, or no longer follows the order of things
        return self._phase, answer.reply

    def _envelope_steps(self) -> tuple[tuple[Phase, float], ...]:
        deadlines = self._deadlines
        return (
            (Phase.MAIL, deadlines.mail),
            (Phase.RECIPIENT, deadlines.recipient),
            (Phase.DATA, deadlines.data),
        )

    async def _ended_empty(self) -> None:
        """A lone dot: the relay said 354 to a message that has no recipient, and must not get its body."""
        self._line.write(b".\r\n")
        await self._line.answer(self._deadlines.dot)
        self._unfinished = False

    async def _handed_over(
        self, message: bytes, before_dot: Callable[[], Awaitable[bool]]
    ) -> tuple[Phase, Reply] | None:
        """After 354: the body, the permission, the dot. There is no RSET here, only closing the line."""
        self._phase = Phase.BODY
        self._line.write(transparent(message))
        await self._line.drained(self._deadlines.body)
        permitted = await before_dot()
        if not permitted:
            self.abort()
            return None
        early = self._line.interrupted()
        if early is not None:
            self.abort()
            return Phase.BODY, early.reply
        self._phase = Phase.DOT
        self._line.write(b".\r\n")
        reply = (await self._line.answer(self._deadlines.dot)).reply
        self._unfinished = False
        if reply.code == _CLOSING:
            self.abort()
        return Phase.DOT, reply

    async def _asked(self, command: str, seconds: float) -> Answer:
        self._line.write(f"{command}\r\n".encode("ascii"))
        return await self._line.answer(seconds)

    def _expect(self, answer: Answer, phase: Phase, code: int) -> None:
        if answer.code != code:
            raise NotOpened(phase, answer.reply)

    def _cleared(self, answer: Answer) -> None:
        if answer.code != _DONE:
            raise _Lost(f"the relay answered RSET with {answer.reply}")


class _Line(asyncio.Protocol):
    """A socket that gives whole answers or raises `_Lost`, each within a total deadline."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._replies = Replies()
        self._answers: deque[Answer] = deque()
        self._fault = ""
        self._writable = True
        self._waiter: asyncio.Future[None] | None = None
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.closed.set_result(None)

    @property
    def open(self) -> bool:
        return not self._fault

    @property
    def spoken(self) -> bool:
        """Whether there are words of the relay that nobody has read."""
        return bool(self._answers) or self._replies.partial

    async def connect(self, host: str, port: int, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._loop.create_connection(lambda: self, host, port)
        except TimeoutError:
            raise _Lost(f"no connection to {host}:{port} within {seconds:g} s") from None
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be looked up
            raise _Lost(f"no connection to {host}:{port}: {error}") from None

    async def secure(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Goes on inside TLS; the certificate is verified as `context` says."""
        if self._transport is None or self._fault:
            raise _Lost(self._fault)
        try:
            transport = await self._loop.start_tls(
                self._transport, self, context, server_hostname=host, ssl_handshake_timeout=seconds
            )
        except OSError as error:  # ssl.SSLError is one
            raise _Lost(f"TLS with {host} failed: {error}") from None
        if transport is None:
            raise _Lost(f"TLS with {host} failed: the line was closed")
        self._transport = transport

    def write(self, data: bytes) -> None:
        if self._transport is None or self._fault:
            raise _Lost(self._fault)
        self._transport.write(data)

    async def drained(self, seconds: float) -> None:
        """Waits until the socket has taken what was written, but for the last few buffers."""
        if not self._writable or self._fault:
            await self._woken(
                lambda: self._writable, f"it did not take the message within {seconds:g} s", seconds
            )

    async def answer(self, seconds: float) -> Answer:
        """The next whole answer. What came before the line was lost is still given."""
        if not self._answers:
            await self._woken(lambda: bool(self._answers), f"no whole answer within {seconds:g} s", seconds)
        return self._answers.popleft()

    def interrupted(self) -> Answer | None:
        """What the relay said although it was not its turn, if anything. Raises `_Lost` if the line is gone."""
        if self._answers:
            return self._answers.popleft()
        if self._fault:
            raise _Lost(self._fault)
        return None

    def fail(self, why: str) -> None:
        """Ends the line; who waits for it is told why. The first reason stays."""
        self._fault = self._fault or why
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    async def _woken(self, ready: Callable[[], bool], late: str, seconds: float) -> None:
        timer = self._loop.call_later(seconds, self.fail, late)
        try:
            while not ready():
                if self._fault:
                    raise _Lost(self._fault)
                self._waiter = self._loop.create_future()
                await self._waiter
        finally:
            timer.cancel()

    def _wake(self) -> None:
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
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(f"the relay closed the line{f': {exc}' if exc else ''}")
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._wake()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
