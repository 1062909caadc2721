"""A stamp changes whenever a file does."""

import os
from pathlib import Path

import pytest

from ketapress.system.file_stamp import is_fresh, own_stamp, program_stamps, stamp, tree_stamps
from ketapress.templates.sources import template_folders

NOW = 1_700_000_000
TICK = 4_000_000  # nanoseconds


def stamped(changed: int) -> str:
    return f"1 {changed} 1"


def test_a_change_shows_although_size_and_date_are_put_back(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("one")
    os.utime(file, (1, 1))
    before = stamp(str(file))
    file.write_text("two")
    os.utime(file, (1, 1))

    assert stamp(str(file)) != before


def test_what_is_not_there_has_an_empty_stamp(tmp_path: Path) -> None:
    assert stamp(str(tmp_path / "none")) == own_stamp(str(tmp_path / "none")) == stamp("a\0b") == ""


def test_a_link_has_the_stamp_of_what_it_leads_to_and_none_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").symlink_to("a")

    assert stamp(str(tmp_path / "b")) == stamp(str(tmp_path / "a")) != ""
    assert own_stamp(str(tmp_path / "b")) == own_stamp(str(tmp_path)) == ""


def test_a_tree_has_the_stamps_of_its_folders_and_files(tmp_path: Path) -> None:
    (tmp_path / "posts" / "2023" / ".hidden").mkdir(parents=True)
    for name in ("a.md", "2023/b.md", "2023/.hidden/c.md", ".published.jsonl"):
        (tmp_path / "posts" / name).write_text(name)
    (tmp_path / "posts" / "linked").symlink_to("2023")

    found = tree_stamps(str(tmp_path), "posts")

    assert found.keys() == {"posts", "posts/a.md", "posts/2023", "posts/2023/b.md", "posts/linked"}
    assert tree_stamps(str(tmp_path), "templates") == {"templates": ""}


def test_a_file_that_comes_or_goes_changes_its_folders_stamp(tmp_path: Path) -> None:
    (tmp_path / "posts").mkdir()
    os.utime(tmp_path / "posts", (1, 1))
    before = tree_stamps(str(tmp_path), "posts")["posts"]
    (tmp_path / "posts" / "a.md").write_text("one")

    assert tree_stamps(str(tmp_path), "posts")["posts"] != before


@pytest.mark.parametrize(
    ("changed", "fresh"),
    [
        (NOW * 10**9, True),
        ((NOW - 1) * 10**9, True),
        ((NOW - 3) * 10**9, False),
        (NOW * 10**9 - TICK, True),
        (NOW * 10**9 - 10 * TICK, False),
        ((NOW + 5) * 10**9, True),
    ],
)
def test_what_changed_within_the_grain_of_the_clock_may_change_unseen(changed: int, *, fresh: bool) -> None:
    assert is_fresh(stamped(changed), NOW) is fresh


def test_what_is_not_there_cannot_change_unseen() -> None:
    assert not is_fresh("", NOW)


def test_the_program_is_all_its_modules_and_the_folders_of_libraries() -> None:
    found = program_stamps()

    assert {Path(path).name for path in found} >= {
        "file_stamp.py",
        "pages.py",
        "markdown.py",
        "site-packages",
    }
    assert all(found.values())
    assert not any(path.startswith(str(template_folders(Path())[1])) for path in found)
