"""Whatever changes between two readings, one with the cache returns what one without it returns."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings as bounds, strategies as st

from ketapress.posts.cache.post_cache import PostCache
from ketapress.posts.library import Library
from ketapress.posts.loader import load_posts
from ketapress.system.build_cache import BuildCache
from support.factories import NOW, settings
from support.posts_folder import FolderWithStamps, save_ids, without_cache_state

FILES = {
    "2023-06-01-plain.txt": "Thursday, June 01, 2023\n\nLead: A text.\n\nMore of it.\n",
    "2023-06-02-linking.md": "---\ntags: [a, b]\n---\nSee [that](2023-06-03-other.md) and [this](none.md#x).\n",
    "2023-06-03-other.md": "---\ntitle: Other\nexpires: 2030-01-01\n---\n# One\n\n## Two\n\n[^1]\n\n[^1]: Note.\n",
    "2023-06-06-arabic.md": '---\ndate: "2023-06-06 10:00 +0300"\nimage: /i.png\nlang: ar\n---\nالسلام عليكم\n',
    "2023-06-07-draft.md": "---\ndraft: true\naliases: [/old]\n---\nA draft.\n",
    "2023-07-01-coming.md": "In the future.\n",
    "2023-06-04-named.md": "---\nid: mine\nslug: my-own\n---\nIt has an id.\n",
    "no-date.md": "Nothing says when.\n",
    "_index.md": "A section.\n",
    "deep/2023-06-08-index.md": "---\nauthor: Ada\nupdated: maybe\n---\nDeep. ![](picture.png)\n",
    "deep/picture.png": "a picture",
}


class FolderReadTwice(FolderWithStamps):
    """A publication that is read with the cache and, beside it, as if for the first time; ids are kept."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, FILES)

    def read(self, days: float = 0) -> Library:
        """The library, which is the same both ways."""
        now = NOW + timedelta(days=days)
        cache = PostCache(BuildCache(self.root / "build.db"), "a program", self.stamp)
        expected = load_posts(self.root, settings(), now)
        library = load_posts(self.root, settings(), now, cache)
        assert without_cache_state(library) == without_cache_state(expected)
        assert repr(library.posts) == repr(expected.posts)
        save_ids(self.root, library)
        cache.save(library.new_entries, frozenset(post.path for post in library.posts), now.timestamp())
        if library.problems_again is not None:
            assert library.problems_again == load_posts(self.root, settings(), now).problems
        return library


@pytest.fixture
def folder(tmp_path: Path) -> FolderReadTwice:
    """A folder that was read twice: what is reported only once is reported."""
    publication = FolderReadTwice(tmp_path)
    publication.read()
    publication.read()
    return publication


def test_where_nothing_changed_nothing_is_new(folder: FolderReadTwice) -> None:
    library = folder.read(1)

    assert library.new_ids is None
    assert not library.new_entries
    assert library.files == len(FILES) - 2


CHANGES_OF_ONE = {
    "the body": ("2023-06-03-other.md", "---\ntitle: Other\nexpires: 2030-01-01\n---\nOther words.\n"),
    "the title": ("2023-06-03-other.md", "---\ntitle: Another\nexpires: 2030-01-01\n---\nWords.\n"),
    "tags": ("2023-06-02-linking.md", "---\ntags: [c]\n---\nSee [that](2023-06-03-other.md).\n"),
    "a link to another post": ("2023-06-03-other.md", "---\nexpires: 2030-01-01\n---\n[It](my-own.md)\n"),
    "a link to nowhere": ("2023-06-04-named.md", "---\nid: mine\nslug: my-own\n---\n[No](gone.md).\n"),
    "what is left behind": ("2023-06-01-plain.txt", "Thursday, June 01, 2023\n\nLead: {% include x %}\n"),
    "an old address": ("2023-06-04-named.md", "---\nid: mine\nslug: my-own\naliases: [/x]\n---\nNew.\n"),
    "nothing": ("2023-06-04-named.md", FILES["2023-06-04-named.md"]),
    "a language": ("2023-06-06-arabic.md", '---\ndate: "2023-06-06 10:00 +0300"\nlang: de\n---\nHallo.\n'),
    "a new post": ("2023-06-09-new.md", "A new one."),
    "a new picture": ("deep/other.png", "a picture"),
    "a broken file": ("2023-06-01-plain.txt", ""),
    "another date": ("2023-06-06-arabic.md", '---\ndate: "2023-06-05 10:00 +0300"\n---\nX.\n'),
    "another slug": ("2023-06-04-named.md", "---\nid: mine\nslug: other\n---\nIt has an id.\n"),
    "another id": ("2023-06-04-named.md", "---\nid: other\nslug: my-own\n---\nIt has an id.\n"),
    "no draft any more": ("2023-06-07-draft.md", "No draft.\n"),
    "words of a draft": ("2023-06-07-draft.md", "---\ndraft: true\naliases: [/old]\n---\nA longer draft.\n"),
    "held back": ("2023-06-02-linking.md", "---\nhold: true\n---\nWords.\n"),
    "an end": ("2023-06-02-linking.md", "---\nexpires: 2031-01-01\n---\nWords.\n"),
    "a picture": ("2023-06-02-linking.md", "Look: ![](deep/picture.png)\n"),
    "a file that could not be read": ("no-date.md", "---\ndate: 2023-06-09\n---\nNow it has one.\n"),
    "the ids": (".published.jsonl", '{"schema": 1, "first_built": "2023-06-12T09:00:00Z"}\n'),
}


@pytest.mark.parametrize("case", CHANGES_OF_ONE)
def test_after_a_change_of_one_file_both_readings_return_the_same(folder: FolderReadTwice, case: str) -> None:
    folder.write(*CHANGES_OF_ONE[case])
    folder.read(1)
    library = folder.read(2)

    assert not library.new_entries


def test_a_post_that_came_too_late_is_reported_each_time(folder: FolderReadTwice) -> None:
    folder.write("2023-01-09-late.md", "---\nid: late\n---\nLate.\n")
    folder.read(1)
    before = folder.read(2)
    folder.write("2023-01-09-late.md", "---\nid: late\n---\nLate, and longer.\n")
    after = folder.read(3)

    codes = [problem.code for problem in before.problems if problem.path == "posts/2023-01-09-late.md"]
    assert codes == ["post.late"]
    assert after.problems == before.problems


def test_where_a_post_is_gone_the_question_about_a_new_one_is_asked(folder: FolderReadTwice) -> None:
    folder.remove("2023-06-02-linking.md")
    folder.write("2023-06-02-linking-more.md", "Maybe the same.\n")
    library = folder.read(1)

    assert [problem.code for problem in library.problems if problem.needs_answer] == ["post.held"]
    assert [problem.code for problem in folder.read(1).problems if problem.needs_answer] == ["post.held"]


def test_posts_that_change_in_one_second_have_different_times(folder: FolderReadTwice) -> None:
    folder.write("2023-06-03-other.md", "---\ntitle: Other\nexpires: 2030-01-01\n---\nNew.\n")
    folder.read(1)
    folder.write("2023-06-04-named.md", "---\nid: mine\nslug: my-own\n---\nNew, too.\n")
    folder.write("2023-06-02-linking.md", "New as well.\n")
    library = folder.read(1)

    assert len({post.updated for post in library.posts}) == len(library.posts)


CONTENTS = st.sampled_from(
    [
        *FILES.values(),
        "",
        "---\ntitle: [\n---\n",
        "---\nid: mine\n---\nX",
        "---\ntitle: Other\nslug: my-own\n---\nX",
        "See [it](2023-06-01-plain.txt) and [it](deep/picture.png).",
    ]
)
CHANGES = st.tuples(st.sampled_from([*FILES, "2023-06-09-new.md", "deep/paper.pdf"]), st.none() | CONTENTS)


@bounds(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.lists(CHANGES, max_size=2), st.sampled_from([0, 1, 25])), min_size=1, max_size=6)
)
@example([([("2023-06-03-other.md", "See [it](2023-06-01-plain.txt).")], 1)] * 3)
def test_after_any_changes_both_readings_say_the_same(
    walks: Sequence[tuple[Sequence[tuple[str, str | None]], int]],
) -> None:
    with TemporaryDirectory() as place:
        folder, day = FolderReadTwice(Path(place)), 0
        folder.read()
        for walk, days in walks:
            for name, content in walk:
                if content is None:
                    folder.remove(name)
                else:
                    folder.write(name, content)
            day += days
            folder.read(day)
