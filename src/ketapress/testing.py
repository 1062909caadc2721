"""For tests: an SMTP server on a real socket that follows a script, and a clock that stands still.

    with ScriptedRelay() as relay:
        relay.script(Phase.RECIPIENT, "550 5.1.1 no such user", recipient="bob@example.org")
        relay.script(Phase.END_OF_DATA, hang_up, on=3)
        ...                                       # send to relay.url
        assert [message.recipient for message in relay.messages] == ["ann@example.org"]

`with` runs the server in a separate thread, `async with` in the running loop. It accepts and stores every message that
its script does not refuse, listens on 127.0.0.1 only, and never forwards mail.
"""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import NamedTuple, Self

from ketapress.model.delivery import Phase
from ketapress.model.settings import RelayUrl

EXTENSIONS = ("PIPELINING", "SIZE 33554432", "8BITMIME", "ENHANCEDSTATUSCODES")
_DOT = b".\r\n"
_MAX_LINE = 2**25  # bytes


class StillClock:
    """A clock that stands still until it is advanced. Call it for the time."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, span: timedelta) -> None:
        self.now += span


class Received(NamedTuple):
    """A message: its envelope, its bytes without dot-stuffing and final dot, and the number of its connection."""

    sender: str
    recipient: str
    message: bytes
    connection: int


Act = Callable[["Conversation"], Awaitable[str | None]]
"""What a relay does instead of a reply. It may return a reply, which is then sent."""


async def hang_up(conversation: "Conversation") -> None:
    """Close the connection without a reply."""
    conversation.hang_up()


async def keep_silent(conversation: "Conversation") -> None:
    """Send nothing more, and keep the connection open until the client or the test closes it."""
    await conversation.reader.read(-1)
    conversation.hang_up()


def endless(line: str) -> Act:
    """Send the same line forever: `250-wait a little`."""

    async def act(conversation: "Conversation") -> None:
        while not conversation.writer.is_closing():
            await conversation.say(line)
            await asyncio.sleep(0.002)

    return act


def slowly(answer: str, *, pause: float = 0.02) -> Act:
    """Send this reply and all later ones byte by byte, `pause` seconds apart."""

    async def act(conversation: "Conversation") -> str:
        conversation.pause = pause
        return answer

    return act


def after(done: Callable[[], object], answer: str | None = None) -> Act:
    """Call `done` (kill a process, set an event, change the script), then send the reply."""

    async def act(_conversation: "Conversation") -> str | None:
        done()
        return answer

    return act


@dataclass(slots=True)
class _ScriptLine:
    phase: Phase
    answer: str | Act
    recipient: str | None
    on: int | None
    count: int = 0

    def matches(self, phase: Phase, recipient: str) -> bool:
        """Count this occasion, and return whether the line applies to it."""
        if phase is not self.phase or self.recipient not in {None, recipient}:
            return False
        self.count += 1
        return self.on in {None, self.count}


@dataclass(slots=True)
class _Envelope:
    sender: str
    recipients: list[str] = field(default_factory=list)
    last_recipient: str = ""


class ScriptedRelay:
    """An SMTP server for tests. Without a script it accepts everything.

    `messages` has what it accepted, `unfinished` what it received without a final dot. `commands` has each command as it
    was sent, and a message as `(12 lines) .`; `connections` is the number of connections so far. With `tls` it offers
    STARTTLS, or with `implicit_tls` speaks TLS from the first byte; it then offers AUTH PLAIN and LOGIN and accepts any
    password.
    """

    def __init__(
        self,
        *,
        extensions: tuple[str, ...] = EXTENSIONS,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
    ) -> None:
        self.extensions = extensions
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.messages: list[Received] = []
        self.unfinished: list[Received] = []
        self.commands: list[str] = []
        self.connections = 0
        self.port = 0
        self._script: list[_ScriptLine] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._thread: threading.Thread | None = None
        self._stop_thread: Callable[[], object] = lambda: None

    @property
    def url(self) -> RelayUrl:
        """Its address, without TLS: `smtp://127.0.0.1:PORT`."""
        return RelayUrl("127.0.0.1", self.port, "none")

    def script(
        self, phase: Phase, answer: str | Act, *, recipient: str | None = None, on: int | None = None
    ) -> None:
        """Answer `phase` with this reply (lines are separated by line breaks), or with an action.

        CONNECT is the greeting, HELLO is EHLO and HELO, TLS is STARTTLS, BODY is the first line of a message.
        `recipient` limits it to messages for that address (from RECIPIENT on), `on` to the n-th occasion, from 1. The
        first line of the script that applies is used.
        """
        self._script.append(_ScriptLine(phase, answer, recipient, on))

    def answer(self, phase: Phase, recipient: str) -> str | Act | None:
        """Return what the script has for this occasion."""
        matches = [line for line in self._script if line.matches(phase, recipient)]
        return matches[0].answer if matches else None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._handle_connection,
            "127.0.0.1",
            0,
            limit=_MAX_LINE,
            ssl=self.tls if self.implicit_tls else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None  # it was entered
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def __enter__(self) -> Self:
        is_listening = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(is_listening)), name="relay", daemon=True
        )
        self._thread.start()
        is_listening.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._thread is not None  # it was entered
        self._stop_thread()
        self._thread.join()

    async def _serve(self, is_listening: threading.Event) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        self._stop_thread = lambda: loop.call_soon_threadsafe(end.set)
        try:
            await self.__aenter__()
        finally:
            is_listening.set()
        await end.wait()
        await self.__aexit__(None, None, None)

    async def _handle_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # start_server makes one for each connection
        self._tasks.add(task)
        self.connections += 1
        conversation = Conversation(self, reader, writer, self.connections)
        try:
            await conversation.hold()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the connection broke, or the test is over
        finally:
            self._tasks.discard(task)
            conversation.hang_up()


class Conversation:
    """One connection, for an `Act`: `reader` and `writer` are the socket's, `number` counts connections from 1.

    `pause` is the seconds between two bytes that it sends; 0 sends whole replies.
    """

    def __init__(
        self, relay: ScriptedRelay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.relay = relay
        self.reader = reader
        self.writer = writer
        self.number = number
        self.pause = 0.0
        self._envelope = _Envelope("")
        self._secure = relay.implicit_tls
        self._handlers: dict[str, Callable[[str], Awaitable[object]]] = {
            "EHLO": self._handle_hello,
            "HELO": self._handle_hello,
            "STARTTLS": self._handle_starttls,
            "AUTH": self._handle_auth,
            "MAIL": self._handle_mail,
            "RCPT": self._handle_rcpt,
            "DATA": self._handle_data,
            "RSET": self._handle_rset,
            "QUIT": self._handle_quit,
        }

    def hang_up(self) -> None:
        """Close the connection at once."""
        self.writer.transport.abort()

    async def say(self, text: str) -> None:
        """Send a reply, each line with CRLF at its end."""
        data = "".join(f"{line}\r\n" for line in text.split("\n")).encode("utf-8", "surrogateescape")
        step = 1 if self.pause else len(data)
        for start in range(0, len(data), step):
            self.writer.write(data[start : start + step])
            await self.writer.drain()
            await asyncio.sleep(self.pause)

    async def hold(self) -> None:
        """Greet, then answer commands until the connection ends."""
        await self._send_answer(Phase.CONNECT, "220 relay.example ESMTP")
        while not self.writer.is_closing():
            line = (await self.reader.readuntil(b"\n")).decode("latin-1").strip()
            self.relay.commands.append(line)
            handler = self._handlers.get(line.split(" ")[0].upper(), self._handle_unknown)
            await handler(line)

    async def _send_answer(self, phase: Phase, default: str, recipient: str = "") -> str:
        """Send the answer of the script, else the default one; return it."""
        answer = await self._find_answer(phase, default, recipient)
        if answer:
            await self.say(answer)
        return answer

    async def _find_answer(self, phase: Phase, default: str, recipient: str = "") -> str:
        """Return the answer for this occasion. Raises ConnectionResetError if the script closed the connection."""
        answer = self.relay.answer(phase, recipient)
        if answer is None:
            answer = default
        elif not isinstance(answer, str):
            answer = await answer(self)
        if self.writer.is_closing():
            raise ConnectionResetError
        return answer or ""

    async def _handle_hello(self, command: str) -> None:
        offers = list(self.relay.extensions)
        if self.relay.tls is not None:
            offers.append("AUTH PLAIN LOGIN" if self._secure else "STARTTLS")
        lines = ["relay.example", *(offers if command.upper().startswith("EHLO") else ())]
        default = "\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])
        await self._send_answer(Phase.HELLO, default)

    async def _handle_starttls(self, _line: str) -> None:
        answer = await self._send_answer(Phase.TLS, "220 go ahead" if self.relay.tls else "502 5.5.1 no TLS")
        if answer.startswith("220") and self.relay.tls is not None:
            await self.writer.start_tls(self.relay.tls)
            self._secure = True

    async def _handle_auth(self, line: str) -> None:
        if line.upper() == "AUTH LOGIN":
            for prompt in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"):
                await self.say(prompt)
                self.relay.commands.append((await self.reader.readline()).decode().strip())
        await self._send_answer(Phase.AUTHENTICATE, "235 2.7.0 welcome")

    async def _handle_mail(self, line: str) -> None:
        self._envelope = _Envelope("")
        if (await self._send_answer(Phase.MAIL, "250 2.1.0 ok")).startswith("250"):
            self._envelope = _Envelope(_address(line))

    async def _handle_rcpt(self, line: str) -> None:
        recipient = self._envelope.last_recipient = _address(line)
        default = "250 2.1.5 ok" if self._envelope.sender else "503 5.5.1 MAIL first"
        if (await self._send_answer(Phase.RECIPIENT, default, recipient)).startswith("2"):
            self._envelope.recipients.append(recipient)

    async def _handle_data(self, _line: str) -> None:
        default = "354 go ahead" if self._envelope.recipients else "554 5.5.1 no valid recipients"
        if not (await self._send_answer(Phase.DATA, default, self._envelope.last_recipient)).startswith(
            "354"
        ):
            return
        lines: list[bytes] = []
        try:
            await self._read_message(lines)
        except (OSError, EOFError):
            self._store(self.relay.unfinished, lines)
            raise
        self.relay.commands.append(f"({len(lines)} lines) .")
        default = "250 2.0.0 accepted" if self._envelope.recipients else "554 5.5.1 no valid recipients"
        answer = await self._find_answer(Phase.END_OF_DATA, default, self._envelope.last_recipient)
        if answer.startswith("2"):
            self._store(self.relay.messages, lines)
        self._envelope = _Envelope("")
        if answer:
            await self.say(answer)

    async def _read_message(self, lines: list[bytes]) -> None:
        while (line := await self.reader.readuntil(b"\r\n")) != _DOT:
            lines.append(line)
            if len(lines) == 1:
                await self._send_answer(Phase.BODY, "", self._envelope.last_recipient)

    def _store(self, target: list[Received], lines: list[bytes]) -> None:
        message = b"".join(line.removeprefix(b".") for line in lines)
        target += [
            Received(self._envelope.sender, recipient, message, self.number)
            for recipient in self._envelope.recipients
        ]

    async def _handle_rset(self, _line: str) -> None:
        self._envelope = _Envelope("")
        await self.say("250 2.0.0 ok")

    async def _handle_quit(self, _line: str) -> None:
        await self.say("221 2.0.0 bye")
        self.writer.close()

    async def _handle_unknown(self, _line: str) -> None:
        await self.say("502 5.5.2 unknown command")


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
