"""The posts of an edition, and why others are excluded."""

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
        ({"published": None, "date": UNTIL + timedelta(days=1)}, "after this window"),
        ({"date": UNTIL - timedelta(days=9)}, "before this window"),
        ({"tags": ("other",)}, "none of the tags"),
    ],
)
def test_what_keeps_a_post_out_is_said(values: dict[str, Any], reason: str) -> None:
    candidate = post(**values)
    exclusion = exclusion_reason(candidate, WINDOW, (), ("news",) if "tags" in values else ())
    assert exclusion
    assert reason in exclusion
    assert select_posts([candidate], WINDOW, (), ("news",) if "tags" in values else ()) == ()


def test_a_post_goes_out_once() -> None:
    sent = post()
    assert select_posts([sent], WINDOW, {sent.id}, ()) == ()
    assert exclusion_reason(sent, WINDOW, {sent.id}, ()) == "was sent in an earlier edition"


def test_one_of_the_tags_is_enough() -> None:
    candidate = post(tags=("news", "health"))
    assert select_posts([candidate], WINDOW, (), ("health", "law")) == (candidate,)
