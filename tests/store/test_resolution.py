"""Deliveries in doubt are resolved by a person, those of an older copy of the database by the outbox."""

import pytest

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.store import Store
from support.factories import NOW
from support.store_fixture import (
    claim_ids,
    create_edition,
    create_sending_edition,
    make_digest,
    make_import_rows,
    make_slot,
    nonzero_counts,
    record_results,
    start_sending,
    subscribe,
)


@pytest.fixture
def edition_in_doubt(store: Store) -> int:
    """An edition with five deliveries: two in doubt, one sent."""
    edition_id = create_sending_edition(store, 5)
    record_results(store, edition_id, start_sending(store, edition_id, 2), DeliveryState.IN_DOUBT)
    record_results(store, edition_id, start_sending(store, edition_id, 1), DeliveryState.SENT)
    return edition_id


def resolve(store: Store, edition_id: int, *addresses: str, is_sent: bool) -> int:
    return store.resolve(edition_id, addresses, is_sent=is_sent, evidence="somebody saw the log", now=NOW)


def test_what_arrived_is_sent_with_the_word_of_who_says_so(store: Store, edition_in_doubt: int) -> None:
    assert resolve(store, edition_in_doubt, is_sent=True) == 2
    assert nonzero_counts(store, edition_in_doubt) == {DeliveryState.SENT: 3, DeliveryState.QUEUED: 2}
    assert [summary.reply for summary in store.deliveries.iter_deliveries(edition_in_doubt)][:2] == [
        "somebody saw the log"
    ] * 2


def test_one_address_is_resolved_without_the_others(store: Store, edition_in_doubt: int) -> None:
    assert resolve(store, edition_in_doubt, "PERSON1@example.org", "nobody@example.org", is_sent=True) == 1
    assert nonzero_counts(store, edition_in_doubt)[DeliveryState.IN_DOUBT] == 1


def test_what_is_sent_again_keeps_its_date(store: Store, edition_in_doubt: int) -> None:
    assert resolve(store, edition_in_doubt, is_sent=False) == 2
    assert resolve(store, edition_in_doubt, is_sent=False) == 0
    recipients = store.deliveries.claim(edition_in_doubt, 10, "worker", NOW)
    assert [recipient.message_date for recipient in recipients] == [None, None, NOW, NOW]


def test_only_doubts_are_resolved(store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    claim_ids(store, edition_id, 1)
    for is_sent in (True, False):
        assert resolve(store, edition_id, is_sent=is_sent) == 0
    assert nonzero_counts(store, edition_id) == {DeliveryState.CLAIMED: 1, DeliveryState.QUEUED: 2}


@pytest.mark.parametrize("is_done", [True, False])
def test_an_older_copys_open_deliveries_wait_for_nobody_but_a_person(
    store: Store, edition_in_doubt: int, is_done: bool
) -> None:
    claim_ids(store, edition_in_doubt, 1)
    assert store.settle_older_copy(edition_in_doubt, is_done=is_done, evidence="outbox/ has it") == 4
    expected_state = DeliveryState.SENT if is_done else DeliveryState.IN_DOUBT
    assert nonzero_counts(store, edition_in_doubt)[expected_state] == (5 if is_done else 4)
    for policy in ("resend", "hold"):
        store.deliveries.recover(policy, NOW)
    assert claim_ids(store, edition_in_doubt) == []
    assert store.deliveries.next_attempt_at(edition_in_doubt) is None


def test_a_generation_only_rises(store: Store) -> None:
    assert store.generation == 0
    assert [store.raise_generation(minimum) for minimum in (0, 0, 7, 3)] == [1, 2, 7, 8]
    assert store.generation == 8


def test_numbers_are_left_free_for_people_a_copy_does_not_know(store: Store) -> None:
    subscribe(store, make_import_rows(2))
    store.skip_ids()
    subscribe(store, ["new@example.org"])
    subscriber = store.subscribers.find("new@example.org")
    assert subscriber
    assert subscriber.id > 100_000
    assert subscriber.subscriptions[0].id > 100_000


def test_an_edition_that_went_out_elsewhere_is_adopted_once(store: Store) -> None:
    create_edition(store, day=5, posts=["taken"])
    values = {
        "window": None,
        "subject": "News",
        "post_ids": ["a", "taken"],
        "reason": "elsewhere",
        "now": NOW,
    }
    assert store.editions.import_sent(make_slot(), digest=make_digest(), **values)  # type: ignore[arg-type]  # of several kinds
    assert not store.editions.import_sent(make_slot(), digest=None, **values)  # type: ignore[arg-type]  # of several kinds
    assert store.editions.list_taken_post_ids("weekly") == {"a", "taken"}
    newest_edition = store.editions.list_all()[0]
    assert (newest_edition.state, newest_edition.subject, newest_edition.reason) == (
        EditionState.DONE,
        "News",
        "elsewhere",
    )
    assert [edition.slot for edition in store.editions.list_public()] == [make_slot(), make_slot(5)]


def test_an_edition_whose_posts_are_gone_has_no_page(store: Store) -> None:
    store.editions.import_sent(
        make_slot(), window=None, subject="News", post_ids=["a"], digest=None, reason="elsewhere", now=NOW
    )
    assert store.editions.list_public() == ()


def test_a_letter_is_replaced_only_before_anybody_was_frozen(store: Store) -> None:
    edition_id = create_edition(store)
    values = {
        "digest": make_digest(web_html="<p>mended</p>"),
        "subject": "New",
        "post_ids": ["b"],
        "reason": "",
        "now": NOW,
    }
    from_states = (EditionState.READY, EditionState.HELD)
    assert store.editions.save_message(edition_id, EditionState.READY, from_states=from_states, **values)  # type: ignore[arg-type]  # of several kinds
    assert store.editions.list_taken_post_ids("weekly") == {"b"}
    assert store.editions.list_public()[0].web_html == "<p>mended</p>"
    subscribe(store, make_import_rows(1))
    store.deliveries.freeze(edition_id, "weekly", NOW)
    store.editions.transition(edition_id, [EditionState.SENDING], EditionState.HELD, now=NOW)
    assert not store.editions.save_message(edition_id, EditionState.READY, from_states=from_states, **values)  # type: ignore[arg-type]  # of several kinds
