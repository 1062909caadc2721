"""Mail transactions on an open connection (RFC 5321, 3.3), pipelined where the relay allows it (RFC 2920).

The final dot of a message is written only after the caller has authorized it. No reply is judged here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ketapress.model.address import parse_address
from ketapress.model.delivery import Phase, Reply
from ketapress.relay.protocol import SmtpReply, dot_stuff
from ketapress.relay.stream import ConnectionLostError, Deadlines, SmtpStream

_START_INPUT, _OK, _CLOSING = 354, 250, 421
_SUCCESS, _TRANSIENT = 2, 4  # first digits
_DOT = b".\r\n"

Authorization = Callable[[], Awaitable[bool]]
"""Whether the end of data of this message may be sent."""

NextEnvelope = Callable[[], "Envelope | None"]
"""The envelope of the message after this one, if it is known already."""

Outcome = tuple[Phase, Reply]
"""The phase that a message reached, and the reply there."""

_parse_sender = lru_cache(maxsize=64)(parse_address)  # the sender is the same each time


@dataclass(frozen=True, slots=True)
class Envelope:
    """Sender, recipient and size in bytes. Raises ValueError for an address that may not be sent."""

    sender: str
    recipient: str
    size: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "sender", _parse_sender(self.sender))
        object.__setattr__(self, "recipient", parse_address(self.recipient))


class Transactions:
    """One message after another on one connection, for one task at a time."""

    def __init__(self, stream: SmtpStream, extensions: Mapping[str, str], deadlines: Deadlines) -> None:
        self._stream = stream
        self._deadlines = deadlines
        self._has_pipelining = "PIPELINING" in extensions
        self._has_size = "SIZE" in extensions
        self._phase = Phase.MAIL
        self._is_unfinished = False  # the relay still has a transaction open
        self._announced: Envelope | None = None
        self._steps = (
            (Phase.MAIL, deadlines.mail),
            (Phase.RECIPIENT, deadlines.recipient),
            (Phase.DATA, deadlines.data),
        )

    @property
    def is_synchronized(self) -> bool:
        """Whether each reply was read, except for those to an announced envelope."""
        return self._announced is not None or not self._stream.has_unread_data

    @property
    def is_idle(self) -> bool:
        """Whether no transaction has begun."""
        return self._announced is None and not self._stream.has_unread_data

    async def send(
        self,
        envelope: Envelope,
        message: Sequence[bytes],
        authorize_end_of_data: Authorization,
        next_envelope: NextEnvelope,
    ) -> Outcome | None:
        """Send one message, given in chunks. Return None if its end of data was not authorized.

        The envelope that `next_envelope` returns is sent together with the end of data, which saves a round trip. The
        next call must be for it, or the connection must be closed.
        """
        self._phase = Phase.MAIL
        try:
            refusal = await self._send_envelope(envelope)
            return refusal or await self._send_body(message, authorize_end_of_data, next_envelope)
        except ConnectionLostError as error:
            return self._phase, Reply(0, str(error))

    async def _send_envelope(self, envelope: Envelope) -> Outcome | None:
        """Send the commands up to DATA. Return the first refusal; the connection is then ready for the next message."""
        if self._announced is not None and self._announced != envelope:
            self._stream.fail("another message was announced")
            raise ConnectionLostError("another message was announced")
        if not self._has_pipelining:
            return await self._send_step_by_step(envelope)
        needs_reset = False
        if self._announced is None:
            needs_reset = self._is_unfinished
            self._stream.write(self._command_group(envelope, needs_reset=needs_reset))
        self._announced, self._is_unfinished = None, True
        return await self._read_group_replies(needs_reset=needs_reset)

    def _command_group(self, envelope: Envelope, *, needs_reset: bool = False) -> bytes:
        if not self.is_idle:
            self._stream.fail("the relay sent a reply before a command")
        commands = self._commands(envelope, needs_reset=needs_reset)
        return "\r\n".join([*commands, ""]).encode("ascii")

    def _commands(self, envelope: Envelope, *, needs_reset: bool) -> list[str]:
        size = (
            f" SIZE={envelope.size}" if self._has_size else ""
        )  # RFC 1870: refused before the body, if too large
        commands = [f"MAIL FROM:<{envelope.sender}>{size}", f"RCPT TO:<{envelope.recipient}>", "DATA"]
        return ["RSET", *commands] if needs_reset else commands

    async def _read_group_replies(self, *, needs_reset: bool) -> Outcome | None:
        """Read the reply to each command of a group, also after a refusal."""
        refusal: Outcome | None = None
        try:
            if needs_reset:
                self._check_reset(await self._stream.read_reply(self._deadlines.mail))
            for phase, seconds in self._steps:
                self._phase = phase
                reply = await self._stream.read_reply(seconds)
                refusal = refusal or self._refusal(reply)
                if phase is Phase.DATA and refusal and reply.code == _START_INPUT:
                    # The relay expects a message that has no recipient: it gets an empty one.
                    self._stream.write(_DOT)
                    await self._stream.read_reply(self._deadlines.end_of_data)
                    self._is_unfinished = False
        except ConnectionLostError:
            if refusal is None:
                raise
        return refusal

    async def _send_step_by_step(self, envelope: Envelope) -> Outcome | None:
        """Send one command at a time, to relays without PIPELINING."""
        commands = self._commands(envelope, needs_reset=self._is_unfinished)
        if self._is_unfinished:
            self._check_reset(await self._send_command(commands.pop(0), self._deadlines.mail))
        self._is_unfinished = True
        for command, (phase, seconds) in zip(commands, self._steps, strict=True):
            self._phase = phase
            refusal = self._refusal(await self._send_command(command, seconds))
            if refusal:
                return refusal
        return None

    async def _send_command(self, command: str, seconds: float) -> SmtpReply:
        if self._stream.has_unread_data:
            self._stream.fail("the relay sent a reply before a command")
        self._stream.write(f"{command}\r\n".encode("ascii"))
        return await self._stream.read_reply(seconds)

    def _refusal(self, reply: SmtpReply) -> Outcome | None:
        """Return phase and reply, or None if the reply lets the transaction continue."""
        if self._phase is Phase.DATA:
            is_accepted = reply.code == _START_INPUT
        else:
            is_accepted = reply.code // 100 == _SUCCESS
        if is_accepted:
            return None
        if reply.code == _CLOSING or reply.code // 100 < _TRANSIENT:
            self._stream.fail("the relay closes the connection, or does not follow the order of commands")
        return self._phase, reply.reply

    def _check_reset(self, reply: SmtpReply) -> None:
        if reply.code != _OK:
            raise ConnectionLostError(f"the relay answered RSET with {reply.reply}")

    async def _send_body(
        self, message: Sequence[bytes], authorize_end_of_data: Authorization, next_envelope: NextEnvelope
    ) -> Outcome | None:
        """Send body and end of data, after 354. RSET is not possible here: to stop is to close the connection."""
        self._phase = Phase.BODY
        self._stream.write(dot_stuff(message))
        await self._stream.drain(self._deadlines.body)
        is_authorized = await authorize_end_of_data()
        if not is_authorized:
            self._stream.fail("the message was dropped before its end")
            return None
        early_reply = self._stream.take_early_reply()
        if early_reply is not None:
            self._stream.fail("the relay interrupted a message")
            return Phase.BODY, early_reply.reply
        self._phase = Phase.END_OF_DATA
        envelope = next_envelope() if self._has_pipelining else None
        # RFC 2920, 3.1, allows the next envelope in the same group.
        self._stream.write(_DOT + self._command_group(envelope) if envelope else _DOT)
        self._announced = envelope
        reply = (await self._stream.read_reply(self._deadlines.end_of_data)).reply
        self._is_unfinished = False
        if reply.code == _CLOSING:
            self._stream.fail("the relay closes the connection")
        return Phase.END_OF_DATA, reply


def no_envelope() -> None:
    """Return None: the next message is not known."""
