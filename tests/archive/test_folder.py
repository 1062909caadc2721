"""public/ holds what was made, nothing else of ours, and no file is touched that is as it should be."""

import os
from pathlib import Path

import pytest

from ketapress.archive.folder import Written, write_outputs
from ketapress.model.errors import RefusedError

PAGES = [("index.html", b"one"), ("2023/a.html", b"two"), ("2023/b.html", b"three")]


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def code_of(folder: Path, path: str) -> str:
    with pytest.raises(RefusedError) as caught:
        write_outputs(folder, [(path, b"x")], ())
    return caught.value.problems[0].code


def test_outputs_become_files(tmp_path: Path) -> None:
    written = write_outputs(tmp_path / "public", PAGES, ())

    assert tree(tmp_path / "public") == dict(PAGES)
    assert written == Written(written=3, unchanged=0, removed=0, paths=frozenset(dict(PAGES)))


def test_an_equal_file_is_not_touched(tmp_path: Path) -> None:
    write_outputs(tmp_path, PAGES, ())
    for path in dict(PAGES):
        os.utime(tmp_path / path, (1, 1))

    again = write_outputs(tmp_path, [*PAGES[:2], ("2023/b.html", b"changed")], dict(PAGES))

    assert (again.written, again.unchanged, again.removed) == (1, 2, 0)
    assert [(tmp_path / path).stat().st_mtime == 1 for path in dict(PAGES)] == [True, True, False]


def test_what_is_no_longer_made_goes_with_the_folders_it_leaves_empty(tmp_path: Path) -> None:
    write_outputs(tmp_path, [*PAGES, ("tags/x/feed.xml", b"x")], ())

    again = write_outputs(tmp_path, PAGES[:2], [*dict(PAGES), "tags/x/feed.xml", "never/was.html"])

    assert again.removed == 2
    assert tree(tmp_path) == dict(PAGES[:2])
    assert not (tmp_path / "tags").exists()


def test_a_file_of_somebody_else_stays(tmp_path: Path) -> None:
    (tmp_path / "2023").mkdir()
    (tmp_path / "2023" / "photo.jpg").write_bytes(b"mine")
    (tmp_path / "CNAME").write_bytes(b"mine")
    write_outputs(tmp_path, PAGES, ())

    write_outputs(tmp_path, [], dict(PAGES))

    assert tree(tmp_path) == {"2023/photo.jpg": b"mine", "CNAME": b"mine"}


def test_a_dry_run_counts_and_touches_nothing(tmp_path: Path) -> None:
    write_outputs(tmp_path, PAGES, ())

    written = write_outputs(tmp_path, [PAGES[0], ("new/c.html", b"")], dict(PAGES), dry_run=True)

    assert (written.written, written.unchanged, written.removed) == (1, 1, 2)
    assert tree(tmp_path) == dict(PAGES)


def test_of_two_outputs_of_one_path_the_first_is_kept_and_the_path_is_named(tmp_path: Path) -> None:
    written = write_outputs(tmp_path, [*PAGES, ("index.html", b"a post's")], ())

    assert written.clashes == ("index.html",)
    assert tree(tmp_path) == dict(PAGES)


def test_no_half_written_file_is_left(tmp_path: Path) -> None:
    write_outputs(tmp_path, PAGES, ())

    assert not [path for path in tree(tmp_path) if path not in dict(PAGES)]


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
    write_outputs(public, [("index.html", b"theirs")], ())

    assert (outside / "a.html").read_bytes() == b"theirs"
    assert not (public / "index.html").is_symlink()


def test_a_public_folder_that_is_itself_a_link_is_the_operators_choice(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "public").symlink_to(tmp_path / "www")

    write_outputs(tmp_path / "public", PAGES, ())

    assert tree(tmp_path / "www") == dict(PAGES)


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.html").mkdir()

    with pytest.raises(RefusedError) as caught:
        write_outputs(tmp_path, PAGES, ())

    problem = caught.value.problems[0]
    assert (problem.code, problem.path) == ("public.blocked", f"{tmp_path.name}/index.html")


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "2023").write_bytes(b"mine")

    assert code_of(tmp_path, "2023/a.html") == "public.blocked"
