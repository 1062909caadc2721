"""A conversation with a relay: connected, greeted, secured (RFC 3207), logged in (RFC 4954), then message after message.

In: where the relay is, envelopes and finished messages. Out: the phase that was reached and what the relay said there.
Every fault of the network becomes such a pair with code 0, so that a caller never meets an `OSError`. It never judges
a reply, never tries again, and sends no password in clear.
"""

import base64
import re
import ssl
from collections.abc import Mapping, Sequence

from ketapress.model.delivery import Phase, Reply
from ketapress.model.settings import RelayUrl
from ketapress.relay.protocol import Answer
from ketapress.relay.stream import DEADLINES, Deadlines, Line, Lost
from ketapress.relay.transaction import Announcement, Envelope, Outcome, Permission, Transactions, nothing

_HOSTNAME = re.compile(r"[A-Za-z0-9.-]{1,255}\Z|\[[0-9A-Za-z.:]{1,64}\]\Z")
_READY, _DONE = 220, 250
_NOT_KNOWN = (500, 502)  # to EHLO: an old server that wants HELO (RFC 5321, 3.2)
_LOGGED_IN, _GO_ON_LOGGING_IN = 235, 334


class NotOpened(Exception):  # noqa: N818 - a fact about the relay, not a fault of the program
    """The relay gave us no conversation. `phase` and `reply` say where it ended; nobody's mail was touched."""

    def __init__(self, phase: Phase, reply: Reply) -> None:
        self.phase = phase
        self.reply = reply
        super().__init__(f"{phase}: {reply}")


class Connection:
    """One open conversation that carries one message after another. Not for two tasks at a time."""

    def __init__(self, line: Line, extensions: Mapping[str, str], deadlines: Deadlines) -> None:
        self._line = line
        self._deadlines = deadlines
        self._transactions = Transactions(line, extensions, deadlines)

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
            reply = Reply(0, "the password would travel in clear: use smtp+starttls:// or smtps://")
            raise NotOpened(Phase.TLS, reply)
        line = Line()
        opening = _Opening(line, hostname, deadlines)
        try:
            return cls(line, await opening.extensions(url, context), deadlines)
        except BaseException as error:
            line.fail("we closed it")
            if isinstance(error, Lost):
                raise NotOpened(opening.phase, Reply(0, str(error))) from None
            raise

    @property
    def usable(self) -> bool:
        """Whether another message may be tried on it: it is open, in step, and not too old."""
        return self._line.open and self._transactions.in_step and self._line.age < self._deadlines.reuse

    async def transmit(
        self,
        envelope: Envelope,
        message: Sequence[bytes],
        before_dot: Permission,
        following: Announcement = nothing,
    ) -> Outcome | None:
        """Hands one message over, which comes in pieces, and says how far it came; `(Phase.DOT, 2xx)` is success.

        The whole message is written, then `before_dot` is awaited; only if it says True the final dot follows.
        None means that it said False: the line was closed without the dot, and the relay has nothing. After any
        fault ask `usable` before the next message. `following` is asked, just before the dot, for the envelope of the
        next call: it goes out together with the dot. Who then makes no such call closes the connection.
        """
        try:
            return await self._transactions.carry(envelope, message, before_dot, following)
        except BaseException:
            self.abort()
            raise

    async def close(self) -> None:
        """Says QUIT where there is somebody to hear it, and closes the line."""
        try:
            if self._line.open and self._transactions.idle:
                self._line.write(b"QUIT\r\n")
                await self._line.answer(self._deadlines.farewell)
        except Lost:
            pass
        finally:
            self.abort()
        await self._line.closed

    def abort(self) -> None:
        """Closes the line at once, in whatever state."""
        self._line.fail("we closed it")


class _Opening:
    """Everything before the first message. `phase` tells how far it has come."""

    def __init__(self, line: Line, hostname: str, deadlines: Deadlines) -> None:
        self._line = line
        self._hostname = hostname
        self._deadlines = deadlines
        self.phase = Phase.CONNECT

    async def extensions(self, url: RelayUrl, context: ssl.SSLContext | None) -> Mapping[str, str]:
        """What the relay offers, once it is ready for messages: keyword and parameters in upper case."""
        host = url.host.strip("[]")
        await self._line.connect(host, url.port, self._deadlines.connect)
        if url.security == "tls":
            await self._secured(host, context)
        self.phase = Phase.CONNECT
        self._expect(await self._line.answer(self._deadlines.greeting), _READY)
        offered = await self._greeted()
        if url.security == "starttls":
            await self._upgraded(host, context, offered)
            offered = await self._greeted()  # RFC 3207, 4.2: what was said in clear does not count
        if url.user:
            await self._logged_in(url.user, url.password, offered)
        return offered

    async def _greeted(self) -> Mapping[str, str]:
        self.phase = Phase.HELLO
        answer = await self._asked(f"EHLO {self._hostname}", self._deadlines.hello)
        if answer.code in _NOT_KNOWN:
            answer = await self._asked(f"HELO {self._hostname}", self._deadlines.hello)
        self._expect(answer, _DONE)
        words = (line.decode("ascii", "replace").upper().split(maxsplit=1) for line in answer.lines[1:])
        return {word[0]: word[1] if len(word) > 1 else "" for word in words if word}

    async def _upgraded(self, host: str, context: ssl.SSLContext | None, offered: Mapping[str, str]) -> None:
        self.phase = Phase.TLS
        if "STARTTLS" not in offered:
            raise NotOpened(Phase.TLS, Reply(_DONE, "the relay does not offer STARTTLS"))
        self._expect(await self._asked("STARTTLS", self._deadlines.tls), _READY)
        if self._line.spoken:  # CVE-2011-0411: what was slipped in before TLS would count as said inside it
            raise Lost("the relay went on in clear after STARTTLS")
        await self._secured(host, context)

    async def _secured(self, host: str, context: ssl.SSLContext | None) -> None:
        self.phase = Phase.TLS
        await self._line.secure(context or ssl.create_default_context(), host, self._deadlines.tls)

    async def _logged_in(self, user: str, password: str, offered: Mapping[str, str]) -> None:
        self.phase = Phase.AUTHENTICATE
        ways = offered.get("AUTH", "").split()
        if "PLAIN" in ways:
            steps = [f"AUTH PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}"]
        elif "LOGIN" in ways:
            steps = ["AUTH LOGIN", _base64(user), _base64(password)]
        else:
            found = " ".join(ways) or "none"
            text = f"the relay offers no login that we know (PLAIN, LOGIN), but {found}"
            raise NotOpened(Phase.AUTHENTICATE, Reply(_DONE, text))
        for step in steps[:-1]:
            self._expect(await self._asked(step, self._deadlines.authenticate), _GO_ON_LOGGING_IN)
        self._expect(await self._asked(steps[-1], self._deadlines.authenticate), _LOGGED_IN)

    async def _asked(self, command: str, seconds: float) -> Answer:
        self._line.write(f"{command}\r\n".encode("ascii"))
        return await self._line.answer(seconds)

    def _expect(self, answer: Answer, code: int) -> None:
        if answer.code != code:
            raise NotOpened(self.phase, answer.reply)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
