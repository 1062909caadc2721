"""Which posts an edition holds, and why the others are not in it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ketapress.editions.selection import exclusion_reason, select_posts
from ketapress.model.edition import Window
from support.factories import post

UNTIL = datetime(2023, 6, 12, 8, tzinfo=UTC)
WINDOW = Window(UNTIL - timedelta(days=7), UNTIL)


def test_posts_of_the_window_newest_first() -> None:
    older = post("older", date=UNTIL - timedelta(days=5))
    newer = post("newer", date=UNTIL - timedelta(days=1))
    before = post("before", date=UNTIL - timedelta(days=8))
    after = post("after", date=UNTIL + timedelta(minutes=1))
    assert select_posts([older, after, newer, before], WINDOW, (), ()) == (newer, older)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"draft": True}, "draft"),
        ({"hold": True}, "hold"),
        ({"in_editions": False}, "too old"),
        ({"expires": UNTIL - timedelta(hours=1)}, "expired"),
        ({"published": None, "date": UNTIL + timedelta(days=1)}, "after this slot"),
        ({"date": UNTIL - timedelta(days=9)}, "before this window"),
        ({"tags": ("other",)}, "none of the tags"),
    ],
)
def test_what_keeps_a_post_out_is_said(values: dict[str, Any], reason: str) -> None:
    candidate = post(**values)
    why = exclusion_reason(candidate, WINDOW, (), ("news",) if "tags" in values else ())
    assert why
    assert reason in why
    assert select_posts([candidate], WINDOW, (), ("news",) if "tags" in values else ()) == ()


def test_a_post_goes_out_once() -> None:
    again = post()
    assert select_posts([again], WINDOW, {again.id}, ()) == ()
    assert exclusion_reason(again, WINDOW, {again.id}, ()) == "went out in an earlier edition"


def test_one_of_the_tags_is_enough() -> None:
    tagged = post(tags=("news", "health"))
    assert select_posts([tagged], WINDOW, (), ("health", "law")) == (tagged,)
