"""Every file is written completely or not at all, and never through a symbolic link in the folder."""

import ast
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pytest

from ketapress.alerts.policy import AlertState
from ketapress.alerts.state import save_states
from ketapress.builder.up_to_date import _write as write_answer
from ketapress.builder.writer import write_targets
from ketapress.daemon.counters import Counters
from ketapress.daemon.websub_client import write_digests
from ketapress.model.build_target import BuildTarget
from ketapress.model.edition import Decision, StoredEdition, Window
from ketapress.model.errors import KetapressError, RefusedError
from ketapress.outbox.sent_log import GENERATION_FILE, SENT_FILE, raise_outbox_generation, record_progress
from ketapress.outbox.writer import write_edition
from ketapress.posts.identity.registry import write_registry
from ketapress.posts.identity.registry_text import TRACKED_REGISTRY
from ketapress.posts.loader import new_post
from ketapress.settings.scaffold import create_publication
from ketapress.settings.scaffold_text import welcome_post
from ketapress.settings.schedule_history import save_schedules
from ketapress.settings.secret import load_or_create_secret
from ketapress.store.maintenance.restore import temporary_copy
from ketapress.store.spill_file import SPILL_FILE_NAME as SPILL, SpillFile, UnsavedResults
from ketapress.store.store import open_store
from ketapress.system.atomic import (
    TEMPORARY,
    open_atomic,
    open_or_create,
    remove_leftovers,
    replace_file,
    write_atomic,
    write_new,
)
from ketapress.system.build_cache import FILE, BuildCache
from ketapress.system.lock import lock_holder, publication_lock
from ketapress.system.state_file import STATE_FOLDER, make_state_folder, read_state, write_state
from support.cli_runner import ketapress
from support.factories import NOW, REPOSITORY, edition, new_publication, settings

SOURCE = REPOSITORY / "src" / "ketapress"
SLOT = edition().slot
URL = "sqlite:///ketapress.db"
LEFTOVER = f".{'0' * 16}{TEMPORARY}"

# Writing one file.


def test_a_file_is_made_and_replaced_and_nothing_else_stays(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content in (b"first", b"", b"x" * 3_000_000):
        for durable in (False, True):
            write_atomic(file, content, durable=durable)
            assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


def test_the_rights_are_those_that_were_asked_for_less_the_umask(tmp_path: Path) -> None:
    file = tmp_path / "file"
    original = os.umask(0o027)
    try:
        for mode, expected in ((0o644, 0o640), (0o600, 0o600)):
            write_atomic(file, b"", mode=mode)
            assert file.stat().st_mode & 0o777 == expected
    finally:
        os.umask(original)


def test_a_name_without_a_folder_is_in_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    write_atomic("file", b"here", durable=True)

    assert (tmp_path / "file").read_bytes() == b"here"


def test_a_name_of_the_greatest_length_has_room_for_its_temporary_file(tmp_path: Path) -> None:
    file = tmp_path / ("x" * 255)

    write_atomic(file, b"long")

    assert file.read_bytes() == b"long"


def test_the_disk_that_takes_little_at_a_time_gets_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:3]))

    write_atomic(tmp_path / "file", b"0123456789")
    write_new(tmp_path / "new", b"0123456789")

    assert (tmp_path / "file").read_bytes() == (tmp_path / "new").read_bytes() == b"0123456789"


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_what_fails_leaves_the_file_as_it_was_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"before")

    def refuse(*_arguments: object) -> None:
        raise OSError(28, "No space left on device", "some other name")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(OSError, match="No space left") as error:
            write_atomic(file, b"after", durable=True)

    assert error.value.filename == str(file)
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == b"before"


def test_a_writer_that_breaks_off_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"before")

    def write_half() -> None:
        with open_atomic(file) as handle:
            os.write(handle, b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()

    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == b"before"


def test_a_folder_that_is_not_there_is_said_by_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        write_atomic(tmp_path / "gone" / "file", b"")

    assert error.value.filename == str(tmp_path / "gone" / "file")


def test_a_new_file_takes_the_place_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")

    for name in ("file", "link"):
        with pytest.raises(FileExistsError):
            write_new(tmp_path / name, b"after")

    assert (tmp_path / "file").read_bytes() == b"before"
    assert not (tmp_path / "nothing").exists()


def test_a_new_file_that_cannot_be_written_whole_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_new(tmp_path / "file", b"after")

    assert not (tmp_path / "file").exists()


def test_what_a_killed_process_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    (tmp_path / LEFTOVER).write_bytes(b"half")
    for name in (f"{TEMPORARY}", f".mine{TEMPORARY}", f"feed.xml{TEMPORARY}"):  # not names of ours
        (tmp_path / name).write_bytes(b"mine")
    original = set(tmp_path.iterdir()) - {tmp_path / LEFTOVER}

    with open_atomic(tmp_path / "one") as handle:
        write_atomic(tmp_path / "two", b"two")
        os.write(handle, b"one")

    assert set(tmp_path.iterdir()) == original | {tmp_path / "one", tmp_path / "two"}
    assert (tmp_path / "one").read_bytes() == b"one"


def test_leftovers_that_are_no_files_stop_nobody(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    names = [f".{digit * 16}{TEMPORARY}" for digit in "0123"]
    (tmp_path / names[0]).symlink_to(tmp_path / "victim")
    (tmp_path / names[1]).symlink_to(tmp_path / "nothing")
    (tmp_path / names[2]).mkdir()
    os.mkfifo(tmp_path / names[3])

    write_atomic(tmp_path / "file", b"new")

    assert {path.name for path in tmp_path.iterdir()} == {"victim", "file", names[2]}
    assert (tmp_path / "victim").read_bytes() == b"mine"


def test_a_file_that_was_taken_for_a_leftover_before_it_was_locked_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    handles: list[int] = []

    def lock_late(handle: int, kind: int) -> None:
        if not handles:
            handles.append(handle)
            remove_leftovers(str(tmp_path), [path.name for path in tmp_path.iterdir()])
        lock(handle, kind)

    monkeypatch.setattr("ketapress.system.atomic.flock", lock_late)
    replace_file(str(tmp_path / "file"), b"whole")

    assert handles
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"whole"


def _write_often(file: Path, content: bytes) -> None:
    for _ in range(100):
        write_atomic(file, content)


def test_processes_that_write_one_file_do_not_break_each_other(tmp_path: Path) -> None:
    file, contents = tmp_path / "file", [bytes([number]) * 100_000 for number in range(3)]
    spawn = get_context("fork")
    writers = [spawn.Process(target=_write_often, args=(file, content)) for content in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert not file.exists() or file.read_bytes() in contents
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_written_in_place_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing")

    with pytest.raises(OSError, match="symbolic links"):
        open_or_create(tmp_path / "link", os.O_WRONLY)

    assert not (tmp_path / "nothing").exists()


# State files.


def test_a_memory_is_what_was_written(tmp_path: Path) -> None:
    value = {"a": [1, None, "ü\ud800"], "b": {"c": 1.5}}

    write_state(tmp_path, "some.json", value)

    assert read_state(tmp_path, "some.json") == value
    assert (tmp_path / STATE_FOLDER / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff", b"[" * 100_000])
def test_what_cannot_be_read_is_no_memory(tmp_path: Path, content: bytes) -> None:
    (make_state_folder(tmp_path) / "some.json").write_bytes(content)

    assert read_state(tmp_path, "some.json") == {}


def test_a_memory_that_is_no_file_is_none(tmp_path: Path) -> None:
    folder = make_state_folder(tmp_path)
    (tmp_path / "elsewhere").write_text('{"a": 1}')
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")

    assert [read_state(tmp_path, name) for name in ("link", "folder", "pipe", "gone")] == [{}] * 4


# Leftovers of killed processes are not posts and not pages.


def test_a_build_publishes_and_mentions_no_leftover_and_removes_it(tmp_path: Path) -> None:
    root = new_publication(tmp_path)
    ketapress(root, "build")
    for folder in ("posts", "public", STATE_FOLDER):
        (root / folder / LEFTOVER).write_bytes(b"half")
    (root / "posts" / "another.md").write_text("---\ntitle: Another\ndate: 2023-06-01\n---\n\nWords.\n")

    outcome = ketapress(root, "build")

    assert outcome.exit_code == 0
    assert TEMPORARY not in outcome.stdout + outcome.stderr
    assert not list(root.rglob(f"*{TEMPORARY}"))


# Every writer of the program.


class Writer(NamedTuple):
    """A writer of the program, and the paths that it writes, with their folders."""

    run: Callable[[Path], object]
    paths: tuple[str, ...]


def _take_lock(root: Path) -> None:
    assert lock_holder(root, "publish") == ""
    with publication_lock(root, "publish"):
        pass


def _spill_results(root: Path) -> None:
    spill = SpillFile(root / STATE_FOLDER / SPILL)
    spill.reserve()
    spill.save(UnsavedResults(1, (), ()))


def _record_progress(root: Path) -> None:
    window = Window(NOW, NOW)
    stored = StoredEdition(id=1, slot=SLOT, decision=Decision.COMPOSED, window=window, subject="News")
    record_progress(root, stored, has_started=True, is_finished=False, now=NOW)


def _write_public(root: Path) -> None:
    target = BuildTarget("2023/index.html", "key", lambda: b"page")
    write_targets(root / "public", [], [target], BuildCache(root / FILE))


def _write_outbox(root: Path) -> None:
    write_edition(root, SLOT, {"digest.txt": b"News"})


def _run_command(*words: str) -> Callable[[Path], None]:
    """Return a writer that runs a command in the publication folder. The command may fail, with a message."""

    def run(root: Path) -> None:
        outcome = ketapress(root, *(word.format(root=root) for word in words))
        assert outcome.exit_code == 0 or outcome.stderr, outcome

    return run


def _back_up(root: Path) -> None:
    with open_store(URL, root) as store:
        store.backup(root / "copy.db")


def _restore(root: Path) -> None:
    with open_store(URL, root) as store:
        store.backup(root / "whole.db")
    with temporary_copy(root / "whole.db", root / "ketapress.db"):
        pass


def _export_edition(root: Path) -> None:
    assert ketapress(root, "publish", "--at", "2023-06-12T09:00").exit_code == 0
    _run_command("outbox", "export", SLOT.edition, "--to", "{root}/copy")(root)


def _save_answer(root: Path) -> None:
    write_answer(f"{root}/{STATE_FOLDER}/unchanged", "said")


NEW_POST = f"posts/{NOW.date()}-a-title.md"
FIRST_POST = f"posts/{welcome_post(NOW)[0]}"
AT = "2023-06-08T09:00"
STATE_WRITERS = {
    "schedules": Writer(lambda root: save_schedules(root, settings()), (f"{STATE_FOLDER}/schedules.json",)),
    "alerts": Writer(
        lambda root: save_states(root, {"a": AlertState(NOW, NOW)}), (f"{STATE_FOLDER}/alerts.json",)
    ),
    "measures": Writer(lambda root: Counters(root, "web").save(), (f"{STATE_FOLDER}/measured-web.json",)),
    "announced": Writer(lambda root: write_digests(root, {"a": "b"}), (f"{STATE_FOLDER}/announced.json",)),
    "unchanged": Writer(_save_answer, (f"{STATE_FOLDER}/unchanged",)),
    "gitignore": Writer(make_state_folder, (f"{STATE_FOLDER}/.gitignore",)),
    "lock": Writer(_take_lock, (f"{STATE_FOLDER}/publish.lock",)),
    "secret": Writer(
        lambda root: load_or_create_secret(make_state_folder(root), settings(), "fresh"),
        (f"{STATE_FOLDER}/secret",),
    ),
    "cache": Writer(_run_command("build"), (FILE, f"{FILE}-journal")),
    "last backup": Writer(_run_command("db", "backup", "{root}/copy.db"), (f"{STATE_FOLDER}/last-backup",)),
    "preview": Writer(
        _run_command("preview", "--no-serve", "--at", AT),
        (
            f"{STATE_FOLDER}/preview",
            f"{STATE_FOLDER}/preview/outbox",
            f"{STATE_FOLDER}/preview/outbox/weekly",
            f"{STATE_FOLDER}/preview/outbox/{SLOT.edition}",
        ),
    ),
}
"""The writers of the private folder."""
WRITERS = STATE_WRITERS | {
    "spill": Writer(_spill_results, (f"{STATE_FOLDER}/{SPILL}",)),
    "ids": Writer(lambda root: write_registry(root, "{}\n"), (TRACKED_REGISTRY,)),
    "a new post": Writer(lambda root: new_post(root, "A title", settings(), NOW), (NEW_POST,)),
    "a new publication": Writer(
        lambda root: create_publication(root / "begun", NOW),
        ("begun/ketapress.toml", "begun/.gitignore", f"begun/{FIRST_POST}"),
    ),
    "public": Writer(_write_public, ("public/2023", "public/2023/index.html")),
    "generation": Writer(lambda root: raise_outbox_generation(root, 2), (f"outbox/{GENERATION_FILE}",)),
    "sent": Writer(_record_progress, (f"outbox/{SENT_FILE}",)),
    "outbox": Writer(
        _write_outbox,
        (
            "outbox/weekly",
            f"outbox/{SLOT.edition}",
            f"outbox/weekly/.new-{SLOT.key}",
            f"outbox/weekly/.old-{SLOT.key}",
        ),
    ),
    "export of an edition": Writer(_export_edition, ("copy",)),
    "export of people": Writer(
        _run_command("subscribers", "export", "--to", "{root}/people.csv"), ("people.csv",)
    ),
    "backup": Writer(_back_up, ("copy.db", "copy.db.part-journal")),
    "restoring": Writer(_restore, ("ketapress.db.restoring", "ketapress.db.restoring-wal")),
}
"""All writers except for the database itself, whose path the settings name, which may be any.

Add a new one here: `test_nobody_else_writes` finds it.
"""
PATHS = [(name, path) for name, writer in WRITERS.items() for path in writer.paths]


def plant_links(root: Path, path: str, kind: str) -> dict[str, bytes]:
    """Plant links at a path and at all names of its temporary files, now and before; return what they lead to."""
    outside = root.parent / "outside"
    (outside / "folder").mkdir(parents=True)
    for name in ("file", "folder/file"):
        (outside / name).write_bytes(b"theirs")
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    names = {file.with_suffix(".new").name, *(f"{file.name}{end}" for end in _ENDS)}
    for name in names:
        (file.parent / name).symlink_to(os.path.relpath(outside / kind, file.parent))
    return read_outside(root)


_ENDS = ("", ".new", ".tmp", ".part", TEMPORARY, ".restoring")


def read_outside(root: Path) -> dict[str, bytes]:
    outside = root.parent / "outside"
    return {
        str(path.relative_to(outside)): b"" if path.is_dir() else path.read_bytes()
        for path in sorted(outside.rglob("*"))
    }


@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
@pytest.mark.parametrize(("name", "path"), PATHS)
def test_no_writer_follows_a_link_that_was_planted(tmp_path: Path, name: str, path: str, kind: str) -> None:
    (tmp_path / "site").mkdir()
    root = new_publication(tmp_path / "site")
    original = plant_links(root, path, kind)

    with suppress(KetapressError, OSError):  # every command reports both, with the name of the file
        WRITERS[name].run(root)

    assert read_outside(root) == original


@pytest.mark.parametrize("name", STATE_WRITERS)
def test_no_memory_is_kept_through_a_folder_that_is_a_link(tmp_path: Path, name: str) -> None:
    (tmp_path / "site").mkdir()
    root = new_publication(tmp_path / "site")
    original = plant_links(root, STATE_FOLDER, "folder")

    with suppress(RefusedError):
        STATE_WRITERS[name].run(root)

    assert read_outside(root) == original


def test_a_build_in_a_cloned_folder_writes_over_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    root = new_publication(tmp_path / "site")
    original = plant_links(root, TRACKED_REGISTRY, "file")
    (root / TRACKED_REGISTRY).unlink()

    assert ketapress(root, "build").exit_code == 0

    assert read_outside(root) == original
    assert (root / TRACKED_REGISTRY).is_file()


# Only one module writes.

_WRITES = {
    "os.link",
    "os.rename",
    "os.replace",
    "os.fsync",
    "os.fdatasync",
    "shutil.copy",
    "shutil.copy2",
    "shutil.copyfile",
    "shutil.copytree",
    "shutil.move",
}
_METHODS = {"hardlink_to", "rename", "symlink_to", "touch", "write_bytes", "write_text"}
_ALLOWED = {
    "cli/outbox_export.py": {"open", "partial_folder.rename"},  # a descriptor of `open_atomic`; a folder
    "cli/subscribers.py": {"open"},  # a descriptor of `open_atomic`
    "outbox/writer.py": {"path.rename", "target.rename", "new_folder.rename"},  # folders
    "store/maintenance/backup.py": {"part_file.rename"},  # SQLite writes the file
    "store/maintenance/restore.py": {
        "wal_file.rename",
        "os.link",
        "copy_path.rename",
    },  # as above, and its WAL
    "store/spill_file.py": {"os.fsync"},  # it is written in place, because its space is reserved
    "outbox/sent_log.py": {"os.fsync"},  # a line is appended
    "system/parallel.py": {"os.fdopen"},  # a pipe
}
"""Other calls that may write, and why."""


def is_write(call: ast.Call) -> bool:
    function = ast.unparse(call.func)
    module, _, name = function.rpartition(".")
    if name == "replace" and module != "os":  # of a text it has two arguments, of a datetime only keywords
        return len(call.args) == 1 and not call.keywords
    if (name in {"open", "fdopen"} and module != "os") or function == "os.fdopen":
        return any(
            isinstance(argument, ast.Constant)
            and isinstance(argument.value, str)
            and set("wax+") & set(argument.value)
            for argument in chain(call.args[0 if module and module != "os" else 1 :], _mode(call))
        )
    return function in _WRITES or (bool(module) and name in _METHODS) or name == "NamedTemporaryFile"


def _mode(call: ast.Call) -> list[ast.expr]:
    return [keyword.value for keyword in call.keywords if keyword.arg == "mode"]


def test_nobody_else_writes() -> None:
    faults = []
    for path in sorted(SOURCE.rglob("*.py")):
        relative = path.relative_to(SOURCE).as_posix()
        if relative == "system/atomic.py":
            continue
        nodes = list(ast.walk(ast.parse(path.read_text())))
        calls = {
            (node.lineno, ast.unparse(node.func))
            for node in nodes
            if isinstance(node, ast.Call) and is_write(node)
        }
        calls |= {
            (node.lineno, node.attr)
            for node in nodes
            if isinstance(node, ast.Attribute) and node.attr in {"O_CREAT", "O_TMPFILE"}
        }
        faults += [
            f"src/ketapress/{relative}:{line}: `{call}` may follow a link, or leave a partial file: use "
            "`ketapress.system.atomic`, and add the writer to tests/system/test_atomic.py."
            for line, call in sorted(calls)
            if call not in _ALLOWED.get(relative, ())
        ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("os.replace(a, b)", True),
        ("a.replace(b)", True),
        ("a.replace('x', 'y')", False),
        ("a.replace(tzinfo=None)", False),
        ("a.write_text('x')", True),
        ("open(a, 'wb')", True),
        ("open(a)", False),
        ("open(a, mode='x')", True),
        ("a.open('w', newline='')", True),
        ("a.open(encoding='utf-8')", False),
        ("os.fdopen(a, 'rb')", False),
        ("os.fdopen(a, 'wb')", True),
        ("os.fsync(a)", True),
    ],
)
def test_a_call_that_writes_is_known(line: str, is_one: bool) -> None:
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    assert is_write(call) is is_one
