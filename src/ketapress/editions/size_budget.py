"""Making an edition small enough: full text, then excerpts, then headlines, oldest posts first, then "and N more"."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from ketapress.model.edition import Display, Edition, Item, Slot, Window
from ketapress.model.post import Post


def fitted(
    slot: Slot, window: Window, posts: Sequence[Post], measure: Callable[[Edition], int], max_bytes: int
) -> Edition:
    """The fullest edition whose measure is at most `max_bytes`; the newest post stays at least as a headline.

    Mostly all of it fits, and one measurement tells. Otherwise every step shows a little less than the one before, so
    the first that fits is found by bisection: about log2(3 n) measurements more for n posts.
    """

    def fits(step: int) -> bool:
        return measure(_at_step(slot, window, posts, step)) <= max_bytes

    smallest = 3 * len(posts) - 1
    step = 0 if fits(0) else bisect_left(range(smallest), True, lo=min(1, smallest), key=fits)
    return _at_step(slot, window, posts, step)


def _at_step(slot: Slot, window: Window, posts: Sequence[Post], step: int) -> Edition:
    """Step 0 shows all in full; n steps make excerpts, n more headlines, and the rest leave posts out."""
    count = len(posts)
    left_out = max(0, step - 2 * count)
    shown = [Item(post, _display(count - index, count, step)) for index, post in enumerate(posts)]
    kept = count - left_out
    return Edition(slot=slot, window=window, items=tuple(shown[:kept]), more=tuple(posts[kept:]))


def _display(age_rank: int, count: int, step: int) -> Display:
    """How much of a post is shown at a step; `age_rank` is 1 for the oldest."""
    if step >= count + age_rank:
        return Display.HEADLINE
    return Display.EXCERPT if step >= age_rank else Display.FULL
