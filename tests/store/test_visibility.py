"""What composing remembers, on both databases; and an upgrade of a database with editions, which mails nothing more."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config

from ketapress.model.edition import Decision, EditionState, Window
from ketapress.model.visibility import PostVisibility, observe_posts
from ketapress.store.db.codes import REVISIONS, to_microseconds
from ketapress.store.db.engine import Transactions
from ketapress.store.db.migrate import migrations_folder
from ketapress.store.store import Store, _resolve_url, open_store, upgrade_database
from ketapress.store.visibility import StoredSchedule
from support.factories import NOW, post
from support.store_fixture import create_edition, decide_slots, make_slot

HOUR = timedelta(hours=1)


def test_records_and_schedules_are_saved_and_replaced_together(open_another: Callable[[], Store]) -> None:
    store = open_another()
    assert store.visibility.read_records().observed_at is None
    visible = PostVisibility("a", NOW, NOW)
    schedule = StoredSchedule("0 8 * * *", "UTC")
    store.visibility.save([visible], {"weekly": schedule}, NOW)
    hidden, changed = visible._replace(hidden_at=NOW + HOUR), schedule._replace(zone="Asia/Tokyo", since=NOW)
    store.visibility.save([hidden, PostVisibility("b", NOW, NOW)], {"weekly": changed}, NOW + HOUR)
    other = open_another()
    records = other.visibility.read_records()
    assert records.by_id == {"a": hidden, "b": PostVisibility("b", NOW, NOW)}
    assert records.observed_at == NOW + HOUR
    assert other.visibility.read_schedules() == {"weekly": changed}


def test_deciding_slots_moves_the_observation_and_the_last_composition(store: Store) -> None:
    decide_slots(store, (make_slot(5), Decision.EMPTY), posts=[])
    records = store.visibility.read_records()
    assert (records.observed_at, records.last_composed_at) == (NOW, None)
    create_edition(store)
    assert store.visibility.read_records().last_composed_at == NOW


def test_a_canceled_edition_returns_its_posts_by_name(store: Store) -> None:
    edition_id = create_edition(store, posts=["a", "b"])
    assert store.visibility.list_returned_post_ids("weekly") == frozenset()
    store.editions.cancel(edition_id, NOW, "a mistake")
    assert store.visibility.list_returned_post_ids("weekly") == {"a", "b"}
    assert store.visibility.list_returned_post_ids("daily") == frozenset()
    assert store.editions.cancel(create_edition(store, day=19, posts=["a"]), NOW, "again")


def test_an_extra_edition_is_no_last_scheduled_one(store: Store) -> None:
    create_edition(store, day=5, posts=["a"])
    slot = make_slot(8)
    store.editions.decide_slots(
        [(slot, Decision.COMPOSED)],
        window=Window(slot.at - 24 * HOUR, slot.at),
        post_ids=["b"],
        send_deadline=None,
        now=NOW,
        is_extra=True,
    )
    assert store.editions.get_newest_composed_at("weekly") == make_slot(5).at
    assert store.editions.get_newest_composed_at("weekly", before=make_slot(5).at) is None
    assert store.editions.list_post_slots("weekly") == {"a": make_slot(5), "b": slot}


def test_an_upgrade_keeps_editions_and_counts_what_was_visible_before_as_seen(
    empty_url: str, tmp_path: Path
) -> None:
    transactions = Transactions(_resolve_url(empty_url, tmp_path), durability="process")
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    with transactions.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for day, state in ((5, EditionState.DONE), (12, EditionState.READY)):
            connection.exec_driver_sql(
                "INSERT INTO editions (id, newsletter, slot_key, slot_at, decision, decided_at, state, post_ids, frozen)"
                f" VALUES ({day}, 'weekly', '2023-06-{day:02}T0800', {to_microseconds(make_slot(day).at)}, 'composed',"
                f" {to_microseconds(NOW)}, '{state}', '[\"p{day}\"]', 0)"
            )
            connection.exec_driver_sql(f"INSERT INTO edition_posts VALUES ('weekly', 'p{day}', {day})")
    transactions.close()
    assert upgrade_database(empty_url, tmp_path) == ("0002", REVISIONS[-1])
    with open_store(empty_url, tmp_path) as store:
        assert [edition.post_ids for edition in store.editions.list_all()] == [("p12",), ("p5",)]
        assert store.editions.get_newest_composed_at("weekly") == make_slot(12).at
        records = store.visibility.read_records()
        assert (records.by_id, records.observed_at) == ({}, None)
        (record,) = observe_posts([post()], records, NOW)
        assert record.since == post().published
