"""The same title and words twice: published once, and named."""

from datetime import timedelta
from pathlib import Path

import pytest

from ketapress.posts.library import Library
from support.factories import NOW
from support.posts_folder import load_and_save_ids, write_publication

SOURCE = "---\ntitle: A\n---\nThe very same words.\n"
ORIGINAL = "2023-06-07-a.md"
COPIES = [
    "2023-06-07-a.sync-conflict-20230607-101010-ABCDEFG.md",
    "2023-06-07-a (Ann's conflicted copy 2023-06-07).md",
    "2023-06-07-a (1).md",
    "2023-06-07-a copy.md",
    "2023-06-07-other-name.md",
    "backup/2023-06-07-a.md",
]


def copies(library: Library) -> list[str | None]:
    return [problem.path for problem in library.problems if problem.code == "post.copy"]


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.parametrize("is_published", [True, False])
def test_a_copy_is_named_and_no_post(tmp_path: Path, name: str, is_published: bool) -> None:
    if is_published:
        load_and_save_ids(write_publication(tmp_path, {ORIGINAL: SOURCE}))
    library = load_and_save_ids(
        write_publication(tmp_path, {ORIGINAL: SOURCE, name: SOURCE}), NOW + timedelta(hours=1)
    )
    assert [post.path for post in library.posts] == [ORIGINAL]
    assert copies(library) == [f"posts/{name}"]


def test_a_link_inside_the_folder_is_a_copy_whatever_its_date(tmp_path: Path) -> None:
    write_publication(tmp_path, {ORIGINAL: SOURCE})
    (tmp_path / "posts/2023-06-09-link.md").symlink_to(ORIGINAL)
    library = load_and_save_ids(tmp_path)
    assert [post.path for post in library.posts] == [ORIGINAL]
    assert copies(library) == ["posts/2023-06-09-link.md"]


def test_the_same_words_on_another_day_are_another_post(tmp_path: Path) -> None:
    library = load_and_save_ids(write_publication(tmp_path, {ORIGINAL: SOURCE, "2023-06-08-a.md": SOURCE}))
    assert (len(library.posts), copies(library)) == (2, [])


def test_what_was_published_before_stays(tmp_path: Path) -> None:
    load_and_save_ids(
        write_publication(tmp_path, {ORIGINAL: SOURCE, COPIES[0]: SOURCE.replace("same", "other")})
    )
    library = load_and_save_ids(write_publication(tmp_path, {COPIES[0]: SOURCE}), NOW + timedelta(hours=1))
    assert (len(library.posts), copies(library)) == (2, [])


def test_where_the_original_goes_the_copy_takes_its_id(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {ORIGINAL: SOURCE, COPIES[4]: SOURCE})).posts[0]
    (tmp_path / "posts" / ORIGINAL).unlink()
    library = load_and_save_ids(tmp_path, NOW + timedelta(hours=1))
    assert [(post.id, post.path) for post in library.posts] == [(before.id, COPIES[4])]
