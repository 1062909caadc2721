"""What goes out in a round, and how: the letter, the relay, and all that comes from outside. Values only."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from random import Random
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from ketapress.model.delivery import Recipient, Verdict
from ketapress.model.message import MessageTemplate
from ketapress.model.settings import NewsletterSettings, RelaySettings
from ketapress.relay.rate_limit import Pace
from ketapress.relay.stream import DEADLINES, Deadlines
from ketapress.relay.transaction import Envelope

Stamp = Callable[[MessageTemplate, Recipient, NewsletterSettings, datetime], Sequence[bytes]]
"""The letter as one recipient gets it, dated so, in pieces."""


class Signing(Protocol):
    """Signs messages while others are on their way; open it as an asynchronous context manager."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def begun(self, message: Sequence[bytes], moment: datetime) -> tuple[int, Awaitable[bytes]]:
        """How long the signature of a message with this Date will be, and the header field that goes before it."""
        ...


class Load(NamedTuple):
    """What goes out in a round: the letter, whose it is, and until when it is worth sending."""

    letter: MessageTemplate
    newsletter: NewsletterSettings
    expires: datetime | None


class Road(NamedTuple):
    """How it goes out. `context` replaces the TLS settings that verify the relay's certificate.

    `pause` waits for so many seconds, when a rate is to be kept; `pace` is what was learnt of relay and domains,
    by `instant`, in seconds: `clock` may stand still, or be set, while something is waited for;
    `heard` is told each thing that the relay says of a message, and of a line that it refuses; `doubted`, how
    many messages a process that died was just sending. `signing` is there where mail is signed here and not by the relay.
    """

    relay: RelaySettings
    stamp: Stamp
    clock: Callable[[], datetime]
    rng: Random
    stop: Callable[[], bool]
    pace: Pace
    signing: Signing | None = None
    deadlines: Deadlines = DEADLINES
    context: ssl.SSLContext | None = None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    instant: Callable[[], float] = time.monotonic
    heard: Callable[[Verdict], None] = lambda _verdict: None
    doubted: Callable[[int], None] = lambda _count: None


class Parcel(NamedTuple):
    """One message, ready to go but for its signature, where it gets one."""

    recipient: Recipient
    dated: datetime
    envelope: Envelope
    message: Sequence[bytes]
    signature: Awaitable[bytes] | None

    async def whole(self) -> Sequence[bytes]:
        return self.message if self.signature is None else [await self.signature, *self.message]
