"""Ids are decided once: edits, renames, copies, drafts, late files and missing files."""

from datetime import timedelta
from pathlib import Path

import pytest

from ketapress.model.errors import Severity
from ketapress.model.post import Post
from ketapress.posts.library import Library
from ketapress.posts.loader import load_posts
from support.factories import NOW, settings
from support.posts_folder import load_and_save_ids, utc, write_publication

LATER = utc("2023-06-20T09:00:00")
RENAMED = "---\ndate: 2023-06-19\nslug: a\n---\n\nRewritten.\n"
"""A post that may be `a.md` under another name: it has the same slug."""


def post_source(day: str = "2023-06-07", text: str = "Some text.", **header: str) -> str:
    lines = "".join(f"{name}: {value}\n" for name, value in header.items())
    return f"---\ndate: {day}\n{lines}---\n\n{text}\n"


def problem_codes(library: Library) -> list[str]:
    return [problem.code for problem in library.problems]


def find_post(library: Library, path: str) -> Post:
    return next(post for post in library.posts if post.path == path)


def test_in_the_first_build_every_past_post_is_published_at_its_date(tmp_path: Path) -> None:
    library = load_and_save_ids(
        write_publication(
            tmp_path, {"old.md": post_source("2019-02-12"), "new.md": post_source("2023-06-07", "Another.")}
        )
    )
    assert [post.edition_date for post in library.posts] == [
        utc("2023-06-07T06:00:00"),
        utc("2019-02-12T06:00:00"),
    ]
    assert all(post.in_editions and post.updated == post.edition_date for post in library.posts)


def test_reading_writes_nothing_and_says_whether_the_records_changed(tmp_path: Path) -> None:
    root = write_publication(tmp_path, {"a.md": post_source()})
    assert load_posts(root, settings(), NOW).new_ids
    assert [path.name for path in (root / "posts").iterdir()] == ["a.md"]
    first = load_and_save_ids(root)
    again = load_posts(root, settings(), LATER)
    assert again.new_ids is None
    assert again.posts == first.posts


def test_an_edit_keeps_the_id_and_moves_updated_only(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source(title="One")})).posts[0]
    after = load_and_save_ids(
        write_publication(tmp_path, {"a.md": post_source(text="Better text.", title="Two")}), LATER
    ).posts[0]
    assert (after.id, after.url, after.edition_date) == (before.id, before.url, before.edition_date)
    assert after.updated == LATER
    assert after.title == "Two"


def test_a_change_of_tags_or_summary_is_no_update(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()})).posts[0]
    after = load_and_save_ids(
        write_publication(tmp_path, {"a.md": post_source(tags="[x]", summary="Short.")}), LATER
    ).posts[0]
    assert (after.updated, after.tags) == (before.updated, ("x",))


def test_a_renamed_file_is_the_same_post(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()})).posts[0]
    (tmp_path / "posts/a.md").rename(tmp_path / "posts/2023-06-07-better-name.md")
    library = load_and_save_ids(tmp_path, LATER)
    assert problem_codes(library) == []
    (post,) = library.posts
    assert post == before._replace(path="2023-06-07-better-name.md", title="Better Name", face=post.face)


def test_a_file_renamed_and_rewritten_is_the_same_post_by_its_id(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()})).posts[0]
    (tmp_path / "posts/a.md").unlink()
    library = load_and_save_ids(
        write_publication(tmp_path, {"b.md": post_source(text="New words.", id=before.id)}), LATER
    )
    assert [(post.id, post.edition_date, post.updated) for post in library.posts] == [
        (before.id, before.edition_date, LATER)
    ]


def test_a_file_that_moved_and_left_its_name_to_another_keeps_its_id(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"latest.md": post_source(text="First.")})).posts[
        0
    ]
    files = {"archive.md": post_source(text="First."), "latest.md": post_source("2023-06-20", "Second.")}
    library = load_and_save_ids(write_publication(tmp_path, files), LATER)
    assert find_post(library, "archive.md").id == before.id
    assert find_post(library, "latest.md").edition_date == LATER


def test_a_copy_gets_an_id_of_its_own(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"b.md": post_source()})).posts[0]
    library = load_and_save_ids(
        write_publication(tmp_path, {"a.md": post_source(), "b.md": post_source()}),
        utc("2023-06-12T10:00:00"),
    )
    assert find_post(library, "b.md") == before
    assert find_post(library, "a.md").id != before.id


def test_a_new_file_is_held_while_a_published_one_is_missing(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()})).posts[0]
    (tmp_path / "posts/a.md").unlink()
    library = load_and_save_ids(write_publication(tmp_path, {"b.md": RENAMED}), LATER)
    (question,) = library.problems
    assert (question.code, question.where, question.severity) == ("post.held", "posts/b.md", Severity.WARNING)
    assert before.id in question.cure
    assert library.posts[0].hold
    assert not library.posts[0].visible(LATER)
    assert problem_codes(load_and_save_ids(tmp_path, LATER + timedelta(days=1))) == ["post.held"]


@pytest.mark.parametrize("same", [True, False])
def test_the_answer_to_the_question_is_an_id(tmp_path: Path, same: bool) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()})).posts[0]
    (tmp_path / "posts/a.md").unlink()
    load_and_save_ids(write_publication(tmp_path, {"b.md": RENAMED}), LATER)
    answer = before.id if same else "tag:example.org,2023:another"
    answer_date = LATER + timedelta(days=10)
    (post,) = load_and_save_ids(
        write_publication(tmp_path, {"b.md": post_source("2023-06-19", "Rewritten.", slug="a", id=answer)}),
        answer_date,
    ).posts
    assert post.id == answer
    assert post.edition_date == (before.edition_date if same else answer_date)
    assert post.visible(answer_date)
    assert post.in_editions


def test_a_file_that_comes_back_answers_the_question_too(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()})).posts[0]
    (tmp_path / "posts/a.md").unlink()
    load_and_save_ids(write_publication(tmp_path, {"b.md": RENAMED}), LATER)
    library = load_and_save_ids(
        write_publication(tmp_path, {"a.md": post_source()}), LATER + timedelta(hours=1)
    )
    assert problem_codes(library) == ["post.same-address"]
    assert find_post(library, "a.md") == before
    assert find_post(library, "b.md").edition_date == LATER + timedelta(hours=1)


def build_displaced(root: Path) -> tuple[Library, Library]:
    """Build before and after one post took the file name of another, whose own name a new post has."""
    before = load_and_save_ids(
        write_publication(
            root, {"a.md": post_source(text="One.", title="Alpha"), "b.md": post_source(text="Two.")}
        )
    )
    after = load_and_save_ids(
        write_publication(
            root, {"a.md": post_source(text="Two."), "b.md": post_source(text="Three.", title="Alpha two")}
        ),
        LATER,
    )
    return before, after


def test_a_post_may_take_the_name_of_one_that_is_asked_about(tmp_path: Path) -> None:
    before, after = build_displaced(tmp_path)
    assert "post.held" in problem_codes(after)
    assert find_post(after, "a.md").id == find_post(before, "b.md").id
    again = load_and_save_ids(
        write_publication(tmp_path, {"a.md": post_source(text="Two, and more.")}), LATER
    )
    assert find_post(again, "a.md").id == find_post(before, "b.md").id
    assert "post.held" in problem_codes(again)


def test_the_answer_may_be_a_post_whose_name_another_one_has(tmp_path: Path) -> None:
    before, _ = build_displaced(tmp_path)
    post = find_post(before, "a.md")
    library = load_and_save_ids(
        write_publication(tmp_path, {"b.md": post_source(text="Three.", id=post.id)}), LATER
    )
    assert problem_codes(library) == []
    assert find_post(library, "b.md").id == post.id
    assert find_post(library, "b.md").edition_date == post.edition_date


def test_a_post_that_is_gone_comes_back_by_its_id_whoever_has_its_name(tmp_path: Path) -> None:
    before = load_and_save_ids(
        write_publication(tmp_path, {"a.md": post_source(), "b.md": post_source(text="Stays.")})
    )
    (tmp_path / "posts/a.md").unlink()
    load_and_save_ids(tmp_path, LATER)
    (tmp_path / "posts/b.md").rename(tmp_path / "posts/a.md")
    load_and_save_ids(tmp_path, LATER)
    post = find_post(before, "a.md")
    library = load_and_save_ids(
        write_publication(tmp_path, {"c.md": post_source(text="Back again.", id=post.id)}), LATER
    )
    assert find_post(library, "c.md").id == post.id


def test_once_a_post_was_seen_to_be_gone_new_ones_are_not_asked_about(tmp_path: Path) -> None:
    before = load_and_save_ids(
        write_publication(tmp_path, {"2023-06-07-a.md": post_source(), "b.md": post_source(text="Stays.")})
    )
    (tmp_path / "posts/2023-06-07-a.md").unlink()
    load_and_save_ids(tmp_path, LATER)
    library = load_and_save_ids(
        write_publication(tmp_path, {"a.md": post_source("2023-06-19", "New.")}), LATER
    )
    assert [problem.code for problem in library.problems] == ["post.same-address"]
    assert find_post(library, "a.md").id not in {post.id for post in before.posts}
    assert "2023/a.html" in (library.new_ids or "")


def test_a_broken_file_has_not_vanished(tmp_path: Path) -> None:
    before = load_and_save_ids(
        write_publication(tmp_path, {"a.md": post_source(), "sub/b.md": post_source(text="Two.")})
    ).posts
    library = load_and_save_ids(
        write_publication(
            tmp_path, {"a.md": "---\ndate: [\n---\nx", "c.md": post_source("2023-06-19", "Three.")}
        ),
        LATER,
    )
    assert problem_codes(library) == ["post.header"]
    assert find_post(library, "c.md").edition_date == LATER
    library_after_fix = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()}), LATER)
    assert find_post(library_after_fix, "a.md") == before[0]


def test_a_scheduled_post_is_published_at_its_date_however_late_the_build(tmp_path: Path) -> None:
    post = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source("2023-06-15")})).posts[0]
    assert post.edition_date is None
    assert not post.visible(LATER)
    assert load_and_save_ids(tmp_path, LATER).posts[0].edition_date == utc("2023-06-15T06:00:00")


def test_a_scheduled_post_that_was_moved_to_an_earlier_day_is_published_now(tmp_path: Path) -> None:
    load_and_save_ids(write_publication(tmp_path, {"a.md": post_source("2023-06-25")}))
    assert (
        load_and_save_ids(write_publication(tmp_path, {"a.md": post_source("2023-06-01")}), LATER)
        .posts[0]
        .edition_date
        == LATER
    )


@pytest.mark.parametrize("switch", ["draft", "hold"])
def test_a_post_that_leaves_draft_or_hold_is_published_at_that_moment(tmp_path: Path, switch: str) -> None:
    draft = load_and_save_ids(
        write_publication(tmp_path, {"a.md": post_source("2023-01-01", **{switch: "true"})})
    ).posts[0]
    assert draft.edition_date is None
    assert (
        load_and_save_ids(write_publication(tmp_path, {"a.md": post_source("2023-01-01")}), LATER)
        .posts[0]
        .edition_date
        == LATER
    )


def test_a_published_post_that_becomes_a_draft_keeps_its_id_and_its_instant(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()})).posts[0]
    draft = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source(draft="true")}), LATER).posts[
        0
    ]
    assert not draft.visible(LATER)
    assert load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()}), LATER).posts[0] == before
    assert draft.edition_date == before.edition_date


def test_a_late_file_is_published_when_first_seen_or_goes_to_the_archive(tmp_path: Path) -> None:
    load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()}))
    files = {
        "late.md": post_source("2023-06-14", "Late."),
        "too-late.md": post_source("2023-06-13", "Too late."),
    }
    library = load_and_save_ids(write_publication(tmp_path, files), LATER)
    assert (find_post(library, "late.md").edition_date, find_post(library, "late.md").in_editions) == (
        LATER,
        True,
    )
    old = find_post(library, "too-late.md")
    assert (old.edition_date, old.in_editions) == (utc("2023-06-13T06:00:00"), False)
    assert problem_codes(library) == ["post.late"]


def test_updated_is_another_second_for_each_post_and_never_to_come(tmp_path: Path) -> None:
    files = {f"{number}.md": post_source(text=f"Text {number}.") for number in range(5)}
    first = load_and_save_ids(write_publication(tmp_path, files))
    assert [post.updated.second for post in first.posts] == [0, 1, 2, 3, 4]
    changed = load_and_save_ids(
        write_publication(tmp_path, {name: text.replace("Text", "Word") for name, text in files.items()}),
        LATER,
    )
    assert len({post.updated for post in changed.posts}) == 5
    assert max(post.updated for post in changed.posts) == LATER


def test_two_posts_with_one_address_get_two(tmp_path: Path) -> None:
    files = {
        "2023-05-01-news.md": post_source("2023-05-01", "May."),
        "2023-06-01-news.md": post_source("2023-06-01", "June."),
    }
    library = load_and_save_ids(write_publication(tmp_path, files))
    assert [post.url for post in library.posts] == ["2023/news.html", "2023/news-2.html"]
    assert problem_codes(library) == ["post.same-address"]
    assert load_and_save_ids(tmp_path, LATER).problems == ()


def test_many_posts_of_one_name_and_one_instant_are_told_apart(tmp_path: Path) -> None:
    library = load_and_save_ids(
        write_publication(
            tmp_path, {f"{folder}/note.md": post_source(text=f"Text {folder}.") for folder in range(30)}
        )
    )
    assert {post.url for post in library.posts} == {
        "2023/note.html",
        *(f"2023/note-{n}.html" for n in range(2, 31)),
    }
    assert len({post.updated for post in library.posts}) == 30


def test_index_is_the_archive_s_own_page(tmp_path: Path) -> None:
    assert (
        load_and_save_ids(write_publication(tmp_path, {"a.md": post_source(slug="index")})).posts[0].url
        == "2023/index-2.html"
    )


def test_a_new_slug_moves_the_address_and_leaves_the_old_one_as_an_alias(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()})).posts[0]
    post = load_and_save_ids(
        write_publication(tmp_path, {"a.md": post_source(slug="Better One")}), LATER
    ).posts[0]
    assert (post.id, post.url, post.aliases) == (
        before.id,
        "2023/better-one.html",
        ("2023/a.html",),
    )
    assert load_and_save_ids(tmp_path, LATER).posts[0] == post
    back = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source(slug="a")}), LATER).posts[0]
    assert (back.url, back.aliases) == ("2023/a.html", ("2023/better-one.html",))


def test_the_id_of_another_post_is_an_error_for_the_second(tmp_path: Path) -> None:
    files = {"a.md": post_source(id="urn:x:1"), "b.md": post_source(text="Two.", id="urn:x:1")}
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    assert [post.path for post in library.posts] == ["a.md"]
    assert [(problem.code, problem.where) for problem in library.problems] == [("post.same-id", "posts/b.md")]
    assert library.files == 2


def test_an_id_added_to_a_published_post_is_not_taken(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()})).posts[0]
    library = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source(id="urn:x:1")}), LATER)
    assert library.posts[0].id == before.id
    assert problem_codes(library) == ["post.id-pinned"]


def test_an_id_that_is_no_uri_becomes_one(tmp_path: Path) -> None:
    assert (
        load_and_save_ids(write_publication(tmp_path, {"a.md": post_source(id="42")})).posts[0].id
        == "https://example.org/#42"
    )


def test_another_domain_keeps_all_ids(tmp_path: Path) -> None:
    before = load_and_save_ids(write_publication(tmp_path, {"a.md": post_source()}))
    new_settings = settings(site=settings().site._replace(url="https://example.net"))
    after = load_posts(tmp_path, new_settings, LATER)
    assert (after.new_ids, after.posts[0].id) == (None, before.posts[0].id)
