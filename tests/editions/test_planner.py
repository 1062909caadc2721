"""The plan for due slots: one edition after downtime, nothing before the start, nothing twice."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ketapress.editions.planner import History, has_long_gap, initial_state, list_recent_slots, plan_due_slots
from ketapress.editions.slots import list_slots
from ketapress.model.edition import Decision, EditionState
from ketapress.model.settings import Schedule
from support.factories import NOW, WEEKLY, post

SLOT = datetime(2023, 6, 12, 8, tzinfo=UTC)
WEEK = timedelta(days=7)


def test_nothing_is_due_before_the_first_slot() -> None:
    assert (
        plan_due_slots(
            WEEKLY, "UTC", [post()], History(newest_decided=SLOT - WEEK), SLOT - timedelta(minutes=1)
        )
        is None
    )


def test_the_slot_is_due_at_its_minute_with_the_posts_since_the_start() -> None:
    plan = plan_due_slots(WEEKLY, "UTC", [post()], History(newest_decided=SLOT - WEEK), SLOT)
    assert plan
    assert plan.decisions == ((plan.slot, Decision.COMPOSED),)
    assert plan.slot.edition == "weekly/2023-06-12T0800"
    assert plan.window.start == datetime(2023, 6, 5, tzinfo=UTC)
    assert plan.posts == (post(),)


def test_a_decided_slot_is_not_due_again() -> None:
    assert plan_due_slots(WEEKLY, "UTC", [post()], History(newest_decided=SLOT), NOW) is None


@pytest.mark.parametrize(("weeks", "count"), [(0, 1), (1, 2), (5, 6)])
def test_after_downtime_there_is_one_edition_with_everything(weeks: int, count: int) -> None:
    plan = plan_due_slots(WEEKLY, "UTC", [post("a"), post("b")], History(), NOW + weeks * WEEK)
    assert plan
    assert [decision for _, decision in plan.decisions] == [Decision.MERGED] * count + [Decision.COMPOSED]
    assert len(plan.posts) == 2


def test_a_slot_with_nothing_new_is_empty_and_the_next_one_looks_back_further() -> None:
    plan = plan_due_slots(WEEKLY, "UTC", [], History(newest_decided=SLOT - WEEK), NOW)
    assert plan
    assert plan.decisions[-1][1] is Decision.EMPTY
    after = plan_due_slots(WEEKLY, "UTC", [post()], History(newest_decided=SLOT), NOW + WEEK)
    assert after
    assert after.posts == (post(),)


def test_nothing_before_the_start_goes_out() -> None:
    newsletter = WEEKLY._replace(starts=date(2023, 6, 8))
    plan = plan_due_slots(newsletter, "UTC", [post()], History(), NOW)
    assert plan
    assert plan.decisions == ((plan.slot, Decision.EMPTY),)


def test_a_clock_set_back_makes_nothing_due() -> None:
    assert (
        plan_due_slots(WEEKLY, "UTC", [post()], History(newest_decided=SLOT), SLOT - timedelta(hours=3))
        is None
    )


def test_a_zone_changed_after_the_slot_does_not_make_the_same_minute_due_again() -> None:
    history = History(newest_decided=SLOT, decided_keys=frozenset({"2023-06-12T0800"}))
    newsletter = WEEKLY._replace(schedule=Schedule("daily 08:00", "0 8 * * *"))
    assert (
        plan_due_slots(newsletter, "America/New_York", [post()], history, SLOT + timedelta(hours=20)) is None
    )
    plan = plan_due_slots(newsletter, "America/New_York", [post()], history, SLOT + timedelta(hours=30))
    assert plan
    assert plan.slot.key == "2023-06-13T0800"


def test_an_earlier_hour_written_after_the_slot_is_not_due_before_the_next_day() -> None:
    history = History(newest_decided=SLOT, decided_keys=frozenset({"2023-06-12T0800"}))
    newsletter = WEEKLY._replace(schedule=Schedule("daily 07:30", "30 7 * * *"))
    assert plan_due_slots(newsletter, "UTC", [post()], history, SLOT + timedelta(hours=23)) is None


@pytest.mark.parametrize(("days", "has_gap"), [(40, False), (60, False), (70, True), (3650, True)])
def test_after_a_very_long_silence_a_person_is_asked_first(days: int, has_gap: bool) -> None:
    history, now = History(newest_decided=SLOT), SLOT + timedelta(days=days)
    plan = plan_due_slots(WEEKLY, "UTC", [post()], history, now)
    assert plan
    assert has_long_gap(plan, history, now) is has_gap
    assert not has_long_gap(plan, History(), now)


def test_an_edition_may_go_out_by_itself_until_the_next_slot_or_send_within() -> None:
    plan = plan_due_slots(WEEKLY, "UTC", [post()], History(), NOW)
    assert plan
    assert plan.send_deadline == SLOT + WEEK
    plan = plan_due_slots(WEEKLY._replace(send_within=timedelta(hours=2)), "UTC", [post()], History(), NOW)
    assert plan
    assert plan.send_deadline == SLOT + timedelta(hours=2)


def test_it_begins_ready_or_waits_for_a_person() -> None:
    assert initial_state(WEEKLY, SLOT + WEEK, NOW) == (EditionState.READY, "")
    assert initial_state(WEEKLY, SLOT, NOW)[0] is EditionState.HELD
    assert (
        initial_state(WEEKLY._replace(approval="one"), SLOT + WEEK, NOW)[0] is EditionState.AWAITING_APPROVAL
    )


@pytest.mark.parametrize(
    "cron", ["0 * * * *", "*/30 9-17 * * mon-fri", "0 8 * * *", "0 8 1 * *", "0 0 29 2 *"]
)
@pytest.mark.parametrize("days", [1, 9, 40, 400, 4000])
def test_of_many_due_slots_the_first_and_the_recent_ones_are_listed(cron: str, days: int) -> None:
    after = NOW - timedelta(days=days)
    all_slots = list_slots("weekly", cron, "Europe/Berlin", after, NOW)
    slots = list_recent_slots("weekly", cron, "Europe/Berlin", after, NOW)
    assert slots[:1] == all_slots[:1]
    assert slots[1:] == all_slots[len(all_slots) - len(slots) + 1 :]
    old_count = sum(slot.at < all_slots[-1].at - timedelta(hours=27) for slot in slots)
    assert slots == all_slots or old_count > 100
