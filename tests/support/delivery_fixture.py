"""For delivery tests: a store with subscribers and editions, a scripted relay, and a clock that stands still."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ketapress.deliver.context import DeliveryContext
from ketapress.deliver.protocols import DeliveryStore
from ketapress.deliver.report import EditionReport, Progress
from ketapress.deliver.sender import Sender
from ketapress.mail.personalize import merge_values, message_chunks
from ketapress.model.delivery import DeliveryState, DeliverySummary, Recipient
from ketapress.model.edition import Decision, EditionState, Slot, StoredEdition, Window
from ketapress.model.message import Digest, FieldEncoding, MergeField, MessageTemplate
from ketapress.model.settings import NewsletterSettings, RelaySettings, RelayUrl
from ketapress.model.subscriber import ImportRow
from ketapress.relay.rate_limit import RelayLimits
from ketapress.relay.stream import DEADLINES, Deadlines
from ketapress.store.store import Store, open_store
from ketapress.testing import ScriptedRelay, StillClock
from support.factories import NOW, WEEKLY

TEMPLATE = MessageTemplate(
    key="0123456789abcdef",
    segments=(
        b"From: digest@example.org\r\nTo: ",
        b"\r\nDate: ",
        b"\r\nMessage-ID: ",
        b"\r\nList-Unsubscribe: <",
        b">\r\nSubject: News\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello.\r\n",
    ),
    merge_fields=tuple(
        MergeField(name, FieldEncoding.HEADER) for name in ("to", "date", "message_id", "unsubscribe_url")
    ),
)
SLOT = NOW - timedelta(hours=1)


def build_message(
    template: MessageTemplate, recipient: Recipient, newsletter: NewsletterSettings, date: datetime
) -> Sequence[bytes]:
    values = merge_values(
        template,
        recipient,
        sender_domain=newsletter.sender.domain,
        web_base_url="https://example.org",
        secret="x" * 32,
        date=date,
    )
    return message_chunks(template, values)


@dataclass(frozen=True)
class RemoteRelay:
    """A relay in another process, of which only the port is known."""

    port: int

    @property
    def url(self) -> RelayUrl:
        return RelayUrl("127.0.0.1", self.port, "none")


@dataclass
class DeliveryFixture:
    """A store and a relay, and how they are used."""

    store: Store
    server: ScriptedRelay | RemoteRelay
    root: Path
    clock: StillClock = field(default_factory=lambda: StillClock(NOW))
    connections: int = 1
    deadlines: Deadlines = DEADLINES
    in_doubt: str = "resend"
    rate: float | None = None
    warm_up: date | None = None
    progress: list[Progress] = field(default_factory=list)
    must_stop: Callable[[], bool] = lambda: False
    deliveries: DeliveryStore | None = None
    newsletters: dict[str, NewsletterSettings] = field(default_factory=lambda: {"weekly": WEEKLY})

    @property
    def relay(self) -> ScriptedRelay:
        """The relay, if it is in this process."""
        assert isinstance(self.server, ScriptedRelay)
        return self.server

    def subscribe(self, *addresses: str) -> None:
        rows = [ImportRow(address=address) for address in addresses]
        assert not self.store.subscribers.add(rows, ["weekly"], "test", NOW).refused

    def add_edition(
        self, slot_time: datetime = SLOT, send_deadline: datetime | None = NOW + timedelta(days=7)
    ) -> int:
        """Store a composed edition that is ready; return its id."""
        slot = Slot("weekly", f"{slot_time:%Y-%m-%dT%H%M}", slot_time)
        digest = Digest(subject="News", html="", text="", web_html="", message_template=TEMPLATE, sizes={})
        edition_id = self.store.editions.decide_slots(
            [(slot, Decision.COMPOSED)],
            window=Window(slot_time - timedelta(days=7), slot_time),
            post_ids=(),
            send_deadline=send_deadline,
            now=slot_time,
        )
        assert edition_id is not None
        self.store.editions.save_message(
            edition_id,
            EditionState.READY,
            subject="News",
            digest=digest,
            post_ids=(),
            reason="",
            now=slot_time,
        )
        return edition_id

    @property
    def context(self) -> DeliveryContext:
        return DeliveryContext(
            relay=RelaySettings(
                url=self.server.url,
                connections=self.connections,
                in_doubt=self.in_doubt,
                rate=self.rate,
                warm_up=self.warm_up,
            ),
            build_message=build_message,
            clock=self.clock,
            rng=Random(1),
            must_stop=self.must_stop,
            limits=RelayLimits(self.rate, self.connections),
            deadlines=self.deadlines,
            sleep=self.sleep,
            monotonic=lambda: self.clock().timestamp(),
        )

    async def sleep(self, seconds: float) -> None:
        """Advance the clock: no test waits."""
        self.clock.advance(timedelta(seconds=seconds))

    def send_all(self, **changes: Any) -> tuple[EditionReport, ...]:
        """Send what is due, with these changes of the context."""
        sender = Sender(
            self.deliveries or self.store.deliveries,
            self.store.editions,
            self.newsletters,
            self.context._replace(**changes),
            on_progress=self.progress.append,
        )
        return sender.send()

    def send(self, **changes: Any) -> EditionReport:
        """Send the one edition that there is."""
        [report] = self.send_all(**changes)
        return report

    @property
    def editions(self) -> tuple[StoredEdition, ...]:
        return self.store.editions.list_all()

    def summaries(self) -> dict[str, DeliverySummary]:
        """Return each delivery by its address."""
        return {
            summary.address: summary
            for edition in self.editions
            for summary in self.store.deliveries.iter_deliveries(edition.id)
        }

    def states(self) -> dict[str, DeliveryState]:
        return {address: summary.state for address, summary in self.summaries().items()}

    def recipients(self) -> list[str]:
        """Return the recipients of the messages that the relay accepted, in order."""
        return [message.recipient for message in self.relay.messages]


@pytest.fixture
def new_delivery(tmp_path: Path) -> Iterator[DeliveryFixture]:
    """An empty store; at the end of the test its counts have to match."""
    with open_store("sqlite:///ketapress.db", tmp_path) as store, ScriptedRelay() as relay:
        delivery = DeliveryFixture(store, relay, tmp_path)
        yield delivery
        for edition in delivery.editions:
            assert store.deliveries.counts_match(edition.id)
