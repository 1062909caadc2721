"""A file that is missing and a new one that came in the same run: the same post, a question, or two posts."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from unicodedata import normalize

import pytest

from ketapress.posts.identity.registry import read_registry
from ketapress.posts.library import Library
from ketapress.posts.text.word_sketch import MIN_WORDS, parse_sketch, sketch_words, word_share
from support.posts_folder import load_and_save_ids, utc, write_publication

TEXT = (
    "The harbor opens at dawn and closes when the last of seven boats has brought its catch of herring home."
)
OTHER_TEXT = (
    "Nobody on that committee wanted higher fees, yet every proposal before them raised those fees again."
)
DAY = timedelta(days=1)


def source(title: str = "", day: str = "2023-06-07", text: str = TEXT, **header: str) -> str:
    lines = "".join(f"{name}: {value}\n" for name, value in ({"title": title} | header).items() if value)
    return f"---\ndate: {day}\n{lines}---\n\n{text}\n"


def build_moments() -> Iterator[datetime]:
    moment = utc("2023-06-12T09:00:00")
    while True:
        yield moment
        moment += DAY


class Folder:
    """A publication that is built once a day."""

    def __init__(self, root: Path, files: Mapping[str, str]) -> None:
        self.root = root
        self.moments = build_moments()
        self.id = self.build(files).posts[0].id

    def build(self, files: Mapping[str, str | None]) -> Library:
        write_publication(
            self.root, {name: content for name, content in files.items() if content is not None}
        )
        for name, content in files.items():
            if content is None:
                (self.root / "posts" / name).unlink()
        return load_and_save_ids(self.root, next(self.moments))


def questions(library: Library) -> list[str | None]:
    return [problem.path for problem in library.problems if problem.code == "post.held"]


RENAMED_AND_EDITED = {
    "the same words on the same day": ("b.md", source("Fees", text=f"{TEXT} Not on Sundays.")),
    "the same words under the same slug": ("2023-06-09-a.md", source("", "2023-06-09", f"{TEXT} Daily.")),
    "the same words and title": ("b.md", source("Alpha", "2023-06-09", f"{TEXT} Not on Sundays.")),
    "the same title on the same day": ("b.md", source("Alpha", text=OTHER_TEXT)),
    "the same title in capitals": ("b.md", source("ALPHA", text=OTHER_TEXT)),
    "another folder": ("2023/a.md", source("Alpha", text=OTHER_TEXT)),
    "another format": ("a.html", source("Alpha", text=f"<p>{OTHER_TEXT}</p>")),
    "half of the text": ("b.md", source("", text=" ".join(TEXT.split()[:14]))),
}


@pytest.mark.parametrize("case", RENAMED_AND_EDITED)
def test_a_post_renamed_and_edited_in_one_commit_is_the_same_post(tmp_path: Path, case: str) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha")})
    name, content = RENAMED_AND_EDITED[case]
    library = folder.build({"a.md": None, name: content})
    assert [(post.id, post.hold) for post in library.posts] == [(folder.id, False)]
    assert library.problems == ()


ALIKE = {
    "the same slug": ("2023-06-09-a.md", source("Fees", "2023-06-09", OTHER_TEXT)),
    "the same title": ("b.md", source("Alpha", "2023-06-09", OTHER_TEXT)),
    "a similar title on the same day": ("b.md", source("ALPHA two", text=OTHER_TEXT)),
    "most of the words": ("b.md", source("Fees", "2023-06-09", f"{TEXT} Not on Sundays.")),
}


@pytest.mark.parametrize("case", ALIKE)
def test_a_post_that_may_be_a_missing_one_is_asked_about(tmp_path: Path, case: str) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha")})
    name, content = ALIKE[case]
    library = folder.build({"a.md": None, name: content})
    assert questions(library) == [f"posts/{name}"]
    assert library.posts[0].hold


@pytest.mark.parametrize("case", ALIKE)
def test_a_file_that_came_in_a_later_run_is_not_asked_about(tmp_path: Path, case: str) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha"), "z.md": source("Other", text=OTHER_TEXT)})
    folder.build({"a.md": None})
    name, content = ALIKE[case]
    assert questions(folder.build({name: content})) == []


def test_a_post_a_day_after_one_was_deleted_is_never_held(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha"), "b.md": source("Boats", "2023-06-08", "Of boats.")})
    for day in range(13, 30):
        name = f"2023-06-{day}-post-{day}.md"
        change = {"b.md": None} if day == 13 else {}
        library = folder.build({name: f"The text of day {day}, which has a few words.\n", **change})
        assert library.problems == ()
        assert next(post for post in library.posts if post.path == name).published


def test_an_unrelated_post_in_the_same_run_is_not_held(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha")})
    library = folder.build(
        {"a.md": None, "b.md": source("Fees", text=OTHER_TEXT), "2023-06-09-c.md": source("ALPHA two")[:60]}
    )
    assert [post.path for post in library.posts if post.path == "b.md" and not post.hold] == ["b.md"]


def test_a_question_stays_while_the_new_file_is_away(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha")})
    renamed = source("ALPHA two", text=OTHER_TEXT)
    assert questions(folder.build({"a.md": None, "b.md": renamed})) == ["posts/b.md"]
    assert folder.build({"b.md": None}).posts == ()
    assert folder.build({}).posts == ()
    assert questions(folder.build({"b.md": renamed})) == ["posts/b.md"]
    assert questions(folder.build({"b.md": f"{renamed} And more."})) == ["posts/b.md"]


def test_a_question_moves_with_the_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha")})
    renamed = source("ALPHA two", text=OTHER_TEXT)
    folder.build({"a.md": None, "b.md": renamed})
    folder.build({"b.md": None})
    assert questions(folder.build({"c.md": renamed})) == ["posts/c.md"]


@pytest.mark.parametrize("same", [True, False])
def test_one_answer_closes_the_questions_about_a_missing_post(tmp_path: Path, same: bool) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha")})
    second, third = source("ALPHA two", text="Two."), source("Alpha three", text="Three.")
    held = folder.build({"a.md": None, "b.md": second, "c.md": third})
    assert questions(held) == ["posts/b.md", "posts/c.md"]
    answer = folder.id if same else held.posts[0].id
    library = folder.build({"b.md": source("ALPHA two", text="Two.", id=answer)})
    assert library.posts[0].id == answer
    assert questions(library) == ([] if same else ["posts/c.md"])


def test_an_answered_question_leaves_the_missing_post_gone(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha")})
    held = folder.build({"a.md": None, "b.md": source("ALPHA two", text=OTHER_TEXT)})
    assert read_registry(tmp_path).entries[0].gone is None
    folder.build({"b.md": source("ALPHA two", text=OTHER_TEXT, id=held.posts[0].id)})
    entries = {entry.id: entry for entry in read_registry(tmp_path).entries}
    assert entries[folder.id].gone
    assert not entries[held.posts[0].id].question


def test_the_return_of_the_missing_file_answers_also_where_the_new_one_is_away(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha")})
    renamed = source("ALPHA two", text=OTHER_TEXT)
    folder.build({"a.md": None, "b.md": renamed})
    folder.build({"b.md": None, "a.md": source("Alpha")})
    library = folder.build({"b.md": renamed})
    assert questions(library) == []
    assert [post.id == folder.id for post in library.posts] == [True, False]


def test_two_posts_that_may_both_be_the_missing_one_are_asked_about(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha")})
    library = folder.build(
        {"a.md": None, "b.md": source("Alpha", text="B."), "c.md": source("Alpha", text="C.")}
    )
    assert questions(library) == ["posts/b.md", "posts/c.md"]


def test_a_question_of_an_older_version_is_asked_only_where_the_posts_are_alike(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"a.md": source("Alpha")})
    folder.build(
        {"a.md": None, "b.md": source("ALPHA two", text="Two."), "c.md": source("Alpha 3", text="3.")}
    )
    path = tmp_path / "posts/.published.jsonl"
    path.write_text(path.read_text().replace(f', "question": ["{folder.id}"]', ""))
    library = folder.build({"c.md": source("Fees", "2023-06-10", OTHER_TEXT)})
    assert questions(library) == ["posts/b.md"]


@pytest.mark.parametrize("is_composed", [True, False])
def test_a_name_in_another_normal_form_is_the_same_name(tmp_path: Path, is_composed: bool) -> None:
    names = [normalize("NFC", "2023-06-07-Übung.md"), normalize("NFD", "2023-06-07-Übung.md")]
    old, new = names if is_composed else reversed(names)
    folder = Folder(tmp_path, {old: "One.\n"})
    library = folder.build({old: None, new: "Mended.\n"})
    assert [(post.id, post.hold) for post in library.posts] == [(folder.id, False)]


@pytest.mark.parametrize("share", [1.0, 0.75, 0.5, 0.25, 0.0])
def test_the_share_of_common_words_is_estimated(share: float) -> None:
    estimates = []
    for turn in range(20):
        words = [f"word{turn}x{number}" for number in range(500)]
        # Of 500 words, so many are replaced that the two texts have the share of all their words in common.
        common = round(1000 * share / (1 + share))
        other_words = [*words[:common], *(f"other{turn}x{number}" for number in range(500 - common))]
        sketches = [parse_sketch(sketch_words(" ".join(text))) for text in (words, other_words)]
        estimates.append(word_share(*sketches))
    assert abs(sum(estimates) / len(estimates) - share) < 0.08


def test_a_few_words_have_no_sketch() -> None:
    assert sketch_words(" ".join(map(str, range(MIN_WORDS - 1)))) == ""
    assert word_share(parse_sketch(""), parse_sketch("")) == 0
