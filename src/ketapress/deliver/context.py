"""What a delivery session is given, and the messages it sends. Values only."""

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
from ketapress.relay.rate_limit import RelayLimits
from ketapress.relay.stream import DEADLINES, Deadlines
from ketapress.relay.transaction import Envelope

MessageBuilder = Callable[[MessageTemplate, Recipient, NewsletterSettings, datetime], Sequence[bytes]]
"""Returns the message for one recipient with this Date, in chunks."""


class MessageSigner(Protocol):
    """Signs messages while others are being sent. Use it as an asynchronous context manager."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start_signature(self, chunks: Sequence[bytes], date: datetime) -> tuple[int, Awaitable[bytes]]:
        """Return the size of a message's signature field, and the field itself when it is signed."""
        ...


class EditionToSend(NamedTuple):
    """An edition's message template, its newsletter, and until when it is worth sending."""

    template: MessageTemplate
    newsletter: NewsletterSettings
    expires_at: datetime | None


class DeliveryContext(NamedTuple):
    """How messages are sent.

    `limits` is what this process has learned about the relay and the recipients' domains, by `monotonic` seconds: `clock`
    may stand still or be set. `signer` is None where the relay signs. The default TLS context verifies the certificate.
    `sleep` waits while a rate is kept. `on_verdict` is called with the verdict on each message and on each connection
    that the relay does not accept, `on_in_doubt` with the number of messages that a dead process was sending.
    """

    relay: RelaySettings
    build_message: MessageBuilder
    clock: Callable[[], datetime]
    rng: Random
    must_stop: Callable[[], bool]
    limits: RelayLimits
    signer: MessageSigner | None = None
    deadlines: Deadlines = DEADLINES
    tls_context: ssl.SSLContext | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    on_verdict: Callable[[Verdict], None] = lambda _verdict: None
    on_in_doubt: Callable[[int], None] = lambda _count: None


class OutgoingMessage(NamedTuple):
    """One message to one recipient. `signature` is None where the relay signs."""

    recipient: Recipient
    date: datetime
    envelope: Envelope
    chunks: Sequence[bytes]
    signature: Awaitable[bytes] | None
