"""Ids that the file lost are read back from the feed where that is certain; else everything stops with a cure."""

import json
from pathlib import Path

import pytest

from ketapress.posts.identity.registry_text import TRACKED_REGISTRY
from support.cli_runner import Outcome, ketapress
from support.factories import TOML

AT, LATER = "2023-06-12T09:00", "2023-06-13T09:00"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "posts").mkdir()
    (tmp_path / "ketapress.toml").write_text(TOML)
    for day in range(1, 6):
        write(tmp_path, f"2023-06-0{day}-post-{day}.md", f"Post {day}", f"Words of {day}.")
    build(tmp_path, AT)
    return tmp_path


def write(root: Path, name: str, title: str, text: str) -> None:
    (root / "posts" / name).write_text(f"---\ntitle: {title}\n---\n\n{text}\n")


def build(root: Path, at: str) -> Outcome:
    return ketapress(root, "build", "--at", at, "--json")


def feed_ids(root: Path) -> dict[str, str]:
    return {
        item["title"]: item["id"] for item in json.loads((root / "public/feed.json").read_text())["items"]
    }


def move_site(root: Path) -> None:
    toml = root / "ketapress.toml"
    toml.write_text(toml.read_text().replace("example.org", "moved.example"))


def lose_lines(root: Path, *names: str) -> None:
    path = root / TRACKED_REGISTRY
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not any(name in line for name in names)))


def test_a_moved_site_without_its_ids_keeps_them(root: Path) -> None:
    before = feed_ids(root)
    move_site(root)
    (root / TRACKED_REGISTRY).unlink()
    assert build(root, LATER).exit_code == 0
    assert feed_ids(root) == before
    assert build(root, LATER).exit_code == 0
    assert feed_ids(root) == before


def test_lines_that_are_lost_are_read_back(root: Path) -> None:
    before = feed_ids(root)
    move_site(root)
    lose_lines(root, "post-2.md", "post-4.md")
    write(root, "2023-06-13-new.md", "New", "New words.")
    assert build(root, "2023-06-14T09:00").exit_code == 0
    after = feed_ids(root)
    assert after.pop("New").startswith("https://moved.example/")
    assert after == before


def test_a_renamed_post_is_read_back_by_title_and_date(root: Path) -> None:
    before = feed_ids(root)
    (root / TRACKED_REGISTRY).unlink()
    (root / "posts/2023-06-02-post-2.md").rename(root / "posts/2023-06-02-renamed.md")
    assert build(root, LATER).exit_code == 0
    assert feed_ids(root) == before


def test_where_it_is_not_certain_everything_stops_with_a_cure(root: Path) -> None:
    before = feed_ids(root)
    (root / TRACKED_REGISTRY).unlink()
    (root / "posts/2023-06-02-post-2.md").unlink()
    write(root, "2023-06-03-renamed.md", "Another title", "Other words.")
    outcome = build(root, LATER)
    assert outcome.exit_code == 78
    (problem,) = outcome.document["problems"]
    assert problem["code"] == "posts.ids-lost"
    assert before["Post 2"] in problem["message"]
    assert "public/feed.json" in problem["cure"]
    assert not (root / TRACKED_REGISTRY).exists()
    assert feed_ids(root) == before


def test_nothing_is_asked_where_the_derived_ids_are_the_same(root: Path) -> None:
    before = feed_ids(root)
    (root / TRACKED_REGISTRY).unlink()
    assert build(root, LATER).exit_code == 0
    assert feed_ids(root) == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": "1", "items": [{"id": 1}]}'])
def test_the_feed_of_another_program_says_nothing(root: Path, content: str) -> None:
    move_site(root)
    (root / TRACKED_REGISTRY).unlink()
    (root / "public/feed.json").write_text(content)
    assert build(root, LATER).exit_code == 0
