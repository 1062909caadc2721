"""What the last build made is remembered, and nothing depends on the memory."""

from pathlib import Path

import pytest

from ketapress.builder.manifest import read_built, write_built

MADE = {"index.html": ("key", "1 1 1"), "2023/é.html": ("other", "2 2 2")}


def test_what_was_built_is_remembered(tmp_path: Path) -> None:
    write_built(tmp_path, MADE)

    assert read_built(tmp_path) == MADE
    assert {path.name for path in (tmp_path / ".ketapress").iterdir()} == {".gitignore", "built.json"}


def test_before_the_first_build_nothing_was_built(tmp_path: Path) -> None:
    assert read_built(tmp_path) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"outputs": 3}',
        b'{"outputs": ["a"]}',
        b"\xff",
        b'{"outputs": {"a": ["k"], "b": "kk", "c": [1, 2], "d": null}}',
        b"[" * 100_000,
    ],
)
def test_a_memory_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    write_built(tmp_path, {})
    (tmp_path / ".ketapress" / "built.json").write_bytes(content)

    assert read_built(tmp_path) == {}


def test_a_link_in_the_place_of_the_memory_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / ".ketapress").mkdir()
    (tmp_path / "mine").write_text("mine")
    for name in ("built.json", "built.new"):
        (tmp_path / ".ketapress" / name).symlink_to(tmp_path / "mine")

    write_built(tmp_path, MADE)

    assert (tmp_path / "mine").read_text() == "mine"
    assert read_built(tmp_path) == MADE
