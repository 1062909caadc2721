"""Create subscribers, slots and editions in a store, with defaults for what a test does not care about."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ketapress.model.delivery import DeliveryResult, DeliveryState
from ketapress.model.edition import Decision, EditionState, Slot, Window
from ketapress.model.message import Digest, FieldEncoding, MergeField, MessageTemplate
from ketapress.model.subscriber import ImportRow, SubscriptionState
from ketapress.store.store import Store
from support.factories import NOW

MESSAGE_TEMPLATE = MessageTemplate(
    key="00ff",
    segments=(b"To: ", b"\r\n\r\nHello\r\n\xff", b"\r\n"),
    merge_fields=(MergeField("to", FieldEncoding.HEADER), MergeField("unsubscribe_url", FieldEncoding.TEXT)),
)


def make_digest(
    message_template: MessageTemplate = MESSAGE_TEMPLATE, web_html: str = "<p>page</p>"
) -> Digest:
    return Digest(
        subject="News",
        html="<p>mail</p>",
        text="mail",
        web_html=web_html,
        message_template=message_template,
        sizes={"html": 11, "text": 4},
    )


def make_slot(day: int = 12, newsletter: str = "weekly") -> Slot:
    slot_at = datetime(2023, 6, day, 8, tzinfo=UTC)
    return Slot(newsletter, f"{slot_at:%Y-%m-%dT%H%M}", slot_at)


def decide_slots(store: Store, *slots: tuple[Slot, Decision], posts: Iterable[str] = ("a",)) -> int | None:
    slot_at = slots[-1][0].at
    return store.editions.decide_slots(
        slots,
        window=Window(slot_at - timedelta(days=7), slot_at),
        post_ids=list(posts),
        send_deadline=slot_at + timedelta(days=1),
        now=NOW,
    )


def create_building_edition(
    store: Store, *, day: int = 12, newsletter: str = "weekly", posts: Iterable[str] = ("a",)
) -> int:
    edition_id = decide_slots(store, (make_slot(day, newsletter), Decision.COMPOSED), posts=posts)
    assert edition_id is not None
    return edition_id


def create_edition(
    store: Store,
    *,
    day: int = 12,
    newsletter: str = "weekly",
    posts: Iterable[str] = ("a",),
    state: EditionState = EditionState.READY,
) -> int:
    """Create an edition with a saved message, READY by default. Return its id."""
    posts = list(posts)
    edition_id = create_building_edition(store, day=day, newsletter=newsletter, posts=posts)
    assert store.editions.save_message(
        edition_id, state, subject="News", digest=make_digest(), post_ids=posts, reason="", now=NOW
    )
    return edition_id


def make_import_rows(count: int) -> Iterator[ImportRow]:
    """Yield import rows of Person 0, Person 1, …"""
    return (
        ImportRow(address=f"person{number}@example.org", name=f"Person {number}") for number in range(count)
    )


def subscribe(store: Store, entries: Iterable[ImportRow | str], *newsletters: str) -> None:
    rows = [entry if isinstance(entry, ImportRow) else ImportRow(address=entry) for entry in entries]
    store.subscribers.add(rows, newsletters or ("weekly",), "the tests", NOW)


def create_sending_edition(store: Store, subscriber_count: int) -> int:
    """Create an edition that is frozen for a number of new subscribers. Return its id."""
    subscribe(store, make_import_rows(subscriber_count))
    edition_id = create_edition(store)
    assert store.deliveries.freeze(edition_id, "weekly", NOW) == subscriber_count
    return edition_id


def claim_ids(
    store: Store, edition_id: int, limit: int = 100, *, worker: str = "worker", now: datetime = NOW
) -> list[int]:
    """Claim deliveries. Return their subscription ids."""
    return [recipient.subscription_id for recipient in store.deliveries.claim(edition_id, limit, worker, now)]


def start_sending(store: Store, edition_id: int, limit: int = 100) -> list[int]:
    """Claim deliveries and commit their intents. Return their subscription ids."""
    ids = claim_ids(store, edition_id, limit)
    assert store.deliveries.commit(edition_id, results=[], intents=ids, now=NOW) == set(ids)
    return ids


def record_results(
    store: Store, edition_id: int, ids: Iterable[int], state: DeliveryState, **values: Any
) -> None:
    results = [
        DeliveryResult(subscription_id=subscription_id, state=state, **values) for subscription_id in ids
    ]
    store.deliveries.commit(edition_id, results=results, intents=[], now=NOW)


def nonzero_counts(store: Store, edition_id: int | None = None) -> dict[DeliveryState, int]:
    """Return the counts above zero, after checking that no delivery is lost."""
    if edition_id is not None:
        assert store.deliveries.counts_match(edition_id)
    return {state: count for state, count in store.deliveries.counts(edition_id).items() if count}


def expire_leases(store: Store) -> None:
    """Expire all leases, as if no process had renewed one for a minute."""
    with store._transactions.write() as connection:
        connection.exec_driver_sql("UPDATE workers SET lease_until = 0")
        connection.exec_driver_sql("UPDATE editions SET lease_until = 0")


def subscription_states(store: Store, address: str) -> dict[str, SubscriptionState]:
    """Return an address's subscription states by newsletter."""
    subscriber = store.subscribers.find(address)
    assert subscriber is not None
    return {subscription.newsletter: subscription.state for subscription in subscriber.subscriptions}
