"""What we ship for tests: a relay that does what its script says, on a real socket, and a clock that stands still.

    with ScriptedRelay() as relay:
        relay.script(Phase.RECIPIENT, "550 5.1.1 no such user", recipient="bob@example.org")
        relay.script(Phase.DOT, hang_up, on=3)
        ...                                       # send to relay.url
        assert [each.recipient for each in relay.messages] == ["ann@example.org"]

`with` runs it in a thread of its own, `async with` in the running loop. It takes every message that its script does
not refuse, keeps what it took, and listens on 127.0.0.1 only. It never passes mail on.
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
_LONGEST = 2**25  # bytes of a message


class StillClock:
    """A clock that stands still until it is told. Call it for the time."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, span: timedelta) -> None:
        self.now += span


class Received(NamedTuple):
    """A message as it came: envelope, bytes without dot-stuffing and final dot, and the number of its connection."""

    sender: str
    recipient: str
    message: bytes
    connection: int


Act = Callable[["Conversation"], Awaitable[str | None]]
"""Something a relay does instead of answering; it may return the answer to give after all."""


async def hang_up(talk: "Conversation") -> None:
    """Closes the line without a word."""
    talk.hang_up()


async def keep_silent(talk: "Conversation") -> None:
    """Says nothing more and keeps the line open, until the other side or the test ends it."""
    await talk.reader.read(-1)
    talk.hang_up()


def endless(line: str) -> Act:
    """Says the same line for ever: `250-wait a little`."""

    async def act(talk: "Conversation") -> None:
        while not talk.writer.is_closing():
            await talk.say(line)
            await asyncio.sleep(0.002)

    return act


def slowly(answer: str, *, pause: float = 0.02) -> Act:
    """From here on everything is said byte by byte, `pause` seconds apart; first the answer."""

    async def act(talk: "Conversation") -> str:
        talk.pause = pause
        return answer

    return act


def after(done: Callable[[], object], answer: str | None = None) -> Act:
    """Calls `done` first (kill a process, set an event, change the script), then gives the answer."""

    async def act(_talk: "Conversation") -> str | None:
        done()
        return answer

    return act


@dataclass(slots=True)
class _Line:
    """One line of the script, and how often it has come up."""

    phase: Phase
    answer: str | Act
    recipient: str | None
    on: int | None
    met: int = 0

    def meets(self, phase: Phase, recipient: str) -> bool:
        """Counts the occasion, and says whether it is the one."""
        if phase is not self.phase or self.recipient not in {None, recipient}:
            return False
        self.met += 1
        return self.on in {None, self.met}


@dataclass(slots=True)
class _Envelope:
    sender: str
    recipients: list[str] = field(default_factory=list)
    asked: str = ""


class ScriptedRelay:
    """An SMTP server for tests. Without a script it takes everything.

    `messages` is what it accepted; `unfinished` what it was handed without a final dot; `commands` each command as
    it came, a message as `(12 lines) .`; `connections` how often somebody called. `tls` makes it offer STARTTLS, or, with `implicit_tls`, speak
    TLS from the first byte; it then offers AUTH PLAIN and LOGIN and takes any password.
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
        self._script: list[_Line] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._thread: threading.Thread | None = None
        self._ended: Callable[[], object] = lambda: None

    @property
    def url(self) -> RelayUrl:
        """Where it listens, without TLS: `smtp://127.0.0.1:PORT`."""
        return RelayUrl("127.0.0.1", self.port, "none")

    def script(
        self, phase: Phase, answer: str | Act, *, recipient: str | None = None, on: int | None = None
    ) -> None:
        """Answers `phase` so: with a reply (several lines are divided by line breaks), or by doing something.

        The phases are those of the model: CONNECT is the greeting, HELLO EHLO and HELO, TLS STARTTLS, BODY the
        arrival of a message's first line, before its dot. `recipient` narrows it to messages for that address
        (from RECIPIENT on), `on` to the n-th occasion, from 1. The first line of the script that applies is used.
        """
        self._script.append(_Line(phase, answer, recipient, on))

    def answer(self, phase: Phase, recipient: str) -> str | Act | None:
        """What the script says for this occasion."""
        met = [line for line in self._script if line.meets(phase, recipient)]
        return met[0].answer if met else None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._called,
            "127.0.0.1",
            0,
            limit=_LONGEST,
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
        listening = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listening)), name="relay", daemon=True
        )
        self._thread.start()
        listening.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._thread is not None  # it was entered
        self._ended()
        self._thread.join()

    async def _serve(self, listening: threading.Event) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        self._ended = lambda: loop.call_soon_threadsafe(end.set)
        try:
            await self.__aenter__()
        finally:
            listening.set()
        await end.wait()
        await self.__aexit__(None, None, None)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # start_server makes one for each caller
        self._tasks.add(task)
        self.connections += 1
        talk = Conversation(self, reader, writer, self.connections)
        try:
            await talk.hold()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the line broke, or the test is over
        finally:
            self._tasks.discard(task)
            talk.hang_up()


class Conversation:
    """One caller. What an `Act` is handed: `reader` and `writer` are the socket's, `number` counts the callers.

    `pause` is how many seconds it waits after each byte that it says.
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
        self._commands: dict[str, Callable[[str], Awaitable[object]]] = {
            "EHLO": self._hello,
            "HELO": self._hello,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "QUIT": self._quit,
        }

    def hang_up(self) -> None:
        """Closes the line at once."""
        self.writer.transport.abort()

    async def say(self, text: str) -> None:
        """Says it, each line with CRLF at its end."""
        data = "".join(f"{line}\r\n" for line in text.split("\n")).encode("utf-8", "surrogateescape")
        step = 1 if self.pause else len(data)
        for start in range(0, len(data), step):
            self.writer.write(data[start : start + step])
            await self.writer.drain()
            await asyncio.sleep(self.pause)

    async def hold(self) -> None:
        """Greets, then answers commands until the line ends."""
        await self._answered(Phase.CONNECT, "220 relay.example ESMTP")
        while not self.writer.is_closing():
            line = (await self.reader.readuntil(b"\n")).decode("latin-1").strip()
            self.relay.commands.append(line)
            act = self._commands.get(line.split(" ")[0].upper(), self._unknown)
            await act(line)

    async def _answered(self, phase: Phase, usual: str, recipient: str = "") -> str:
        """Says the scripted answer, else the usual one; returns it."""
        said = await self._decided(phase, usual, recipient)
        if said:
            await self.say(said)
        return said

    async def _decided(self, phase: Phase, usual: str, recipient: str = "") -> str:
        """The answer for this occasion. Raises ConnectionResetError where the script ended the line."""
        scripted = self.relay.answer(phase, recipient)
        said = usual if scripted is None else scripted if isinstance(scripted, str) else await scripted(self)
        if self.writer.is_closing():
            raise ConnectionResetError
        return said or ""

    async def _hello(self, line: str) -> None:
        offers = list(self.relay.extensions)
        if self.relay.tls is not None:
            offers.append("AUTH PLAIN LOGIN" if self._secure else "STARTTLS")
        lines = ["relay.example", *(offers if line.upper().startswith("EHLO") else ())]
        usual = "\n".join(f"250{' ' if each is lines[-1] else '-'}{each}" for each in lines)
        await self._answered(Phase.HELLO, usual)

    async def _starttls(self, _line: str) -> None:
        said = await self._answered(Phase.TLS, "220 go on" if self.relay.tls else "502 no TLS here")
        if said.startswith("220") and self.relay.tls is not None:
            await self.writer.start_tls(self.relay.tls)
            self._secure = True

    async def _auth(self, line: str) -> None:
        if line.upper() == "AUTH LOGIN":
            for prompt in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"):
                await self.say(prompt)
                self.relay.commands.append((await self.reader.readline()).decode().strip())
        await self._answered(Phase.AUTHENTICATE, "235 2.7.0 welcome")

    async def _mail(self, line: str) -> None:
        self._envelope = _Envelope("")
        if (await self._answered(Phase.MAIL, "250 2.1.0 ok")).startswith("250"):
            self._envelope = _Envelope(_address(line))

    async def _rcpt(self, line: str) -> None:
        recipient = self._envelope.asked = _address(line)
        usual = "250 2.1.5 ok" if self._envelope.sender else "503 5.5.1 MAIL first"
        if (await self._answered(Phase.RECIPIENT, usual, recipient)).startswith("2"):
            self._envelope.recipients.append(recipient)

    async def _data(self, _line: str) -> None:
        usual = "354 go on" if self._envelope.recipients else "554 5.5.1 no valid recipients"
        if not (await self._answered(Phase.DATA, usual, self._envelope.asked)).startswith("354"):
            return
        lines: list[bytes] = []
        try:
            await self._read_message(lines)
        except (OSError, EOFError):
            self._keep(self.relay.unfinished, lines)
            raise
        self.relay.commands.append(f"({len(lines)} lines) .")
        usual = "250 2.0.0 taken" if self._envelope.recipients else "554 5.5.1 no valid recipients"
        said = await self._decided(Phase.END_OF_DATA, usual, self._envelope.asked)
        if said.startswith("2"):
            self._keep(self.relay.messages, lines)
        self._envelope = _Envelope("")
        if said:
            await self.say(said)

    async def _read_message(self, lines: list[bytes]) -> None:
        while (line := await self.reader.readuntil(b"\r\n")) != _DOT:
            lines.append(line)
            if len(lines) == 1:
                await self._answered(Phase.BODY, "", self._envelope.asked)

    def _keep(self, where: list[Received], lines: list[bytes]) -> None:
        message = b"".join(line.removeprefix(b".") for line in lines)
        where += [
            Received(self._envelope.sender, recipient, message, self.number)
            for recipient in self._envelope.recipients
        ]

    async def _rset(self, _line: str) -> None:
        self._envelope = _Envelope("")
        await self.say("250 2.0.0 ok")

    async def _quit(self, _line: str) -> None:
        await self.say("221 2.0.0 bye")
        self.writer.close()

    async def _unknown(self, _line: str) -> None:
        await self.say("502 5.5.2 what?")


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
