"""An edition within its limit: full texts, excerpts, headlines, and a count; oldest posts first."""

from hypothesis import given, settings, strategies as st

from ketapress.editions.size_budget import fit_to_size
from ketapress.model.edition import Display, Edition
from support.factories import edition, post

SIZES = {Display.FULL: 100, Display.EXCERPT: 30, Display.HEADLINE: 5}
POSTS = [post(name) for name in ("newest", "second", "third", "oldest")]
SLOT, WINDOW = edition().slot, edition().window


def measure(edition: Edition) -> int:
    return 10 + sum(SIZES[item.display] for item in edition.items)


def fit(limit: int) -> str:
    edition = fit_to_size(SLOT, WINDOW, POSTS, measure, limit)
    return "".join(item.display[0] for item in edition.items) + "+" * len(edition.overflow)


def test_everything_in_full_where_there_is_room() -> None:
    assert fit(410) == "ffff"


def test_the_oldest_posts_give_way_first() -> None:
    assert fit(409) == "fffe"
    assert fit(200) == "feee"
    assert fit(129) == "eeeh"
    assert fit(30) == "hhhh"
    assert fit(20) == "hh++"


def test_the_newest_post_always_has_its_headline() -> None:
    assert fit(1) == "h+++"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=30), st.integers(10, 4000))
def test_it_is_the_fullest_that_fits(names: list[int], limit: int) -> None:
    posts = [post(f"p{index}") for index, _ in enumerate(names)] or [post()]
    calls: list[int] = []

    def count_calls(edition: Edition) -> int:
        calls.append(measure(edition))
        return calls[-1]

    edition = fit_to_size(SLOT, WINDOW, posts, count_calls, limit)
    assert measure(edition) <= limit or len(edition.items) == 1
    assert len(edition.posts) == len(posts)
    assert len(calls) <= (3 * len(posts)).bit_length() + 1
