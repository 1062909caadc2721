"""Each file in `posts/` is a post or a named problem, and the counts add up."""

import os
from errno import EACCES
from pathlib import Path

import pytest

from ketapress.model.errors import ConfigurationError, KetapressError, RefusedError
from ketapress.posts.loader import load_posts, new_post
from ketapress.posts.source.files import MAX_FILE_SIZE
from support.factories import NOW, settings
from support.posts_folder import BERLIN, load_single_post, load_single_problem, write_publication

GOOD = "---\ndate: 2023-06-07\n---\nText."


@pytest.mark.parametrize(
    ("content", "where", "words"),
    [
        (b"", "posts/x.md", "empty"),
        (b" \n\n", "posts/x.md", "empty"),
        (b"---\ndate: 2023-06-07\n---\n", "posts/x.md:4", "no text"),
        (b"---\ndate: 2023-06-07\n---\n\nCaf\xe9\n", "posts/x.md:5", "byte 4 of the line is 0xe9"),
        ("---\ndate: 2023-06-07\n---\nx".encode("utf-16"), "posts/x.md:1", "UTF-16"),
        (b"---\ndate: 2023-06-07\n---\n\na\0b", "posts/x.md:5", "NUL"),
        (b"Just text.", "posts/x.md:1", "`Just text.` is not a date"),
        (b"---\ntitle: A\ndate: 2023-02-30\n---\nx", "posts/x.md:3", "28 days"),
        (b"---\ntitle: A\ndate: soon\n---\nx", "posts/x.md:3", "`date: soon` is not a date"),
        (b"---\ndate: 2023-06-07\nexpires: never\n---\nx", "posts/x.md:3", "`expires: never`"),
        (b"---\ntitle: A: b\ndate: 2023-06-07\n---\nx", "posts/x.md:2", "a value contains a colon"),
        (b"---\ntitle: A\ndate: 2023-06-07\n", "posts/x.md:1", "never closed"),
        (b"---\n- a\n- b\n---\nx", "posts/x.md:1", "no `name: value` lines"),
        (b"a" * (MAX_FILE_SIZE + 1), "posts/x.md", "5.0 MB"),
    ],
)
def test_a_bad_file_is_named_with_line_cause_and_cure(
    tmp_path: Path, content: bytes, where: str, words: str
) -> None:
    problem = load_single_problem(tmp_path, "x.md", content)
    assert problem.where == where
    assert words in problem.message


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    library = load_posts(
        write_publication(tmp_path, {"a.md": GOOD, "b.md": b"\xff", "c.txt": "no date"}), settings(), NOW
    )
    assert [post.path for post in library.posts] == ["a.md"]
    assert [problem.where for problem in library.problems] == ["posts/b.md:1", "posts/c.txt:1"]
    assert library.files == 3


def test_pictures_and_hidden_files_are_no_posts(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.md": GOOD,
        "a.jpg": b"\xff\xd8",
        "style.css": "x",
        ".draft.md": "x",
        ".git/x.md": "x",
        "LICENSE": "x",
    }
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    assert (library.files, len(library.posts), library.problems) == (1, 1, ())


def test_writing_of_other_tools_is_named_and_counted(tmp_path: Path) -> None:
    assert "does not read .rst" in load_single_problem(tmp_path, "x.rst", "Title\n=====").message


def test_a_section_page_is_mentioned_and_not_counted(tmp_path: Path) -> None:
    library = load_posts(
        write_publication(tmp_path, {"a.md": GOOD, "en/_index.md": "---\ntitle: x\n---"}), settings(), NOW
    )
    assert library.files == 1
    assert [problem.code for problem in library.problems] == ["post.section"]


def test_sub_folders_are_read(tmp_path: Path) -> None:
    post = load_single_post(tmp_path, "2023/06/a-bundle/index.md", GOOD)
    assert (post.path, post.title, post.url) == (
        "2023/06/a-bundle/index.md",
        "A Bundle",
        "2023/a-bundle.html",
    )


def test_links_out_of_the_folder_are_refused_and_links_inside_are_read(tmp_path: Path) -> None:
    write_publication(tmp_path, {"a.md": GOOD})
    secret = tmp_path / "secret.md"
    secret.write_text(GOOD)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    links: dict[str, str | Path] = {
        "in.md": "a.md",
        "out.md": secret,
        "loop.md": "loop.md",
        "gone.md": "nothing",
        "dir": folder,
    }
    for name, target in links.items():
        (tmp_path / "posts" / name).symlink_to(target)
    library = load_posts(tmp_path, settings(), NOW)
    assert [post.path for post in library.posts] == ["a.md", "in.md"]
    bad = {problem.path for problem in library.problems if problem.code == "post.file"}
    assert bad == {f"posts/{name}" for name in ("out.md", "loop.md", "gone.md", "dir")}
    assert library.files == 6


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    write_publication(tmp_path, {"a.md": GOOD})
    os.mkfifo(tmp_path / "posts/pipe.md")
    (problem,) = load_posts(tmp_path, settings(), NOW).problems
    assert "not a regular file" in problem.message


def test_hostile_file_names(tmp_path: Path) -> None:
    names = [
        "<script>.md",
        'a&b "c".md',
        "日本語.md",
        "-rf.md",
        "%2e%2e.md",
        "x" * 240 + ".md",
        "'; drop.md",
        "a..b.md",
    ]
    files = {name: GOOD.replace("Text", f"Text {number}") for number, name in enumerate(names)}
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    assert len(library.posts) == len(names)
    for post in library.posts:
        assert post.title
        assert post.url.isascii()
        assert len(post.url) < 300
        assert not set(post.url) & set("<>\"' ?#")
        assert ".." not in post.url


@pytest.mark.parametrize("name", [b"a\nb.md", b"a\x1b[31m.md", b"\xff\xfe.md"])
def test_names_that_cannot_be_printed_are_problems(tmp_path: Path, name: bytes) -> None:
    write_publication(tmp_path, {})
    (tmp_path / "posts" / os.fsdecode(name)).write_text(GOOD)
    (problem,) = load_posts(tmp_path, settings(), NOW).problems
    assert "name" in problem.message
    assert str(problem).isprintable()


def test_no_folder_is_an_error_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ketapress init"):
        load_posts(tmp_path, settings(), NOW)


def test_a_new_post_is_a_draft_of_today_and_overwrites_nothing(tmp_path: Path) -> None:
    path = new_post(tmp_path, 'Say "hello": a note', BERLIN, NOW)
    assert path == tmp_path / "posts/2023-06-12-say-hello-a-note.md"
    (post,) = load_posts(tmp_path, BERLIN, NOW).posts if path.write_text(path.read_text() + "Text.") else ()
    assert (post.title, post.draft, post.date.isoformat()) == (
        'Say "hello": a note',
        True,
        "2023-06-12T06:00:00+02:00",
    )
    with pytest.raises(RefusedError, match="there already"):
        new_post(tmp_path, 'Say "hello": a note', BERLIN, NOW)
    assert issubclass(RefusedError, KetapressError)


def test_a_new_post_that_cannot_be_written_says_what_to_do_about_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(EACCES, "Permission denied")

    monkeypatch.setattr("ketapress.posts.loader.write_new", refused)
    with pytest.raises(RefusedError) as error:
        new_post(tmp_path, "A note", BERLIN, NOW)
    (problem,) = error.value.problems
    assert problem.message == "the post is not written: permission denied."
    assert "right to write there" in problem.cure


@pytest.mark.parametrize("ending", ["markdown", "mdown", "mkd", "mkdn", "MD"])
def test_every_ending_of_markdown(tmp_path: Path, ending: str) -> None:
    assert load_single_post(tmp_path, f"2023-06-07-x.{ending}", "*Text*").html == "<p><em>Text</em></p>"
