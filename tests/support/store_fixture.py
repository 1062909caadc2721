"""People, slots and editions in a store, with only what a test is about spelled out."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from ketapress.model.delivery import DeliveryState, Result
from ketapress.model.edition import Decision, EditionState, Slot, Window
from ketapress.model.message import ByteSlot, Digest, Letter, Place
from ketapress.model.subscriber import Applicant, SubscriptionState
from ketapress.store.store import Store
from support.factories import NOW

LETTER = Letter(
    key="00ff",
    segments=(b"To: ", b"\r\n\r\nHello\r\n\xff", b"\r\n"),
    slots=(ByteSlot("to", Place.HEADER), ByteSlot("unsubscribe_url", Place.TEXT)),
)


def digest(letter: Letter = LETTER, web: str = "<p>page</p>") -> Digest:
    return Digest(
        subject="News", html="<p>mail</p>", text="mail", web=web, letter=letter, sizes={"html": 11, "text": 4}
    )


def slot(day: int = 12, newsletter: str = "weekly") -> Slot:
    at = datetime(2023, 6, day, 8, tzinfo=UTC)
    return Slot(newsletter, f"{at:%Y-%m-%dT%H%M}", at)


def decided(store: Store, *slots: tuple[Slot, Decision], posts: Iterable[str] = ("a",)) -> int | None:
    at = slots[-1][0].at
    return store.editions.decide(
        slots,
        window=Window(at - timedelta(days=7), at),
        post_ids=list(posts),
        send_by=at + timedelta(days=1),
        now=NOW,
    )


def building_edition(
    store: Store, *, day: int = 12, newsletter: str = "weekly", posts: Iterable[str] = ("a",)
) -> int:
    edition = decided(store, (slot(day, newsletter), Decision.COMPOSED), posts=posts)
    assert edition is not None
    return edition


def stored_edition(
    store: Store,
    *,
    day: int = 12,
    newsletter: str = "weekly",
    posts: Iterable[str] = ("a",),
    state: EditionState = EditionState.READY,
) -> int:
    """A finished edition; ready, unless something else is said."""
    posts = list(posts)
    edition = building_edition(store, day=day, newsletter=newsletter, posts=posts)
    assert store.editions.finish(
        edition, state, subject="News", digest=digest(), post_ids=posts, why="", now=NOW
    )
    return edition


def crowd(count: int) -> Iterator[Applicant]:
    """Person 0, person 1, …"""
    return (
        Applicant(address=f"person{number}@example.org", name=f"Person {number}") for number in range(count)
    )


def subscribe(store: Store, people: Iterable[Applicant | str], *newsletters: str) -> None:
    applicants = [person if isinstance(person, Applicant) else Applicant(address=person) for person in people]
    store.subscribers.add(applicants, newsletters or ("weekly",), "the tests", NOW)


def sending_edition(store: Store, people: int) -> int:
    """An edition that is frozen for that many people."""
    subscribe(store, crowd(people))
    edition = stored_edition(store)
    assert store.deliveries.freeze(edition, "weekly", NOW) == people
    return edition


def claimed(
    store: Store, edition: int, limit: int = 100, *, worker: str = "worker", now: datetime = NOW
) -> list[int]:
    """The subscriptions that a claim took."""
    return [each.subscription_id for each in store.deliveries.claim(edition, limit, worker, now)]


def begun(store: Store, edition: int, limit: int = 100) -> list[int]:
    """Claimed, and then sending."""
    ids = claimed(store, edition, limit)
    assert store.deliveries.commit(edition, results=[], intents=ids, now=NOW) == set(ids)
    return ids


def settle(store: Store, edition: int, ids: Iterable[int], state: DeliveryState, **values: object) -> None:
    results = [Result(subscription_id=each, state=state, **values) for each in ids]  # type: ignore[arg-type] # any field
    store.deliveries.commit(edition, results=results, intents=[], now=NOW)


def standing(store: Store, edition: int | None = None) -> dict[DeliveryState, int]:
    """The counts that are not zero; and on the way, that they add up."""
    if edition is not None:
        assert store.deliveries.conserved(edition)
    return {state: count for state, count in store.deliveries.counts(edition).items() if count}


def expire_leases(store: Store) -> None:
    """As if a minute had gone by without a word from anybody who holds a lease."""
    with store._transactions.write() as connection:
        connection.exec_driver_sql("UPDATE workers SET lease_until = 0")
        connection.exec_driver_sql("UPDATE editions SET lease_until = 0")


def states(store: Store, address: str) -> dict[str, SubscriptionState]:
    """A person's newsletters and where each stands."""
    person = store.subscribers.find(address)
    assert person is not None
    return {each.newsletter: each.state for each in person.subscriptions}
