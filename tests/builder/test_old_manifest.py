"""Files of an older version that are no longer targets are removed, once."""

import json
from pathlib import Path

import pytest

from ketapress.builder.old_manifest import read_old_paths, remove_old_manifest
from support.cli_runner import ketapress

OLD = {"outputs": {"gone.html": ["key", "1 1 1"], "index.html": ["key", ""]}}


def write_manifest(root: Path, content: bytes) -> Path:
    (root / ".ketapress").mkdir(exist_ok=True)
    manifest = root / ".ketapress" / "built.json"
    manifest.write_bytes(content)
    return manifest


def test_a_build_removes_the_files_that_an_older_version_wrote_and_its_manifest(publication: Path) -> None:
    manifest = write_manifest(publication, json.dumps(OLD).encode())
    (publication / "public").mkdir()
    for name in ("gone.html", "index.html", "mine.html"):
        (publication / "public" / name).write_text("old")

    outcome = ketapress(publication, "build", "--json")

    assert outcome.result["removed"] == 1
    assert not (publication / "public" / "gone.html").exists()
    assert (publication / "public" / "mine.html").read_text() == "old"
    assert "<html" in (publication / "public" / "index.html").read_text()
    assert not manifest.exists()


def test_a_dry_run_leaves_the_manifest(publication: Path) -> None:
    manifest = write_manifest(publication, json.dumps(OLD).encode())

    ketapress(publication, "build", "--dry-run")

    assert manifest.exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"3", b'{"outputs": 3}', b'{"outputs": ["a"]}', b"\xff", b"[" * 100_000]
)
def test_a_manifest_that_cannot_be_read_names_no_files(tmp_path: Path, content: bytes) -> None:
    write_manifest(tmp_path, content)

    assert read_old_paths(tmp_path) == frozenset()


def test_a_link_in_the_place_of_the_manifest_is_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / ".ketapress").mkdir()
    (tmp_path / ".ketapress" / "built.json").symlink_to(tmp_path / "mine")

    remove_old_manifest(tmp_path)

    assert (tmp_path / "mine").read_text() == "mine"
