"""A connection to a relay: greeting, TLS (RFC 3207), login (RFC 4954), then one message after another.

Every network error becomes a phase and a reply with code 0; callers never see an OSError. No reply is judged, nothing
is retried, and no password is sent in clear text.
"""

import base64
import re
import ssl
from collections.abc import Mapping, Sequence

from ketapress.model.delivery import Phase, Reply
from ketapress.model.settings import RelayUrl
from ketapress.relay.protocol import SmtpReply
from ketapress.relay.stream import DEADLINES, ConnectionLostError, Deadlines, SmtpStream
from ketapress.relay.transaction import (
    Authorization,
    Envelope,
    NextEnvelope,
    Outcome,
    Transactions,
    no_envelope,
)

_HOSTNAME = re.compile(r"[A-Za-z0-9.-]{1,255}\Z|\[[0-9A-Za-z.:]{1,64}\]\Z")
_READY, _OK = 220, 250
_UNKNOWN_COMMAND = (500, 502)  # to EHLO: an old server that needs HELO (RFC 5321, 3.2)
_AUTHENTICATED, _CONTINUE_LOGIN = 235, 334


class ConnectError(Exception):
    """The relay accepted no connection. `phase` and `reply` say why."""

    def __init__(self, phase: Phase, reply: Reply) -> None:
        self.phase = phase
        self.reply = reply
        super().__init__(f"{phase}: {reply}")


class Connection:
    """An open connection that sends one message after another, for one task at a time."""

    def __init__(self, stream: SmtpStream, extensions: Mapping[str, str], deadlines: Deadlines) -> None:
        self._stream = stream
        self._deadlines = deadlines
        self._transactions = Transactions(stream, extensions, deadlines)

    @classmethod
    async def open(
        cls,
        url: RelayUrl,
        *,
        hostname: str,
        deadlines: Deadlines = DEADLINES,
        tls_context: ssl.SSLContext | None = None,
    ) -> "Connection":
        """Connect, greet, start TLS and log in, as the URL says. Raises ConnectError.

        `hostname` is the name in EHLO. The default TLS context verifies the certificate.
        """
        if not _HOSTNAME.match(hostname):
            raise ValueError(f"{hostname!r} is not a host name for EHLO")
        if url.user and url.security == "none":
            reply = Reply(0, "the password would be sent in clear text: use smtp+starttls:// or smtps://")
            raise ConnectError(Phase.TLS, reply)
        stream = SmtpStream()
        handshake = _Handshake(stream, hostname, deadlines)
        try:
            return cls(stream, await handshake.run(url, tls_context), deadlines)
        except BaseException as error:
            stream.fail("the connection was closed here")
            if isinstance(error, ConnectionLostError):
                raise ConnectError(handshake.phase, Reply(0, str(error))) from None
            raise

    @property
    def is_usable(self) -> bool:
        """Whether it can send another message: it is open, synchronized, and not too old."""
        is_young = self._stream.age < self._deadlines.max_age
        return self._stream.is_open and self._transactions.is_synchronized and is_young

    async def send(
        self,
        envelope: Envelope,
        message: Sequence[bytes],
        authorize_end_of_data: Authorization,
        next_envelope: NextEnvelope = no_envelope,
    ) -> Outcome | None:
        """Send one message, given in chunks. Return how far it came: `(Phase.END_OF_DATA, 2xx)` is success.

        The whole message is written before `authorize_end_of_data` is awaited; the final dot only if it returns True.
        Otherwise the connection is closed, the relay has nothing, and the result is None. After an error check
        `is_usable`. `next_envelope` is called just before the final dot, for the envelope of the next call, which is
        sent together with the dot; a caller that does not make that call closes the connection.
        """
        try:
            return await self._transactions.send(envelope, message, authorize_end_of_data, next_envelope)
        except BaseException:
            self.abort()
            raise

    async def close(self) -> None:
        """Send QUIT, if no transaction is open, and close the connection."""
        try:
            if self._stream.is_open and self._transactions.is_idle:
                self._stream.write(b"QUIT\r\n")
                await self._stream.read_reply(self._deadlines.quit)
        except ConnectionLostError:
            pass
        finally:
            self.abort()
        await self._stream.wait_closed()

    def abort(self) -> None:
        """Close the connection at once."""
        self._stream.fail("the connection was closed here")


class _Handshake:
    """Everything before the first message. `phase` is the step that it has reached."""

    def __init__(self, stream: SmtpStream, hostname: str, deadlines: Deadlines) -> None:
        self._stream = stream
        self._hostname = hostname
        self._deadlines = deadlines
        self.phase = Phase.CONNECT

    async def run(self, url: RelayUrl, tls_context: ssl.SSLContext | None) -> Mapping[str, str]:
        """Return the relay's extensions, in upper case, as soon as it is ready for messages."""
        host = url.host.strip("[]")
        await self._stream.connect(host, url.port, self._deadlines.connect)
        if url.security == "tls":
            await self._start_tls(host, tls_context)
        self.phase = Phase.CONNECT
        self._expect(await self._stream.read_reply(self._deadlines.greeting), _READY)
        extensions = await self._greet()
        if url.security == "starttls":
            self.phase = Phase.TLS
            if "STARTTLS" not in extensions:
                raise ConnectError(Phase.TLS, Reply(_OK, "the relay does not offer STARTTLS"))
            self._expect(await self._send_command("STARTTLS", self._deadlines.tls), _READY)
            if (
                self._stream.has_unread_data
            ):  # CVE-2011-0411: data injected before TLS would count as sent inside it
                raise ConnectionLostError("the relay sent more in clear text after STARTTLS")
            await self._start_tls(host, tls_context)
            extensions = await self._greet()  # RFC 3207, 4.2: what was sent in clear text does not count
        if url.user:
            await self._log_in(url.user, url.password, extensions)
        return extensions

    async def _greet(self) -> Mapping[str, str]:
        self.phase = Phase.HELLO
        reply = await self._send_command(f"EHLO {self._hostname}", self._deadlines.hello)
        if reply.code in _UNKNOWN_COMMAND:
            reply = await self._send_command(f"HELO {self._hostname}", self._deadlines.hello)
        self._expect(reply, _OK)
        offers = (line.decode("ascii", "replace").upper().split(maxsplit=1) for line in reply.lines[1:])
        return {offer[0]: offer[1] if len(offer) > 1 else "" for offer in offers if offer}

    async def _start_tls(self, host: str, tls_context: ssl.SSLContext | None) -> None:
        self.phase = Phase.TLS
        await self._stream.start_tls(tls_context or ssl.create_default_context(), host, self._deadlines.tls)

    async def _log_in(self, user: str, password: str, extensions: Mapping[str, str]) -> None:
        self.phase = Phase.AUTHENTICATE
        mechanisms = extensions.get("AUTH", "").split()
        if "PLAIN" in mechanisms:
            commands = [f"AUTH PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}"]
        elif "LOGIN" in mechanisms:
            commands = ["AUTH LOGIN", _base64(user), _base64(password)]
        else:
            offer = " ".join(mechanisms) or "none"
            text = f"the relay offers no login method that Ketapress has (PLAIN, LOGIN), but {offer}"
            raise ConnectError(Phase.AUTHENTICATE, Reply(_OK, text))
        seconds = self._deadlines.authenticate
        for command in commands[:-1]:
            self._expect(await self._send_command(command, seconds), _CONTINUE_LOGIN)
        self._expect(await self._send_command(commands[-1], seconds), _AUTHENTICATED)

    async def _send_command(self, command: str, seconds: float) -> SmtpReply:
        self._stream.write(f"{command}\r\n".encode("ascii"))
        return await self._stream.read_reply(seconds)

    def _expect(self, reply: SmtpReply, code: int) -> None:
        if reply.code != code:
            raise ConnectError(self.phase, reply.reply)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
