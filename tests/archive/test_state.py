"""What the last build made is remembered, and nothing depends on the memory."""

from pathlib import Path

import pytest

from ketapress.archive.state import read_built, write_built


def test_what_was_built_is_remembered(tmp_path: Path) -> None:
    write_built(tmp_path, {"index.html", "2023/é.html"})

    assert read_built(tmp_path) == {"index.html", "2023/é.html"}
    assert [path.name for path in (tmp_path / ".ketapress").iterdir()] == ["built.json"]


def test_before_the_first_build_nothing_was_built(tmp_path: Path) -> None:
    assert read_built(tmp_path) == frozenset()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"paths": 3}', b"\xff", b'{"paths": [1, null]}'])
def test_a_memory_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    write_built(tmp_path, ())
    (tmp_path / ".ketapress" / "built.json").write_bytes(content)

    assert read_built(tmp_path) == frozenset()
