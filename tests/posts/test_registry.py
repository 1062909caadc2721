"""The registry: one line a post, written whole or not at all, and never overwritten if it cannot be read."""

from pathlib import Path

import pytest

from ketapress.model.errors import ConfigurationError, RefusedError
from ketapress.posts.identity.registry import read_registry, write_registry
from ketapress.posts.identity.registry_entry import Registry
from ketapress.posts.identity.registry_text import format_registry
from ketapress.posts.loader import load_posts
from support.factories import NOW, settings
from support.posts_folder import load_and_save_ids, write_publication

REGISTRY_NAME = ".published.jsonl"
FILES = {
    "b.md": "---\ndate: 2023-06-07\n---\nB",
    "a.md": "---\ndate: 2023-06-07\ndraft: true\n---\nA",
    "c.md": "---\ndate: 2023-07-01\n---\nC",
    "ünder.md": "---\ndate: 2023-06-06\n---\nD",
}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    library = load_and_save_ids(write_publication(tmp_path, FILES))
    assert format_registry(read_registry(tmp_path)) == library.new_ids
    assert [path.name for path in (tmp_path / "posts").glob(".*")] == [REGISTRY_NAME]


def test_a_line_a_post_in_the_order_of_ids(tmp_path: Path) -> None:
    load_and_save_ids(write_publication(tmp_path, FILES))
    lines = (tmp_path / "posts" / REGISTRY_NAME).read_text(encoding="utf-8").splitlines()
    assert lines[0] == '{"schema": 1, "first_built": "2023-06-12T09:00:00Z"}'
    assert len(lines) == 1 + len(FILES)
    assert lines[1:] == sorted(lines[1:])
    assert '"published": "2023-06-07T06:00:00Z", "updated": "2023-06-07T06:00:00Z", "title": "B"' in lines[3]


def test_no_file_is_a_publication_that_was_never_built(tmp_path: Path) -> None:
    assert read_registry(tmp_path) == Registry()


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (3, "[]"),
        (3, '{"id": "x"}'),
        (3, '{"id": "x", "path": "x", "url": "x", "sha256": "x", "first_seen": "2023", "published": null}'),
        (
            3,
            '{"id": "x", "path": "x", "url": "x", "sha256": "x", "first_seen": "2023-06-12T09:00:00", "published": null}',
        ),
        (1, '{"schema": 2, "first_built": "2023-06-12T09:00:00Z"}'),
        (1, '{"schema": 1}'),
        (1, '{"schema": 1, "first_built": "0001-01-01T00:00:00+05:00"}'),
        (3, "[" * 100_000),
    ],
)
def test_a_broken_line_stops_with_its_number_and_is_kept(tmp_path: Path, number: int, line: str) -> None:
    load_and_save_ids(write_publication(tmp_path, FILES))
    path = tmp_path / "posts" / REGISTRY_NAME
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[number - 1] = line
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigurationError) as error_info:
        load_posts(tmp_path, settings(), NOW)
    (problem,) = error_info.value.problems
    assert problem.where == f"posts/{REGISTRY_NAME}:{number}"
    assert "version control" in problem.cure


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "=======", ">>>>>>> theirs"])
def test_the_marks_of_a_merge_conflict_are_told_with_how_to_solve_it(tmp_path: Path, mark: str) -> None:
    load_and_save_ids(write_publication(tmp_path, FILES))
    path = tmp_path / "posts" / REGISTRY_NAME
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], mark, *lines[2:]]), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="conflict") as error_info:
        read_registry(tmp_path)
    (problem,) = error_info.value.problems
    assert problem.line == 3
    assert "Keep the lines of both sides" in problem.cure


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00"])
def test_an_empty_or_binary_file_stops_too(tmp_path: Path, content: bytes) -> None:
    write_publication(tmp_path, FILES | {REGISTRY_NAME: content})
    with pytest.raises(ConfigurationError):
        read_registry(tmp_path)


def test_writing_the_same_records_gives_the_same_bytes(tmp_path: Path) -> None:
    load_and_save_ids(write_publication(tmp_path, FILES))
    before = (tmp_path / "posts" / REGISTRY_NAME).read_bytes()
    write_registry(tmp_path, format_registry(read_registry(tmp_path)))
    assert (tmp_path / "posts" / REGISTRY_NAME).read_bytes() == before


def test_a_folder_that_cannot_be_written_is_an_error_with_a_cure(tmp_path: Path) -> None:
    load_and_save_ids(write_publication(tmp_path, FILES))
    (tmp_path / "posts" / REGISTRY_NAME).unlink()
    (tmp_path / "posts" / REGISTRY_NAME).mkdir()
    before = set((tmp_path / "posts").iterdir())
    with pytest.raises(RefusedError, match="cannot be written"):
        write_registry(tmp_path, "")
    assert set((tmp_path / "posts").iterdir()) == before
