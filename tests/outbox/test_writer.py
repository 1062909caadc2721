"""Folders of editions: complete or absent after a crash, and edits are detected."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from ketapress.model.errors import KetapressError
from ketapress.outbox.writer import (
    changed_files,
    read_edition_json,
    write_edition,
)
from support.factories import edition

SLOT = edition().slot
PARTS = {
    "digest.html": b"<p>Hello</p>",
    "digest.txt": b"Hello",
    "message.eml": b"To: a@example.com\r\n\r\nHello\r\n",
}
MANIFEST = {
    "edition": SLOT.edition,
    "slot": SLOT.key,
    "sha256": {name: sha256(content).hexdigest() for name, content in PARTS.items()},
}
FILES = {**PARTS, "edition.json": (json.dumps(MANIFEST) + "\n").encode()}


def test_an_edition_is_a_folder_of_four_files(tmp_path: Path) -> None:
    folder = write_edition(tmp_path, SLOT, FILES)

    assert folder == tmp_path / "outbox" / "weekly" / "2023-06-12T0800"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_folder_that_is_there_is_replaced_with_all_it_held(tmp_path: Path) -> None:
    folder = write_edition(tmp_path, SLOT, {**FILES, "notes.txt": b"old"})

    write_edition(tmp_path, SLOT, FILES)

    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


def test_the_manifest_can_be_read_back(tmp_path: Path) -> None:
    write_edition(tmp_path, SLOT, FILES)

    manifest = read_edition_json(tmp_path, SLOT)

    assert manifest is not None
    assert manifest["edition"] == "weekly/2023-06-12T0800"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"sha256": 3}'])
def test_a_broken_manifest_is_none_and_counts_as_changed(tmp_path: Path, content: bytes) -> None:
    folder = write_edition(tmp_path, SLOT, FILES)
    (folder / "edition.json").write_bytes(content)

    assert read_edition_json(tmp_path, SLOT) is None
    assert changed_files(tmp_path, SLOT) == ("edition.json",)


def test_files_edited_or_removed_by_hand_are_named(tmp_path: Path) -> None:
    folder = write_edition(tmp_path, SLOT, FILES)
    assert changed_files(tmp_path, SLOT) == ()

    (folder / "digest.html").write_text("mine")
    (folder / "digest.txt").unlink()

    assert changed_files(tmp_path, SLOT) == ("digest.html", "digest.txt")


def test_a_folder_that_is_not_here_is_nobodys_edit(tmp_path: Path) -> None:
    assert changed_files(tmp_path, SLOT) == ()


@pytest.mark.parametrize("fatal_call", range(1, 20))
def test_a_process_that_dies_anywhere_leaves_whole_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fatal_call: int
) -> None:
    """Calls that change the disk are counted; the process dies at one of them, and the folder is checked."""
    old_files = {name: b"old " + content for name, content in FILES.items()}
    folder = write_edition(tmp_path, SLOT, old_files)
    _die_at_call(monkeypatch, fatal_call)

    has_died = True
    try:
        write_edition(tmp_path, SLOT, FILES)
        has_died = False
    except _ProcessDeath:
        pass
    monkeypatch.undo()

    if folder.exists():
        assert _content(folder) in (old_files, FILES)
    assert has_died or _content(folder) == FILES
    write_edition(tmp_path, SLOT, FILES)
    assert _content(folder) == FILES
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")

    with pytest.raises(KetapressError) as error_info:
        write_edition(tmp_path, SLOT, FILES)

    assert error_info.value.problems[0].path == "outbox/weekly/2023-06-12T0800"


class _ProcessDeath(BaseException):
    """A simulated kill: not an Exception, so that no code catches it."""


def _die_at_call(monkeypatch: pytest.MonkeyPatch, fatal_call: int) -> None:
    calls_left = [fatal_call]

    def count_calls(name: str) -> None:
        original = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            calls_left[0] -= 1
            if calls_left[0] == 0:
                raise _ProcessDeath
            return original(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    for name in ("mkdir", "fsync", "rename", "unlink", "rmdir"):
        count_calls(name)


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
