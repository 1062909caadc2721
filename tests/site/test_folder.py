"""public/ holds what was made, nothing else of ours, and no file is touched that is as it should be."""

import os
from collections.abc import Collection
from pathlib import Path

import pytest

from ketapress.builder.writer import WriteResult, write_targets
from ketapress.model.build_target import BuildTarget
from ketapress.model.errors import RefusedError
from ketapress.system.build_cache import BuildCache
from support.targets import file_targets, tree

PAGES = {"index.html": b"one", "2023/a.html": b"two", "2023/b.html": b"three"}


def write(
    folder: Path, files: dict[str, bytes], old_paths: Collection[str] = (), *, dry_run: bool = False
) -> WriteResult:
    return write_list(folder, file_targets(files), old_paths, dry_run=dry_run)


def write_list(
    folder: Path, targets: list[BuildTarget], old_paths: Collection[str] = (), *, dry_run: bool = False
) -> WriteResult:
    """Write targets with a build cache that stands beside the folder."""
    cache = BuildCache(folder.with_name(f"{folder.name}.db"))
    return write_targets(folder, [], targets, cache, old_paths, dry_run=dry_run)


def code_of(folder: Path, path: str) -> str:
    with pytest.raises(RefusedError) as caught:
        write(folder, {path: b"x"})
    return caught.value.problems[0].code


def counts(written: WriteResult) -> tuple[int, int, int]:
    return written.written, written.unchanged, written.removed


def test_outputs_become_files(tmp_path: Path) -> None:
    written = write(tmp_path / "public", PAGES)

    assert tree(tmp_path / "public") == PAGES
    assert counts(written) == (3, 0, 0)
    assert written.stamps.keys() == PAGES.keys()


def test_what_has_the_same_key_is_not_made_again(tmp_path: Path) -> None:
    first = write(tmp_path, PAGES)
    targets = [target._replace(render=lambda: b"never asked for") for target in file_targets(PAGES)]

    again = write_list(tmp_path, targets)

    assert counts(again) == (0, 3, 0)
    assert again.stamps == first.stamps
    assert tree(tmp_path) == PAGES


def test_an_equal_file_is_not_touched_whatever_its_key(tmp_path: Path) -> None:
    write(tmp_path, PAGES)
    for path in PAGES:
        os.utime(tmp_path / path, (1, 1))

    changed = PAGES | {"2023/b.html": b"changed"}
    again = write_list(tmp_path, [target._replace(key="new") for target in file_targets(changed)])

    assert counts(again) == (1, 2, 0)
    assert [(tmp_path / path).stat().st_mtime == 1 for path in PAGES] == [True, True, False]


@pytest.mark.parametrize("content", [b"one and more", b"two"])
def test_a_file_that_somebody_edited_comes_back(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, PAGES)
    before = (tmp_path / "index.html").stat()
    (tmp_path / "index.html").write_bytes(content)
    os.utime(tmp_path / "index.html", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert counts(write(tmp_path, PAGES)) == (1, 2, 0)
    assert tree(tmp_path) == PAGES


def test_a_file_that_somebody_removed_comes_back(tmp_path: Path) -> None:
    write(tmp_path, PAGES)
    (tmp_path / "2023" / "a.html").unlink()

    assert counts(write(tmp_path, PAGES)) == (1, 2, 0)
    assert tree(tmp_path) == PAGES


def test_what_is_no_longer_made_goes_with_the_folders_it_leaves_empty(tmp_path: Path) -> None:
    write(tmp_path, PAGES | {"tags/x/feed.xml": b"x"})
    kept = {"index.html": PAGES["index.html"]}

    again = write(tmp_path, kept, ["never/was.html"])

    assert again.removed == 3
    assert tree(tmp_path) == kept
    assert not (tmp_path / "tags").exists()


def test_a_file_of_somebody_else_stays(tmp_path: Path) -> None:
    (tmp_path / "2023").mkdir()
    (tmp_path / "2023" / "photo.jpg").write_bytes(b"mine")
    (tmp_path / "CNAME").write_bytes(b"mine")
    write(tmp_path, PAGES)

    write(tmp_path, {})

    assert tree(tmp_path) == {"2023/photo.jpg": b"mine", "CNAME": b"mine"}


def test_a_memory_that_names_files_elsewhere_removes_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")

    written = write(tmp_path / "public", PAGES, ["../mine", "a/../../mine"])

    assert written.removed == 0
    assert (tmp_path / "mine").exists()


def test_a_dry_run_counts_and_touches_nothing(tmp_path: Path) -> None:
    write(tmp_path, PAGES)
    changed = {"index.html": PAGES["index.html"], "new/c.html": b""}

    for _ in range(2):
        assert counts(write(tmp_path, changed, dry_run=True)) == (1, 1, 2)
        assert tree(tmp_path) == PAGES


def test_of_two_outputs_of_one_path_the_first_is_kept_and_the_path_is_named(tmp_path: Path) -> None:
    written = write_list(tmp_path, [*file_targets(PAGES), *file_targets({"index.html": b"a post's"})])

    assert written.clashes == ("index.html",)
    assert tree(tmp_path) == PAGES


def test_no_half_written_file_is_left(tmp_path: Path) -> None:
    write(tmp_path, PAGES)

    assert not [path for path in tree(tmp_path) if path not in PAGES]


@pytest.mark.parametrize(
    "path", ["../a", "a/../../b", "a/..", "/etc/passwd/..", "a\\b", "x\0y", "a/", "", "."]
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    assert code_of(tmp_path / "public", path) == "public.outside"


def test_a_symbolic_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.html").write_bytes(b"theirs")
    public = tmp_path / "public"
    public.mkdir()
    (public / "2023").symlink_to(outside)
    (public / "index.html").symlink_to(outside / "a.html")

    assert code_of(public, "2023/a.html") == "public.outside"
    write(public, {"index.html": b"theirs"})

    assert (outside / "a.html").read_bytes() == b"theirs"
    assert not (public / "index.html").is_symlink()


def test_a_public_folder_that_is_itself_a_link_is_the_operators_choice(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "public").symlink_to(tmp_path / "www")

    write(tmp_path / "public", PAGES)

    assert tree(tmp_path / "www") == PAGES


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.html").mkdir()

    written = write(tmp_path, PAGES)

    (problem,) = written.problems
    assert (problem.code, problem.path) == ("public.blocked", f"{tmp_path.name}/index.html")
    assert all((tmp_path / path).is_file() for path in PAGES if path != "index.html")


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "2023").write_bytes(b"mine")

    (problem,) = write(tmp_path, {"2023/a.html": b"", "b.html": b"b"}).problems

    assert problem.code == "public.blocked"
    assert (tmp_path / "b.html").read_bytes() == b"b"


def test_a_page_of_an_earlier_build_gives_way_to_a_folder_and_back(tmp_path: Path) -> None:
    for path in ("old", "old/a.html", "old"):
        assert write(tmp_path, {path: b"x"}).problems == ()
        assert tree(tmp_path) == {path: b"x"}


@pytest.mark.parametrize(
    ("first", "second"),
    [("a.html", "a.html/index.html"), ("a.html/x/index.html", "a.html"), ("a/b", "a/b/c/d"), ("a/b/c", "a")],
)
def test_a_file_and_a_folder_of_one_name_clash(tmp_path: Path, first: str, second: str) -> None:
    written = write_list(tmp_path, [*file_targets({first: b"1"}), *file_targets({second: b"2", "z": b"z"})])

    assert written.clashes == (second,)
    assert tree(tmp_path) == {first: b"1", "z": b"z"}
