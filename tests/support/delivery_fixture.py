"""For tests of delivering: a store with an edition and its subscribers, a scripted relay, a clock that stands still."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ketapress.deliver.context import Road
from ketapress.deliver.protocols import DeliveryStore
from ketapress.deliver.report import EditionReport, Progress
from ketapress.deliver.sender import Sender
from ketapress.mail.personalize import merge_values, message_chunks
from ketapress.model.delivery import DeliveryState, DeliverySummary, Recipient
from ketapress.model.edition import Decision, EditionState, Slot, StoredEdition, Window
from ketapress.model.message import Digest, FieldEncoding, MergeField, MessageTemplate
from ketapress.model.settings import NewsletterSettings, RelaySettings, RelayUrl
from ketapress.model.subscriber import ImportRow
from ketapress.relay.rate_limit import Pace
from ketapress.relay.stream import DEADLINES, Deadlines
from ketapress.store.store import Store, open_store
from ketapress.testing import ScriptedRelay, StillClock
from support.factories import NOW, WEEKLY

LETTER = MessageTemplate(
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


def stamp(
    letter: MessageTemplate, recipient: Recipient, newsletter: NewsletterSettings, date: datetime
) -> Sequence[bytes]:
    values = merge_values(
        letter,
        recipient,
        sender_domain=newsletter.sender.domain,
        web_base_url="https://example.org",
        secret="x" * 32,
        date=date,
    )
    return message_chunks(letter, values)


@dataclass(frozen=True)
class Elsewhere:
    """A relay of another process, of which only the port is known."""

    port: int

    @property
    def url(self) -> RelayUrl:
        return RelayUrl("127.0.0.1", self.port, "none")


@dataclass
class Press:
    """What a test of delivering needs at hand."""

    store: Store
    called: ScriptedRelay | Elsewhere
    root: Path
    clock: StillClock = field(default_factory=lambda: StillClock(NOW))
    connections: int = 1
    deadlines: Deadlines = DEADLINES
    in_doubt: str = "resend"
    rate: float | None = None
    warm_up: date | None = None
    progress: list[Progress] = field(default_factory=list)
    stop: Callable[[], bool] = lambda: False
    ledger: DeliveryStore | None = None
    newsletters: dict[str, NewsletterSettings] = field(default_factory=lambda: {"weekly": WEEKLY})

    @property
    def relay(self) -> ScriptedRelay:
        """The relay, where it is in this process."""
        assert isinstance(self.called, ScriptedRelay)
        return self.called

    def subscribe(self, *addresses: str) -> None:
        added = self.store.subscribers.add(
            [ImportRow(address=each) for each in addresses], ["weekly"], "test", NOW
        )
        assert not added.refused

    def edition(self, at: datetime = SLOT, send_by: datetime | None = NOW + timedelta(days=7)) -> int:
        """A composed edition that is ready."""
        slot = Slot("weekly", f"{at:%Y-%m-%dT%H%M}", at)
        digest = Digest(subject="News", html="", text="", web_html="", message_template=LETTER, sizes={})
        window = Window(at - timedelta(days=7), at)
        editions = self.store.editions
        found = editions.decide_slots(
            [(slot, Decision.COMPOSED)], window=window, post_ids=(), send_deadline=send_by, now=at
        )
        assert found is not None
        editions.save_message(
            found, EditionState.READY, subject="News", digest=digest, post_ids=(), reason="", now=at
        )
        return found

    @property
    def road(self) -> Road:
        return Road(
            relay=RelaySettings(
                url=self.called.url,
                connections=self.connections,
                in_doubt=self.in_doubt,
                rate=self.rate,
                warm_up=self.warm_up,
            ),
            stamp=stamp,
            clock=self.clock,
            rng=Random(1),
            stop=self.stop,
            pace=Pace(self.rate, self.connections),
            deadlines=self.deadlines,
            pause=self.pause,
            instant=lambda: self.clock().timestamp(),
        )

    async def pause(self, seconds: float) -> None:
        """No test waits: the clock is moved instead."""
        self.clock.advance(timedelta(seconds=seconds))

    def send_all(self, **road: Any) -> tuple[EditionReport, ...]:
        sender = Sender(
            self.ledger or self.store.deliveries,
            self.store.editions,
            self.newsletters,
            self.road._replace(**road),
            watch=self.progress.append,
        )
        return sender.send()

    def send(self, **road: Any) -> EditionReport:
        """Sends, where there is one edition to send."""
        [report] = self.send_all(**road)
        return report

    @property
    def editions(self) -> tuple[StoredEdition, ...]:
        return self.store.editions.list_all()

    def lines(self) -> dict[str, DeliverySummary]:
        """Each delivery by its address."""
        return {
            line.address: line
            for each in self.editions
            for line in self.store.deliveries.iter_deliveries(each.id)
        }

    def states(self) -> dict[str, DeliveryState]:
        return {address: line.state for address, line in self.lines().items()}

    def sent_to(self) -> list[str]:
        return [each.recipient for each in self.relay.messages]


@pytest.fixture
def new_press(tmp_path: Path) -> Iterator[Press]:
    """A press with an empty store; at the end of the test the conservation law is looked at."""
    with open_store("sqlite:///ketapress.db", tmp_path) as store, ScriptedRelay() as relay:
        found = Press(store, relay, tmp_path)
        yield found
        for edition in found.editions:
            assert store.deliveries.counts_match(edition.id)
