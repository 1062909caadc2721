"""Editions: a slot is decided once, a state changes only from the expected one, message templates stay unchanged."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import PUBLIC_STATES, Decision, EditionState
from ketapress.model.message import FieldEncoding, MergeField, MessageTemplate
from ketapress.store.editions import AlreadyDecidedError
from ketapress.store.statements.message_codec import decode_message, encode_message
from ketapress.store.store import Store
from support.factories import NOW
from support.store_fixture import (
    MESSAGE_TEMPLATE,
    create_building_edition,
    create_edition,
    create_sending_edition,
    decide_slots,
    expire_leases,
    make_digest,
    make_slot,
    nonzero_counts,
    record_results,
    start_sending,
)


def test_slots_are_decided_together(store: Store) -> None:
    edition_id = decide_slots(
        store, (make_slot(5), Decision.MERGED), (make_slot(12), Decision.COMPOSED), posts=["b", "a"]
    )
    assert store.editions.get_newest_decided_slot("weekly") == make_slot(12)
    assert [
        (stored_slot.slot, stored_slot.decision, stored_slot.state)
        for stored_slot in store.editions.list_all()
    ] == [
        (make_slot(12), Decision.COMPOSED, EditionState.BUILDING),
        (make_slot(5), Decision.MERGED, None),
    ]
    stored_edition = store.editions.get("weekly", "2023-06-12T0800")
    assert stored_edition
    assert (
        stored_edition.id,
        stored_edition.post_ids,
        stored_edition.window and stored_edition.window.end,
    ) == (
        edition_id,
        ("b", "a"),
        make_slot(12).at,
    )
    assert stored_edition.send_deadline == make_slot(12).at + timedelta(days=1)


def test_the_keys_decided_lately_are_known_whatever_became_of_them(store: Store) -> None:
    decide_slots(store, (make_slot(5), Decision.MERGED), (make_slot(12), Decision.EMPTY), posts=[])
    assert store.editions.list_slot_keys_since("weekly", make_slot(5).at) == {
        make_slot(5).key,
        make_slot(12).key,
    }
    assert store.editions.list_slot_keys_since("weekly", make_slot(12).at) == {make_slot(12).key}
    assert store.editions.list_slot_keys_since("daily", make_slot(5).at) == frozenset()


def test_a_slot_without_news_is_decided_too(store: Store) -> None:
    assert decide_slots(store, (make_slot(12), Decision.EMPTY), posts=[]) is None
    assert store.editions.get_newest_decided_slot("weekly") == make_slot(12)
    assert store.editions.get_newest_composed_at("weekly") is None
    assert store.editions.claim_interrupted() == ()


def test_newsletters_know_nothing_of_each_other(store: Store) -> None:
    create_edition(store, newsletter="weekly")
    assert store.editions.get_newest_decided_slot("daily") is None
    assert store.editions.list_taken_post_ids("daily") == frozenset()
    assert store.editions.list_all("daily") == ()
    assert create_building_edition(store, newsletter="daily")


def test_a_slot_that_was_decided_stays_as_it_was(store: Store) -> None:
    create_edition(store, day=12)
    with pytest.raises(AlreadyDecidedError, match="weekly/2023-06-12T0800"):
        decide_slots(store, (make_slot(11), Decision.MERGED), (make_slot(12), Decision.COMPOSED), posts=["b"])
    assert [edition.slot for edition in store.editions.list_all()] == [make_slot(12)]
    assert store.editions.list_taken_post_ids("weekly") == {"a"}


def test_a_post_is_in_one_edition_of_a_newsletter(store: Store) -> None:
    create_edition(store, day=12, posts=["a"])
    with pytest.raises(AlreadyDecidedError):
        create_building_edition(store, day=19, posts=["a"])
    assert store.editions.get_newest_decided_slot("weekly") == make_slot(12)


def test_of_many_schedulers_that_fire_at_once_one_decides(open_another: Callable[[], Store]) -> None:
    stores = [open_another() for _ in range(5)]

    def is_winner(store: Store) -> bool:
        try:
            return bool(create_building_edition(store, posts=["a"]))
        except AlreadyDecidedError:
            return False

    with ThreadPoolExecutor(len(stores)) as schedulers:
        assert sum(schedulers.map(is_winner, stores)) == 1
    assert len(stores[0].editions.list_all()) == 1


def test_what_was_left_unfinished_is_found(open_another: Callable[[], Store]) -> None:
    edition_id = create_building_edition(open_another(), posts=["a", "b"])
    successor = open_another()
    expire_leases(successor)
    interrupted = successor.editions.claim_interrupted()
    assert [
        (interrupted_edition.id, interrupted_edition.post_ids, interrupted_edition.state)
        for interrupted_edition in interrupted
    ] == [(edition_id, ("a", "b"), EditionState.BUILDING)]


def test_a_finished_edition_has_its_letter(store: Store) -> None:
    edition_id = create_edition(store)
    assert store.editions.get_message_template(edition_id) == MESSAGE_TEMPLATE
    assert store.editions.claim_interrupted() == ()
    stored_edition = store.editions.get("weekly", "2023-06-12T0800")
    assert stored_edition
    assert (stored_edition.state, stored_edition.subject, stored_edition.sizes) == (
        EditionState.READY,
        "News",
        {"html": 11, "text": 4},
    )


def test_an_edition_is_finished_once(store: Store) -> None:
    edition_id = create_edition(store, state=EditionState.HELD)
    is_saved = store.editions.save_message(
        edition_id, EditionState.READY, subject="x", digest=make_digest(), post_ids=["a"], reason="", now=NOW
    )
    assert not is_saved
    assert [stored_edition.state for stored_edition in store.editions.list_all()] == [EditionState.HELD]


def test_finishing_keeps_the_posts_that_are_really_in_it(store: Store) -> None:
    edition_id = create_building_edition(store, posts=["a", "gone"])
    store.editions.save_message(
        edition_id, EditionState.READY, subject="", digest=make_digest(), post_ids=["a"], reason="", now=NOW
    )
    assert store.editions.list_taken_post_ids("weekly") == {"a"}


def test_a_state_moves_only_from_where_it_is(store: Store) -> None:
    edition_id = create_edition(store)
    assert not store.editions.transition(edition_id, [EditionState.HELD], EditionState.READY, now=NOW)
    assert store.editions.transition(
        edition_id, [EditionState.READY], EditionState.HELD, reason="looks odd", now=NOW
    )
    stored_edition = store.editions.get("weekly", "2023-06-12T0800")
    assert stored_edition
    assert (stored_edition.state, stored_edition.reason) == (EditionState.HELD, "looks odd")
    assert store.editions.transition(edition_id, [EditionState.HELD], EditionState.READY, now=NOW)
    assert store.editions.list_all()[0].reason == ""


def test_there_is_no_edition_that_was_never_decided(store: Store) -> None:
    assert store.editions.get("weekly", "2023-06-12T0800") is None
    assert not store.editions.transition(1, list(EditionState), EditionState.DONE, now=NOW)
    assert not store.editions.cancel(1, NOW, "")


@pytest.mark.parametrize("state", [state for state in EditionState if state is not EditionState.BUILDING])
def test_only_public_editions_have_a_page(store: Store, state: EditionState) -> None:
    create_edition(store, state=state)
    assert [edition.web_html for edition in store.editions.list_public()] == (
        ["<p>page</p>"] if state in PUBLIC_STATES else []
    )
    assert [edition.web_html for edition in store.editions.list_all()] == [""]


def test_what_is_ready_is_sent_oldest_slot_first_and_not_before_its_slot(store: Store) -> None:
    create_edition(store, day=19, posts=["b"])
    create_edition(store, day=12, posts=["a"])
    create_edition(store, day=5, posts=["c"], state=EditionState.HELD)
    assert [edition.slot.at.day for edition in store.editions.list_sendable(make_slot(19).at)] == [12, 19]
    assert [edition.slot.at.day for edition in store.editions.list_sendable(NOW)] == [12]
    assert [edition.slot.at.day for edition in store.editions.list_public()] == [19, 12]


@pytest.mark.parametrize("state", [EditionState.READY, EditionState.HELD, EditionState.AWAITING_APPROVAL])
def test_an_edition_that_is_cancelled_in_time_gives_its_posts_back(store: Store, state: EditionState) -> None:
    edition_id = create_edition(store, state=state)
    assert store.editions.cancel(edition_id, NOW, "a mistake")
    assert store.editions.list_taken_post_ids("weekly") == frozenset()
    assert store.editions.get_newest_composed_at("weekly") is None
    assert store.editions.get_newest_decided_slot("weekly") == make_slot(12)
    assert not store.editions.cancel(edition_id, NOW, "twice")
    assert create_building_edition(store, day=19, posts=["a"])


def test_cancelling_while_it_is_made_leaves_nothing_to_finish(store: Store) -> None:
    edition_id = create_building_edition(store)
    assert store.editions.cancel(edition_id, NOW, "its posts are gone")
    assert not store.editions.save_message(
        edition_id, EditionState.READY, subject="", digest=make_digest(), post_ids=["a"], reason="", now=NOW
    )


def test_cancelling_before_any_message_left_ends_what_waits(store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    record_results(
        store, edition_id, start_sending(store, edition_id, 1), DeliveryState.DEFERRED, next_at=NOW
    )
    assert store.editions.cancel(edition_id, NOW, "a mistake")
    assert nonzero_counts(store, edition_id) == {DeliveryState.CANCELLED: 3}
    assert store.editions.list_taken_post_ids("weekly") == frozenset()


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.IN_DOUBT])
def test_cancelling_after_a_message_may_have_left_keeps_the_posts(store: Store, state: DeliveryState) -> None:
    edition_id = create_sending_edition(store, 3)
    record_results(store, edition_id, start_sending(store, edition_id, 1), state, next_at=NOW)
    assert store.editions.cancel(edition_id, NOW, "too late")
    assert nonzero_counts(store, edition_id) == {state: 1, DeliveryState.CANCELLED: 2}
    assert store.editions.list_taken_post_ids("weekly") == {"a"}
    assert store.editions.get_newest_composed_at("weekly") == make_slot(12).at
    assert store.deliveries.next_attempt_at(edition_id) is None


segments = st.lists(st.binary(max_size=50), min_size=1, max_size=6)


@given(segments, st.text(max_size=20), st.sampled_from(FieldEncoding))
def test_every_letter_comes_back_as_it_was(
    byte_strings: list[bytes], name: str, encoding: FieldEncoding
) -> None:
    template = MessageTemplate(
        key="ab12",
        segments=tuple(byte_strings),
        merge_fields=(MergeField(name, encoding),) * (len(byte_strings) - 1),
    )
    assert decode_message(encode_message(template)) == template


def test_states_are_those_of_editions_and_not_of_empty_slots(store: Store) -> None:
    edition_id = create_building_edition(store)
    assert store.editions.list_states() == ((edition_id, EditionState.BUILDING),)
    store.editions.cancel(edition_id, NOW, "")
    assert store.editions.list_states() == ((edition_id, EditionState.CANCELLED),)
