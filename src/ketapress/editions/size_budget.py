"""Make an edition small enough: full text, then excerpts, then headlines, oldest posts first, then "and N more"."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from ketapress.model.edition import Display, Edition, EditionItem, Slot, Window
from ketapress.model.post import Post


def fit_to_size(
    slot: Slot, window: Window, posts: Sequence[Post], measure: Callable[[Edition], int], max_bytes: int
) -> Edition:
    """Return the fullest edition of at most `max_bytes`. The newest post is kept, at least as a headline.

    Usually everything fits, which one measurement shows. Otherwise each step shows a little less than the one before, and
    the first that fits is found by bisection, with about log2(3 n) more measurements for n posts.
    """

    def is_within_limit(step: int) -> bool:
        return measure(_edition_at_step(slot, window, posts, step)) <= max_bytes

    last_step = 3 * len(posts) - 1
    step = (
        0
        if is_within_limit(0)
        else bisect_left(range(last_step), True, lo=min(1, last_step), key=is_within_limit)
    )
    return _edition_at_step(slot, window, posts, step)


def _edition_at_step(slot: Slot, window: Window, posts: Sequence[Post], step: int) -> Edition:
    """Return the edition at a step: 0 shows all in full, n steps make excerpts, n more headlines, then posts are left out."""
    count = len(posts)
    overflow_count = max(0, step - 2 * count)
    items = [
        EditionItem(post, _display_at_step(count - index, count, step)) for index, post in enumerate(posts)
    ]
    item_count = count - overflow_count
    return Edition(
        slot=slot, window=window, items=tuple(items[:item_count]), overflow=tuple(posts[item_count:])
    )


def _display_at_step(age_rank: int, count: int, step: int) -> Display:
    """Return how much of a post is shown at a step; `age_rank` is 1 for the oldest."""
    if step >= count + age_rank:
        return Display.HEADLINE
    return Display.EXCERPT if step >= age_rank else Display.FULL
