"""The date that readers see is the author's; when a post was first visible decides about editions only."""

from datetime import timedelta
from pathlib import Path

import pytest

from ketapress.editions.selection import select_posts
from ketapress.model.edition import Window
from ketapress.model.post import visible_posts
from ketapress.model.settings import Settings
from ketapress.posts.identity.registry_text import TRACKED_REGISTRY
from ketapress.posts.library import Library
from support.factories import settings
from support.posts_folder import load_and_save_ids, utc, write_publication

START = utc("2023-01-01T09:00:00")
LATER = utc("2023-01-05T12:00:00")
FIRST_SEEN = settings(posts=settings().posts._replace(dates="first seen"))


def source(day: str, text: str = "Text.", **header: str) -> str:
    lines = "".join(f"{name}: {value}\n" for name, value in header.items())
    return f"---\ndate: {day}\n{lines}---\n\n{text}\n"


SERIES = {
    f"part-{number}.md": source(f"2023-01-0{day}", f"Part {number}.")
    for number, day in ((1, 3), (2, 4), (3, 5))
}


def build_series(root: Path) -> Library:
    load_and_save_ids(write_publication(root, {"old.md": source("2022-12-01")}), START)
    return load_and_save_ids(write_publication(root, SERIES), LATER)


def test_a_series_published_at_once_has_the_author_s_dates_in_the_author_s_order(tmp_path: Path) -> None:
    visible = visible_posts(build_series(tmp_path).posts, LATER)
    assert [post.path for post in visible] == ["part-3.md", "part-2.md", "part-1.md", "old.md"]
    assert [post.published for post in visible[:3]] == [post.date for post in visible[:3]]
    assert [post.edition_date for post in visible[:3]] == [LATER] * 3
    assert len({post.updated for post in visible}) == 4


def test_a_late_post_is_in_the_window_in_which_it_was_first_seen(tmp_path: Path) -> None:
    posts = build_series(tmp_path).posts
    window = Window(start=LATER - timedelta(hours=1), end=LATER + timedelta(hours=1))
    assert len(select_posts(posts, window, (), ())) == 3
    assert select_posts(posts, Window(start=START, end=LATER - timedelta(hours=1)), (), ()) == ()


def test_posts_of_one_instant_are_in_the_order_of_their_paths_backwards(tmp_path: Path) -> None:
    files = {
        f"{name}.md": source("2023-01-01 08:00", f"Of {name}.", id=f"urn:x:{9 - i}")
        for i, name in enumerate("abc")
    }
    visible = visible_posts(load_and_save_ids(write_publication(tmp_path, files), START).posts, START)
    assert [post.path for post in visible] == ["c.md", "b.md", "a.md"]


def test_an_edited_date_moves_the_post(tmp_path: Path) -> None:
    load_and_save_ids(write_publication(tmp_path, {"a.md": source("2022-12-01")}), START)
    post = load_and_save_ids(write_publication(tmp_path, {"a.md": source("2022-12-20")}), LATER).posts[0]
    assert post.published == post.date
    assert post.edition_date == utc("2022-12-01T06:00:00")
    assert post.updated >= post.published


@pytest.mark.parametrize("day", ["2022-12-31", "2023-01-01", "2023-01-03", "2023-01-05"])
def test_updated_is_never_before_published(tmp_path: Path, day: str) -> None:
    load_and_save_ids(write_publication(tmp_path, {"a.md": source("2022-12-01")}), START)
    files = {f"{number}.md": source(day, f"Number {number}.") for number in range(30)}
    for post in load_and_save_ids(write_publication(tmp_path, {"a.md": source(day), **files}), LATER).posts:
        assert post.published is not None
        assert post.updated >= post.published


def test_a_build_without_the_ids_file_gives_the_same_dates(tmp_path: Path) -> None:
    first = build_series(tmp_path)
    (tmp_path / TRACKED_REGISTRY).unlink()
    again = load_and_save_ids(tmp_path, LATER + timedelta(days=3))
    assert [(post.published, post.updated) for post in again.posts] == [
        (post.published, post.updated) for post in first.posts
    ]


def test_a_setting_keeps_the_dates_at_which_posts_were_first_seen(tmp_path: Path) -> None:
    load_and_save_ids(write_publication(tmp_path, {"old.md": source("2022-12-01")}), START, FIRST_SEEN)
    library = load_and_save_ids(write_publication(tmp_path, SERIES), LATER, FIRST_SEEN)
    assert [post.published for post in library.posts if post.path != "old.md"] == [LATER] * 3
    by_author = load_and_save_ids(tmp_path, LATER).posts
    assert [post.published for post in by_author] == [post.date for post in by_author]


@pytest.mark.parametrize("using", [settings(), FIRST_SEEN])
def test_a_date_in_the_future_withdraws_a_post_until_then(tmp_path: Path, using: Settings) -> None:
    before = load_and_save_ids(
        write_publication(tmp_path, {"a.md": source("2022-12-01")}), START, using
    ).posts[0]
    library = load_and_save_ids(write_publication(tmp_path, {"a.md": source("2023-01-09")}), LATER, using)
    assert [problem.code for problem in library.problems] == ["post.withdrawn"]
    assert not library.posts[0].visible(LATER)
    assert library.posts[0].id == before.id
    due = utc("2023-01-09T06:00:00")
    after = load_and_save_ids(tmp_path, due + timedelta(hours=5), using)
    assert after.problems == ()
    assert after.posts[0].visible(due)
    assert (after.posts[0].id, after.posts[0].edition_date) == (before.id, due)
