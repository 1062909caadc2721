"""Mail transactions on an open line: envelope, body, dot (RFC 5321, 3.3), pipelined where the relay allows (RFC 2920).

In: an envelope, a finished message, and whom to ask before the dot. Out: the phase that was reached and the reply
there. It writes no byte of a final dot before it was told that the dot may go out, and never judges a reply.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ketapress.model.address import parse_address
from ketapress.model.delivery import Phase, Reply
from ketapress.relay.protocol import Answer, transparent
from ketapress.relay.stream import Deadlines, Line, Lost

_GO_AHEAD, _DONE, _CLOSING = 354, 250, 421
_SUCCESS, _TRANSIENT = 2, 4  # first digits
_DOT = b".\r\n"

Permission = Callable[[], Awaitable[bool]]
Announcement = Callable[[], "Envelope | None"]
Outcome = tuple[Phase, Reply]

_checked = lru_cache(maxsize=64)(parse_address)  # the sender is the same each time


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends how many bytes to whom. Raises ValueError for an address that may not go on the wire."""

    sender: str
    recipient: str
    size: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "sender", _checked(self.sender))
        object.__setattr__(self, "recipient", parse_address(self.recipient))


class Transactions:
    """One message after another on one line. For one task at a time."""

    def __init__(self, line: Line, extensions: Mapping[str, str], deadlines: Deadlines) -> None:
        self._line = line
        self._deadlines = deadlines
        self._pipelining = "PIPELINING" in extensions
        self._sizes = "SIZE" in extensions
        self._phase = Phase.MAIL
        self._unfinished = False  # a transaction that the relay still holds open
        self._announced: Envelope | None = None
        self._steps = (
            (Phase.MAIL, deadlines.mail),
            (Phase.RECIPIENT, deadlines.recipient),
            (Phase.DATA, deadlines.data),
        )

    @property
    def in_step(self) -> bool:
        """Whether the line is free of words that nobody has read, but for answers to what was announced."""
        return self._announced is not None or not self._line.spoken

    @property
    def idle(self) -> bool:
        """Whether nothing has begun."""
        return self._announced is None and not self._line.spoken

    async def carry(
        self, envelope: Envelope, message: Sequence[bytes], before_dot: Permission, following: Announcement
    ) -> Outcome | None:
        """Hands one message over, which comes in pieces; None when its dot was not permitted, and the line is closed.

        What `following` names is announced together with this message's dot, which saves a round trip; the next call
        has to be for it, or the line has to be closed.
        """
        self._phase = Phase.MAIL
        try:
            refused = await self._received(envelope)
            return refused or await self._handed_over(message, before_dot, following)
        except Lost as lost:
            return self._phase, Reply(0, str(lost))

    async def _received(self, envelope: Envelope) -> Outcome | None:
        """The envelope up to 354; otherwise the first refusal, with the line left ready for the next message."""
        if self._announced is not None and self._announced != envelope:
            self._line.fail("another message was announced")
            raise Lost("another message was announced")
        if not self._pipelining:
            return await self._stepped(envelope)
        reset = False
        if self._announced is None:
            reset = self._unfinished
            self._line.write(self._written(envelope, reset=reset))
        self._announced, self._unfinished = None, True
        return await self._answered(reset=reset)

    def _written(self, envelope: Envelope, *, reset: bool = False) -> bytes:
        """The commands of an envelope as one group."""
        if not self.idle:
            self._line.fail("the relay spoke before it was asked")
        return "\r\n".join([*self._commands(envelope, reset=reset), ""]).encode("ascii")

    def _commands(self, envelope: Envelope, *, reset: bool) -> list[str]:
        size = f" SIZE={envelope.size}" if self._sizes else ""  # RFC 1870: too large is said before the body
        commands = [f"MAIL FROM:<{envelope.sender}>{size}", f"RCPT TO:<{envelope.recipient}>", "DATA"]
        return ["RSET", *commands] if reset else commands

    async def _answered(self, *, reset: bool) -> Outcome | None:
        """Reads the answers to a group written at once: each is read, whatever became of the one before."""
        refused: Outcome | None = None
        try:
            if reset:
                self._must_be_clear(await self._line.answer(self._deadlines.mail))
            for phase, seconds in self._steps:
                self._phase = phase
                answer = await self._line.answer(seconds)
                refused = refused or self._refused(answer)
                if phase is Phase.DATA and refused and answer.code == _GO_AHEAD:
                    await self._ended_empty()
        except Lost:
            if refused is None:
                raise
        return refused

    async def _stepped(self, envelope: Envelope) -> Outcome | None:
        """One command at a time, for relays without PIPELINING."""
        commands = self._commands(envelope, reset=self._unfinished)
        if self._unfinished:
            self._must_be_clear(await self._asked(commands.pop(0), self._deadlines.mail))
        self._unfinished = True
        for command, (phase, seconds) in zip(commands, self._steps, strict=True):
            self._phase = phase
            refused = self._refused(await self._asked(command, seconds))
            if refused:
                return refused
        return None

    async def _asked(self, command: str, seconds: float) -> Answer:
        if self._line.spoken:
            self._line.fail("the relay spoke before it was asked")
        self._line.write(f"{command}\r\n".encode("ascii"))
        return await self._line.answer(seconds)

    def _refused(self, answer: Answer) -> Outcome | None:
        """The answer with its phase, where it is not the one that lets us go on."""
        wanted = answer.code == _GO_AHEAD if self._phase is Phase.DATA else answer.code // 100 == _SUCCESS
        if wanted:
            return None
        if answer.code == _CLOSING or answer.code // 100 < _TRANSIENT:
            self._line.fail("it hangs up, or does not follow the order of things")
        return self._phase, answer.reply

    def _must_be_clear(self, answer: Answer) -> None:
        if answer.code != _DONE:
            raise Lost(f"the relay answered RSET with {answer.reply}")

    async def _ended_empty(self) -> None:
        """A lone dot: the relay said 354 to a message that has no recipient, and must not get its body."""
        self._line.write(_DOT)
        await self._line.answer(self._deadlines.dot)
        self._unfinished = False

    async def _handed_over(
        self, message: Sequence[bytes], before_dot: Permission, following: Announcement
    ) -> Outcome | None:
        """After 354: the body, the permission, the dot. There is no RSET here, only closing the line."""
        self._phase = Phase.BODY
        self._line.write(transparent(message))
        await self._line.drained(self._deadlines.body)
        permitted = await before_dot()
        if not permitted:
            self._line.fail("the message was dropped before its dot")
            return None
        early = self._line.interrupted()
        if early is not None:
            self._line.fail("the relay interrupted a message")
            return Phase.BODY, early.reply
        self._phase = Phase.END_OF_DATA
        reply = (await self._ended(following() if self._pipelining else None)).reply
        if reply.code == _CLOSING:
            self._line.fail("the relay hangs up")
        return Phase.END_OF_DATA, reply

    async def _ended(self, following: Envelope | None) -> Answer:
        """The dot, and with it the next envelope where one is known (RFC 2920, 3.1, allows both in one group)."""
        if following is not None:
            self._line.write(_DOT + self._written(following))
            self._announced = following
        else:
            self._line.write(_DOT)
        answer = await self._line.answer(self._deadlines.dot)
        self._unfinished = False
        return answer


def nothing() -> None:
    """No message is known to follow."""
