"""Importing, adding, removing and exporting subscribers: every line of a list is counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ketapress.model.errors import UsageError
from ketapress.model.subscriber import ImportResult, RejectedRow, SubscriptionState
from ketapress.store.store import Store, open_store
from ketapress.subscribe import (
    add_subscribers,
    erase_subscriber,
    export_subscribers,
    find_by_subscription,
    get_subscriber,
    get_subscriber_history,
    import_subscribers,
    remove_subscriber,
    select_newsletters,
    unsubscribe,
)
from support.factories import NOW, WEEKLY, settings

TWO_NEWSLETTERS = {"weekly": WEEKLY, "daily": WEEKLY}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store("sqlite:///ketapress.db", tmp_path, durability="process") as store:
        yield store


def make_csv_with_five_bad_lines() -> bytes:
    lines = [b"address,name"] + [
        f"person{number}@example.org,Person {number}".encode() for number in range(50)
    ]
    for index, bad_line in {
        3: b"person at example.org",
        11: b"",
        20: b'"person20@example.org,Person',
        30: b"person30@example.org,P\xe9rson",
        41: b"per son@example.org,Person",
        50: b"@example.org,Nobody",
    }.items():
        lines[index] = bad_line
    return b"\r\n".join(lines)


def test_fifty_lines_of_which_five_are_broken(store: Store) -> None:
    result = import_subscribers(
        store, make_csv_with_five_bad_lines(), settings(), ["weekly"], "list.csv", NOW
    )
    assert (result.added, result.updated, result.unchanged) == (44, 0, 0)
    assert [row.line for row in result.refused] == [4, 21, 31, 42, 51]
    second_result = import_subscribers(
        store, make_csv_with_five_bad_lines(), settings(), ["weekly"], "list.csv", NOW
    )
    assert (second_result.added, second_result.unchanged, len(second_result.refused)) == (0, 44, 5)


def test_lines_that_do_not_parse_and_people_who_left_are_refused_in_the_order_of_the_list(
    store: Store,
) -> None:
    add_subscribers(store, ["left@example.org"], ["weekly"], "ops", NOW)
    remove_subscriber(store, "left@example.org", None, "ops", NOW)
    result = import_subscribers(
        store, b"left@example.org\nbroken\nnew@example.org\n", settings(), ["weekly"], "ops", NOW
    )
    assert result.added == 1
    assert [(row.line, row.value) for row in result.refused] == [(1, "left@example.org"), (2, "broken")]


def test_a_dry_run_of_an_import_writes_nothing(store: Store) -> None:
    assert import_subscribers(
        store, b"ada@example.org", settings(), ["weekly"], "ops", NOW, dry_run=True
    ) == ImportResult(added=1)
    assert store.subscribers.counts() == {}


def test_people_are_added_with_or_without_a_name(store: Store) -> None:
    assert add_subscribers(store, ["Ada <ada@example.org>"], ["weekly"], "ops", NOW) == ImportResult(added=1)
    assert add_subscribers(store, ["bob@example.org"], ["weekly"], "ops", NOW) == ImportResult(added=1)
    assert (get_subscriber(store, "ADA@example.org").name, get_subscriber(store, "bob@example.org").name) == (
        "Ada",
        "",
    )


def test_adding_somebody_who_left_is_refused_with_the_reason(store: Store) -> None:
    add_subscribers(store, ["ada@example.org"], ["weekly"], "ops", NOW)
    assert remove_subscriber(store, "ada@example.org", "weekly", "ops", NOW) == 1
    reason = "unsubscribed from weekly on 2023-06-12; only the subscriber can undo that"
    assert add_subscribers(store, ["ada@example.org"], ["weekly"], "ops", NOW).refused == (
        RejectedRow(None, "ada@example.org", reason),
    )


def test_what_is_no_address_is_refused_and_the_others_are_added(store: Store) -> None:
    result = add_subscribers(store, ["ada at example", "bob@example.org"], ["weekly"], "ops", NOW)
    assert result == ImportResult(
        added=1,
        refused=(RejectedRow(None, "ada at example", "it is not of the form `Name <name@example.org>`"),),
    )


def test_an_export_can_be_imported_elsewhere_without_those_who_left(store: Store, tmp_path: Path) -> None:
    import_subscribers(
        store, b"ada@example.org,Ada\nbob@example.org,=Bob\n", settings(), ["weekly"], "ops", NOW
    )
    remove_subscriber(store, "ada@example.org", None, "ops", NOW)
    csv_data = "".join(export_subscribers(store, None)).encode()
    (tmp_path / "elsewhere").mkdir()
    with open_store("sqlite:///ketapress.db", tmp_path / "elsewhere") as other_store:
        result = import_subscribers(other_store, csv_data, settings(), ["weekly"], "ops", NOW)
        assert (result.added, [row.value for row in result.refused]) == (1, ["ada@example.org"])
        assert get_subscriber(other_store, "bob@example.org").name == "=Bob"


def test_an_export_may_be_of_one_newsletter(store: Store) -> None:
    add_subscribers(store, ["ada@example.org"], ["weekly"], "ops", NOW)
    add_subscribers(store, ["bob@example.org"], ["daily"], "ops", NOW)
    assert len(list(export_subscribers(store, "daily"))) == 2


def test_nobody_is_removed_erased_or_looked_up_who_was_never_there(store: Store) -> None:
    for action in (
        lambda: get_subscriber(store, "ada@example.org"),
        lambda: get_subscriber_history(store, "ada@example.org"),
        lambda: remove_subscriber(store, "ada@example.org", None, "ops", NOW),
        lambda: erase_subscriber(store, "ada@example.org", "ops", NOW),
    ):
        with pytest.raises(UsageError, match=r"there is no subscriber with the address 'ada@example.org'"):
            action()


def test_a_person_is_removed_and_erased(store: Store) -> None:
    add_subscribers(store, ["ada@example.org"], ["weekly"], "ops", NOW)
    remove_subscriber(store, "ada@example.org", None, "ops", NOW)
    assert [history_event.kind for history_event in get_subscriber_history(store, "ada@example.org")] == [
        "added",
        "left",
    ]
    assert store.subscribers.counts() == {("weekly", SubscriptionState.LEFT): 1}
    erase_subscriber(store, "ada@example.org", "ops", NOW)
    assert store.subscribers.counts() == {}


def test_the_only_newsletter_need_not_be_named() -> None:
    assert select_newsletters(settings(), []) == ("weekly",)
    assert select_newsletters(settings(newsletters=TWO_NEWSLETTERS), ["daily", "weekly", "daily"]) == (
        "daily",
        "weekly",
    )


@pytest.mark.parametrize(
    ("newsletters", "names", "message"),
    [
        (TWO_NEWSLETTERS, [], "no newsletter is selected; ketapress.toml has weekly, daily"),
        (TWO_NEWSLETTERS, ["weakly"], "there is no newsletter `weakly`; ketapress.toml has weekly, daily"),
        ({}, [], "ketapress.toml has none yet"),
    ],
)
def test_a_newsletter_has_to_be_one_that_there_is(
    newsletters: dict[str, object], names: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        select_newsletters(settings(newsletters=newsletters), names)


def test_a_line_that_names_its_newsletter_is_about_that_one_alone(store: Store) -> None:
    two_newsletters = settings(newsletters=TWO_NEWSLETTERS)
    csv_data = b"address,newsletter\nann@example.org,daily\nbob@example.org,weekly\neve@example.org,hourly\n"
    result = import_subscribers(store, csv_data, two_newsletters, [], "ops", NOW)
    assert (result.added, [refusal.line for refusal in result.refused]) == (2, [4])
    assert [
        subscription.newsletter for subscription in get_subscriber(store, "ann@example.org").subscriptions
    ] == ["daily"]
    second_result = import_subscribers(store, csv_data, two_newsletters, ["weekly"], "ops", NOW)
    assert (second_result.unchanged, [refusal.line for refusal in second_result.refused]) == (1, [2, 4])


def test_lines_that_name_no_newsletter_need_to_be_told_which_of_two(store: Store) -> None:
    with pytest.raises(UsageError, match="--newsletter"):
        import_subscribers(store, b"ann@example.org\n", settings(newsletters=TWO_NEWSLETTERS), [], "ops", NOW)


def test_a_reader_leaves_by_a_link_once_and_for_all(store: Store) -> None:
    add_subscribers(store, ["ada@example.org"], ["weekly", "daily"], "ops", NOW)
    subscriber = get_subscriber(store, "ada@example.org")
    ids = [subscription.id for subscription in subscriber.subscriptions]
    assert find_by_subscription(store, ids[0]) == subscriber
    assert unsubscribe(store, ids, NOW) == 2
    assert unsubscribe(store, [*ids, 999], NOW) == 0
    assert {
        subscription.state for subscription in get_subscriber(store, "ada@example.org").subscriptions
    } == {SubscriptionState.LEFT}
    assert find_by_subscription(store, 999) is None
