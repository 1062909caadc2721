"""A build that finds nothing changed says what the last one found, and loads and writes nothing."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings as bounds, strategies as st

from ketapress.build_service import BuildService
from ketapress.builder.up_to_date import CachedAnswer, ValidityWindow, cached_answer, save_answer
from ketapress.publication import Publication
from support.cli_runner import Outcome, ketapress

HEAVY = {
    "sqlalchemy",
    "pydantic",
    "jinja2",
    "premailer",
    "feedgen",
    "lxml",
    "yaml",
    "nh3",
    "comrak",
    "click",
    "json",
}
CALL = """
import os, sys
from ketapress.__main__ import main
os._exit = sys.exit  # or what was loaded could not be written down
try:
    main()
finally:
    print(*sorted(sys.modules), file=open("modules", "w"))
"""
MEMORY = ".ketapress/unchanged"
BAD = "title: no date\n"


def settled(folder: Path) -> Path:
    """A publication that was built, and whose files lie so far back that every change will show."""
    for _ in range(100):
        ketapress(folder, "build")
        if (folder / MEMORY).exists():
            return folder
    raise AssertionError("no build was remembered")


@pytest.fixture
def built(publication: Path) -> Path:
    return settled(publication)


def said(folder: Path, moment: datetime | None = None) -> str | None:
    """What a build says at once; None where it has to build."""
    now = moment.timestamp() if moment else (folder / MEMORY).stat().st_mtime
    answer = cached_answer(str(folder), now, dict(os.environ))
    return answer.lines if answer else None


def process(folder: Path, *words: str) -> tuple[Outcome, set[str]]:
    """A build in a process of its own, and the modules that it loaded."""
    run = [sys.executable, "-c", CALL, "build", *words]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
    modules = set((folder / "modules").read_text().split())
    (folder / "modules").unlink()
    return Outcome(done.returncode, done.stdout, done.stderr), modules


def quick(folder: Path, *words: str) -> tuple[Outcome, set[str]]:
    """The same, called until the last build before it was remembered."""
    for _ in range(100):
        outcome, modules = process(folder, *words)
        if "ketapress.publication" not in modules:
            return outcome, modules
    raise AssertionError("every build was built")


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_mtime_ns, path.lstat().st_ino)
        for path in folder.rglob("*")
    }


def test_nothing_heavy_is_loaded_and_nothing_is_written(publication: Path) -> None:
    quick(publication)
    before = everything(publication)

    outcome, modules = quick(publication)

    before.pop("modules", None)
    assert not HEAVY & modules
    assert everything(publication) == before
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("public/: 1 post; 0 files written, ")


def test_it_says_the_same_as_a_build_that_looks_at_everything(publication: Path) -> None:
    (publication / "posts" / "bad.md").write_text("No date, and nothing else.\n")
    quick(publication)
    for words in ((), ("--json",)):
        at_once, modules = quick(publication, *words)
        (publication / MEMORY).unlink()
        looked, _ = process(publication, *words)
        assert "ketapress.publication" not in modules
        assert (at_once.exit_code, at_once.stderr) == (looked.exit_code, looked.stderr)
        assert at_once.exit_code == 1
        assert "posts/bad.md" in at_once.stderr
        if words:
            one, other = at_once.document, looked.document
            assert datetime.fromisoformat(one.pop("at")).utcoffset() == timedelta(0)
            other.pop("at")
            assert list(one) == list(other)
            assert one == other
        else:
            assert at_once.stdout == looked.stdout


def test_other_commands_and_options_are_not_answered_at_once(built: Path) -> None:
    for words in (("--dry-run",), ("--at", "2023-06-12T09:00"), ("--help",)):
        _, modules = process(built, *words)
        assert "ketapress.publication" in modules


def test_a_build_is_remembered_under_the_folder_it_was_called_with(built: Path) -> None:
    assert said(built) is not None
    assert cached_answer(".", datetime.now(UTC).timestamp(), {}) is None


def edited(path: Path) -> None:
    """Another content of the same length, with the date put back."""
    before = path.stat()
    path.write_bytes(bytes(reversed(path.read_bytes())))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


SEED = "posts/2023-06-07-ketamine-therapy.txt"
CHANGES: dict[str, Callable[[Path], object]] = {
    "a post edited": lambda root: edited(root / SEED),
    "a post added": lambda root: (root / "posts" / "2023-06-08-new.md").write_text("New."),
    "a post in a new folder": lambda root: (root / "posts" / "2024").mkdir(),
    "a post removed": lambda root: (root / SEED).unlink(),
    "a post renamed": lambda root: (root / SEED).rename(root / "posts" / "2023-06-07-other.txt"),
    "the ids edited": lambda root: edited(root / "posts" / ".published.jsonl"),
    "the ids removed": lambda root: (root / "posts" / ".published.jsonl").unlink(),
    "the settings edited": lambda root: edited(root / "ketapress.toml"),
    "a template of one's own": lambda root: (root / "templates" / "archive").mkdir(parents=True),
    "a database made": lambda root: (root / "ketapress.db").write_bytes(b""),
    "a write-ahead log": lambda root: (root / "ketapress.db-wal").write_bytes(b""),
    "a page edited": lambda root: edited(root / "public" / "index.html"),
    "a page removed": lambda root: (root / "public" / "index.html").unlink(),
    "all pages removed": lambda root: (root / "public").rename(root / "elsewhere"),
    "another build remembered": lambda root: edited(root / ".ketapress" / "build.db"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_has_to_be_built(built: Path, change: str) -> None:
    assert said(built) is not None
    CHANGES[change](built)

    assert said(built) is None


MEANWHILE = [change for change in CHANGES if "a post" in change] + ["the settings edited", "a database made"]


@pytest.mark.parametrize("change", [*MEANWHILE, "nothing"])
def test_what_changed_while_it_was_built_is_built_next(built: Path, change: str) -> None:
    root, later = str(built), time.time() + 10
    before = BuildService(Publication(built, {})).input_stamps({})
    assert before is not None
    CHANGES.get(change, str)(built)
    (built / "posts" / ".published.jsonl").touch()  # as the build does, which changes the folder too
    (built / MEMORY).unlink()

    answer = CachedAnswer(0, "", "done", "{}", "[]", "UTC")
    save_answer(root, answer, ValidityWindow(later, later, math.inf), before, {}, {})

    assert (cached_answer(root, later + 1, {}) is None) == (change != "nothing")


def test_other_files_do_not_matter(built: Path) -> None:
    (built / "notes.txt").write_text("mine")
    (built / "public" / "CNAME").write_text("mine")
    (built / "posts" / ".draft.swp").write_text("an editor's")
    os.utime(built / "posts", ns=(0, (built / "posts").stat().st_mtime_ns))
    (built / MEMORY).unlink()

    assert ketapress(built, "build").exit_code == 0
    assert said(settled(built)) is not None


def test_what_is_dated_in_the_future_appears_in_time(publication: Path) -> None:
    now = datetime.now(UTC)
    later = now + timedelta(hours=3)
    (publication / "posts" / "coming.md").write_text(f"---\ndate: {later.isoformat()}\n---\nComing.\n")
    settled(publication)

    assert said(publication, now + timedelta(hours=2)) is not None
    assert said(publication, later + timedelta(seconds=1)) is None


def test_a_clock_that_was_put_back_has_to_build(built: Path) -> None:
    assert said(built, datetime.now(UTC) - timedelta(hours=1)) is None


def test_a_variable_that_the_settings_use_is_an_input(
    publication: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace('"The Example Press"', '"The ${PRESS_NAME} Press"', 1))
    monkeypatch.setenv("PRESS_NAME", "Guessable")
    settled(publication)

    assert said(publication) is not None
    assert b"Guessable" not in (publication / MEMORY).read_bytes()
    monkeypatch.setenv("PRESS_NAME", "Other")
    assert said(publication) is None
    monkeypatch.delenv("PRESS_NAME")
    assert said(publication) is None


def test_what_is_remembered_is_its_owners(built: Path) -> None:
    assert (built / MEMORY).stat().st_mode & 0o077 == 0


def test_a_publication_with_editions_is_remembered_too(publication: Path) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    settled(publication)

    outcome, modules = quick(publication, "--json")

    assert not HEAVY & modules
    assert outcome.result["posts"] == 1
    ketapress(publication, "subscribers", "add", "weekly", "ada@example.org")
    assert process(publication)[0].exit_code == 0


def test_a_build_with_the_pages_of_editions_opens_no_store(publication: Path) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    (publication / "posts" / "2023-06-06-more.md").write_text("# More\n\nA post that came later.\n")
    outcome, modules = process(publication)
    assert outcome.exit_code == 0
    assert list((publication / "public/archive").glob("*/*.html"))
    assert len(list((publication / "public/2023").glob("*more*"))) == 1
    assert not {"sqlalchemy", "alembic"} & {name.partition(".")[0] for name in modules}


def test_with_postgresql_nothing_is_remembered(publication: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    toml = publication / "ketapress.toml"
    toml.write_text(
        toml.read_text()
        + '[database]\nurl = "postgresql+psycopg://localhost/k"\n[web]\n'
        + f'secret = "{"s" * 40}"\n'
    )

    assert BuildService(Publication(publication, {})).input_stamps({}) is None


@bounds(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_truncated_memory_is_none(built: Path, data: st.DataObject) -> None:
    memory = built / MEMORY
    whole = memory.read_bytes()
    try:
        memory.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        assert said(built, datetime.now(UTC)) is None
    finally:
        memory.write_bytes(whole)


@bounds(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_a_memory_of_anything_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".ketapress").mkdir(exist_ok=True)
    (tmp_path / MEMORY).write_bytes(content)

    assert said(tmp_path, datetime.now(UTC)) is None


def test_a_memory_from_elsewhere_cannot_write_to_the_terminal(built: Path) -> None:
    memory = built / MEMORY
    memory.write_bytes(memory.read_bytes().replace(b"public/: 1 post", b"public/: \x1b[2J1 post"))

    assert said(built) is None


def test_where_nothing_can_be_remembered_the_build_is_done_all_the_same(publication: Path) -> None:
    settled(publication)
    (publication / MEMORY).unlink()
    (publication / MEMORY).mkdir()

    assert ketapress(publication, "build").exit_code == 0
    assert (publication / MEMORY).is_dir()


def test_a_reader_that_leaves_is_no_fault(built: Path) -> None:
    command = f"{sys.executable} -m ketapress build | true"
    done = subprocess.run(command, shell=True, cwd=built, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(
        subprocess.check_output([sys.executable, "-m", "ketapress", "build", "--json"], cwd=built)
    )


def test_a_full_disk_behind_stdout_is_a_fault_and_no_traceback(built: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ketapress", "build"],
            cwd=built,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.startswith("error: the operating system reports: No space left on device.")
