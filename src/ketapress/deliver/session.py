"""One session: send the due deliveries of an edition over a few open connections until none is left.

A session does not change the edition's state, and does not wait for deliveries that are due later.
"""

import asyncio
from datetime import UTC, datetime, timedelta

from ketapress.deliver.context import DeliveryContext, EditionToSend, OutgoingMessage
from ketapress.deliver.domain_queue import DomainQueue
from ketapress.deliver.group_commit import GroupCommitter
from ketapress.deliver.retry_policy import NextStep, RelayHealth, next_state, next_step
from ketapress.model.delivery import DeliveryResult, DeliveryState, Fault, Recipient, Reply, Verdict
from ketapress.relay.classify import classify_reply
from ketapress.relay.client import ConnectError, Connection
from ketapress.relay.rate_limit import warm_up_limit
from ketapress.relay.transaction import Envelope

CLAIM_SIZE = 500
"""Deliveries claimed at once, at most: a claim then costs 11 us a row, and more would be lost time after a kill."""

CLAIM_SIZE_PER_CONNECTION = 16
"""And at most so many for each connection: no sender takes what another one could be sending."""

WARM_UP_CLAIM_SIZE = 50
"""During a warm-up: so far may each of several senders on one database exceed its limit."""

MAX_QUEUE = 4 * CLAIM_SIZE
"""So many are claimed at most in search of other domains, while one domain is slow."""


class DeliverySession:
    """The shared state of a session's connections.

    `next_step` and `verdict` are why it ended. `resumes_at` is when more messages may be sent, if the limit of a warm-up
    ended it; `is_stopped` is whether the caller did.
    """

    def __init__(self, edition: EditionToSend, context: DeliveryContext, committer: GroupCommitter) -> None:
        self._edition = edition
        self._context = context
        self._committer = committer
        self._queue = DomainQueue(context.limits)
        self._rate_limit = context.limits.rate_limit
        self._rate_lock = asyncio.Lock()
        self._claim_lock = asyncio.Lock()
        self._message_finished = asyncio.Event()
        self._date = context.clock()
        self._has_more = True  # until a claim returns nothing
        self._health = RelayHealth()
        self._open_connections = 0
        self.next_step = NextStep.CONTINUE
        self.verdict: Verdict | None = None
        self.is_stopped = False
        self.resumes_at: datetime | None = None

    async def run(self) -> None:
        """Send until nothing is due or the session must end."""
        if not await self._fill_queue():
            return
        connection = await self._connect()  # one first: if it fails, so would the others
        if connection is None:
            return
        count = min(self._context.relay.connections, len(self._queue))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send_messages(connection))
                for _ in range(count - 1):
                    tasks.create_task(self._send_messages(None))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the first one canceled the others

    async def _send_messages(self, connection: Connection | None) -> None:
        """Send one message after another on one connection at a time."""
        message: OutgoingMessage | None = None
        try:
            while not self._must_end() and (message or await self._fill_queue()):
                if connection is None or not connection.is_usable:
                    old_connection, connection = connection, None
                    await self._disconnect(old_connection)
                    connection = await self._connect()
                if connection is None:
                    break
                message = message or await self._next_message()
                if message is not None:
                    message = await self._send(connection, message)
        finally:
            if message is not None:
                self._requeue(message.recipient)
            await self._disconnect(connection)

    def _must_end(self) -> bool:
        self.is_stopped = self.is_stopped or self._context.must_stop()
        return self.is_stopped or self.next_step is not NextStep.CONTINUE or self._committer.has_ended

    async def _fill_queue(self) -> bool:
        """Claim deliveries if more are needed. Return whether there is one to send."""
        async with self._claim_lock:
            if self._must_end():
                return False
            while self._needs_claims:
                self._date = self._context.clock()
                limit = await self._claim_limit()
                recipients = await self._committer.claim(limit) if limit else ()
                self._has_more = bool(recipients)
                self._queue.extend(recipients, self._context.monotonic())
            return bool(self._queue)

    @property
    def _needs_claims(self) -> bool:
        return self._has_more and len(self._queue) < MAX_QUEUE and self._queue.needs_more_domains

    async def _claim_limit(self) -> int:
        """Return how many deliveries may be claimed now; fewer during a warm-up, and 0 when today's limit is reached."""
        relay = self._context.relay
        today = self._date.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        limit = warm_up_limit(relay.warm_up, today.date()) if relay.warm_up else None
        if limit is None:
            return min(CLAIM_SIZE, CLAIM_SIZE_PER_CONNECTION * relay.connections)
        rest = limit - await self._committer.count_messages_since(today)
        self.resumes_at = today + timedelta(days=1) if rest <= 0 else None
        return max(0, min(rest, WARM_UP_CLAIM_SIZE))

    async def _next_message(self) -> OutgoingMessage | None:
        """Return the next message as soon as the rate allows it; None if there is none now, or the session must end."""
        async with self._rate_lock:
            delay = self._rate_limit.reserve(self._context.monotonic())
            while delay > 0 and not self._must_end():
                await self._context.sleep(min(delay, 1))  # in short steps, to notice a stop
                delay -= 1
        if self._must_end():
            return None
        message = self._build_next_message()
        if message is None and self._queue:
            domain_delay = self._queue.delay(self._context.monotonic())
            if domain_delay is not None:
                await self._context.sleep(min(domain_delay, 1))
            else:
                self._message_finished.clear()
                await self._message_finished.wait()
        return message

    def _build_next_message(self) -> OutgoingMessage | None:
        """Return the next message that can be built; None if no domain may have one more connection now."""
        while (recipient := self._queue.pop(self._context.monotonic())) is not None:
            try:
                return self._build_message(recipient)
            except ValueError as error:
                reply = str(Reply(0, f"not sent: {error}"))
                self._committer.record_result(
                    DeliveryResult(recipient.subscription_id, DeliveryState.FAILED, reply)
                )
                self._finish(recipient, None)
        return None

    def _build_message(self, recipient: Recipient) -> OutgoingMessage:
        """Personalize a message and start its signature. Raises ValueError if it cannot be sent."""
        context, edition = self._context, self._edition
        date = recipient.message_date or self._date
        sender = context.relay.return_path or edition.newsletter.sender.address
        chunks = context.build_message(edition.template, recipient, edition.newsletter, date)
        size, signature = sum(map(len, chunks)), None
        if context.signer is not None:
            field_size, signature = context.signer.start_signature(chunks, date)
            size += field_size
        return OutgoingMessage(recipient, date, Envelope(sender, recipient.address, size), chunks, signature)

    async def _send(self, connection: Connection, message: OutgoingMessage) -> OutgoingMessage | None:
        """Send a message. Return the one that was announced after it, if any."""
        announced: OutgoingMessage | None = None

        def announce_next() -> Envelope | None:
            nonlocal announced
            if not self._rate_limit.is_limited and not self._must_end() and not self._needs_claims:
                announced = self._build_next_message()
            return announced.envelope if announced else None

        recipient, chunks = message.recipient, message.chunks
        if message.signature is not None:
            chunks = [await message.signature, *chunks]
        outcome = await connection.send(
            message.envelope,
            chunks,
            lambda: self._committer.may_send(recipient.subscription_id, message.date),
            announce_next,
        )
        if outcome is None:
            self._finish(recipient, None)
        else:
            self._record_verdict(recipient, classify_reply(*outcome))
        return announced

    def _record_verdict(self, recipient: Recipient, verdict: Verdict) -> None:
        context = self._context
        context.on_verdict(verdict)
        result = next_state(
            recipient,
            verdict,
            self._health,
            context.clock(),
            context.rng,
            expires_at=self._edition.expires_at,
            in_doubt=context.relay.in_doubt,
        )
        if result is None:
            self._requeue(recipient)
        else:
            self._committer.record_result(result)
            self._finish(recipient, verdict)
        if verdict.fault is Fault.NONE:
            self._rate_limit.record_success(context.monotonic())
        elif verdict.fault is Fault.RELAY_THROTTLED:
            self._rate_limit.record_throttle(context.monotonic())
        self._health = self._health.with_verdict(verdict)
        self._take_step(next_step(verdict, self._health, context.relay.connections), verdict)

    def _finish(self, recipient: Recipient, verdict: Verdict | None) -> None:
        self._queue.finish(recipient, verdict, self._context.monotonic())
        self._message_finished.set()

    def _requeue(self, recipient: Recipient) -> None:
        self._queue.requeue(recipient, self._context.monotonic())
        self._message_finished.set()

    def _take_step(self, step: NextStep, verdict: Verdict) -> None:
        """Keep the first step that ends the session, and its verdict."""
        if self.next_step is NextStep.CONTINUE and step is not NextStep.CONTINUE:
            self.next_step, self.verdict = step, verdict

    async def _connect(self) -> Connection | None:
        """Open a connection; None if the relay accepts none. That ends the session only if no other one is open."""
        try:
            connection = await Connection.open(
                self._context.relay.url,
                hostname=self._edition.newsletter.sender.domain,
                deadlines=self._context.deadlines,
                tls_context=self._context.tls_context,
            )
        except ConnectError as error:
            if not self._open_connections:
                verdict = classify_reply(error.phase, error.reply)
                self._context.on_verdict(verdict)
                self._take_step(NextStep.PAUSE_RELAY, verdict)
            return None
        self._open_connections += 1
        return connection

    async def _disconnect(self, connection: Connection | None) -> None:
        if connection is not None:
            self._open_connections -= 1
            await connection.close()
