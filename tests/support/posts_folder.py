"""A publication folder for the tests of this room, and short ways to read it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.posts.identity.registry import write_registry
from ketapress.posts.library import Library
from ketapress.posts.loader import load_posts
from support.factories import NOW, SITE, settings

BERLIN = settings(site=SITE._replace(timezone="Europe/Berlin"))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def write_publication(root: Path, files: Mapping[str, str | bytes]) -> Path:
    (root / "posts").mkdir(exist_ok=True)
    for name, content in files.items():
        path = root / "posts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


class FolderWithStamps:
    """A publication whose files get a new stamp with each change, however soon one follows another."""

    def __init__(self, root: Path, files: Mapping[str, str]) -> None:
        self.root = write_publication(root, files)
        self._stamps: dict[str, int] = {}

    def stamp(self, path: str) -> str:
        return f"0 {self._stamps.get(path, 0)} 0"

    def write(self, name: str, content: str) -> None:
        write_publication(self.root, {name: content})
        self._touch(name)

    def remove(self, name: str) -> None:
        (self.root / "posts" / name).unlink(missing_ok=True)
        self._touch(name)

    def _touch(self, name: str) -> None:
        path = f"{self.root / 'posts'}/{name}"
        self._stamps[path] = self._stamps.get(path, 0) + 1


def without_cache_state(library: Library) -> Library:
    """Return the library without what depends on the cache."""
    return library._replace(new_entries={}, problems_again=None)


def save_ids(root: Path, library: Library) -> None:
    """Writes down what was pinned, as a build does."""
    if library.new_ids is not None:
        write_registry(root, library.new_ids)


def load_and_save_ids(root: Path, now: datetime = NOW, site_settings: Settings | None = None) -> Library:
    """What a build does with the posts: read them, then keep the ids."""
    library = load_posts(root, site_settings or settings(), now)
    save_ids(root, library)
    return library


def load_single_post(
    root: Path, name: str, content: str | bytes, site_settings: Settings | None = None
) -> Post:
    """The post that a single file makes, without any problem."""
    library = load_posts(write_publication(root, {name: content}), site_settings or settings(), NOW)
    assert [str(problem) for problem in library.problems] == []
    (post,) = library.posts
    return post


def load_single_problem(root: Path, name: str, content: str | bytes) -> Problem:
    """The one error that a single file makes instead of a post."""
    library = load_posts(write_publication(root, {name: content}), settings(), NOW)
    assert library.posts == ()
    (problem,) = library.problems
    assert problem.severity is Severity.ERROR
    assert problem.cure
    assert library.files == 1
    return problem
