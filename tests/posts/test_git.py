"""A laptop and a server publish from clones of one repository: every pull works, and no id changes."""

import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from ketapress.model.errors import ConfigurationError
from ketapress.model.post import Post
from ketapress.posts.identity.registry import LEARNED_REGISTRY, read_registry, save_tracked_registry
from ketapress.posts.identity.registry_text import TRACKED_REGISTRY, format_registry
from ketapress.settings.scaffold_text import GITATTRIBUTES
from support.cli_runner import ketapress
from support.factories import new_publication
from support.posts_folder import load_and_save_ids, utc, write_publication

START = utc("2023-06-12T09:00:00")
HOUR = timedelta(hours=1)
WORDS = [
    "harbor",
    "boat",
    "herring",
    "dawn",
    "catch",
    "fee",
    "council",
    "vote",
    "bridge",
    "river",
    "mill",
    "stone",
    "winter",
    "bread",
    "salt",
]
_AUTHOR = ("-c", "user.name=Writer", "-c", "user.email=writer@example.org", "-c", "init.defaultBranch=main")


def git(folder: Path, *words: str) -> str:
    process = subprocess.run(
        ["git", *_AUTHOR, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert process.returncode == 0, f"git {' '.join(words)}: {process.stdout}{process.stderr}"
    return process.stdout


class Clone:
    """A clone in which posts are written and published."""

    def __init__(self, origin: Path, root: Path) -> None:
        git(origin.parent, "clone", "-q", str(origin), str(root))
        self.root = root
        self.ids: dict[str, set[str]] = {}
        self.published: dict[str, set[datetime | None]] = {}

    def publish(self, now: datetime) -> tuple[Post, ...]:
        library = load_and_save_ids(self.root, now)
        assert [problem for problem in library.problems if problem.code == "post.held"] == []
        for post in library.posts:
            self.ids.setdefault(post.tags[0], set()).add(post.id)
            self.published.setdefault(post.tags[0], set()).add(post.published)
        return library.posts

    def pull(self) -> None:
        git(self.root, "pull", "-q", "--no-rebase", "--no-edit")

    def push(self) -> None:
        self.pull()
        git(self.root, "push", "-q")

    def commit(self) -> None:
        git(self.root, "add", "-A")
        if git(self.root, "status", "--porcelain"):
            git(self.root, "commit", "-q", "-m", "Change")

    def save_ids(self) -> None:
        registry = read_registry(self.root)
        if registry.first_built:
            save_tracked_registry(self.root, format_registry(registry), dry_run=False)

    def write(self, name: str, text: str) -> None:
        write_publication(self.root, {name: text})


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    root = tmp_path / "origin.git"
    git(tmp_path, "init", "-q", "--bare", str(root))
    first = Clone(root, tmp_path / "first")
    first.write("2023-06-01-first.md", source("first", "The first post."))
    (first.root / ".gitattributes").write_text(GITATTRIBUTES)
    first.commit()
    git(first.root, "push", "-q", "origin", "HEAD:main")
    git(root, "symbolic-ref", "HEAD", "refs/heads/main")
    return root


def source(token: str, text: str) -> str:
    return f"---\ntitle: About {token}\ntags: [{token}]\n---\n\n{text}\n"


def test_a_pull_works_where_the_laptop_saved_ids_and_the_server_published(
    origin: Path, tmp_path: Path
) -> None:
    laptop, server = Clone(origin, tmp_path / "laptop"), Clone(origin, tmp_path / "server")
    for hour, name in enumerate(["one", "two", "three"]):
        laptop.write(f"2023-06-1{hour}-{name}.md", source(name, f"Words of {name}."))
        laptop.publish(START + hour * HOUR)
        laptop.save_ids()
        laptop.commit()
        laptop.push()
        server.pull()
        server.publish(START + hour * HOUR + HOUR / 2)
    assert server.ids == laptop.ids
    assert git(server.root, "status", "--porcelain") == ""
    assert (server.root / LEARNED_REGISTRY).exists()


def test_a_post_counts_for_editions_from_when_it_came_to_the_machine(origin: Path, tmp_path: Path) -> None:
    laptop, server = Clone(origin, tmp_path / "laptop"), Clone(origin, tmp_path / "server")
    server.publish(START)
    laptop.write("2023-06-12-new.md", source("new", "New."))
    laptop.publish(START + HOUR)
    laptop.save_ids()
    laptop.commit()
    laptop.push()
    server.pull()
    server.publish(START + 5 * HOUR)
    entries = {entry.path: entry for entry in read_registry(server.root).entries}
    assert entries["2023-06-12-new.md"].published == START + 5 * HOUR
    assert entries["2023-06-12-new.md"].in_editions


@pytest.mark.parametrize("is_known", [True, False])
def test_a_rename_that_was_published_elsewhere_keeps_its_id_here(
    origin: Path, tmp_path: Path, is_known: bool
) -> None:
    laptop, server = Clone(origin, tmp_path / "laptop"), Clone(origin, tmp_path / "server")
    laptop.publish(START)
    if is_known:
        server.publish(START)
    git(laptop.root, "mv", "posts/2023-06-01-first.md", "posts/2023-06-02-renamed.md")
    laptop.publish(START + HOUR)
    laptop.write("2023-06-02-renamed.md", "---\ntitle: Other\ntags: [first]\n---\n\nAll is new.\n")
    laptop.publish(START + 2 * HOUR)
    laptop.save_ids()
    laptop.commit()
    laptop.push()
    server.pull()
    server.publish(START + 3 * HOUR)
    assert server.ids == laptop.ids
    assert len(server.ids["first"]) == 1


class Author:
    """Writes, renames and deletes posts on the laptop, while both machines publish, push and pull."""

    def __init__(self, laptop: Clone, server: Clone, random: Random) -> None:
        self.laptop = laptop
        self.machines = (laptop, server)
        self.random = random
        self.names = {"first": "2023-06-01-first.md"}
        self.now = START

    def act(self) -> None:
        self.now += HOUR
        works = (
            self.write,
            self.edit,
            self.rename,
            self.delete,
            self.publish,
            self.save,
            self.push,
            self.pull,
        )
        self.random.choice(works)()

    def write(self) -> None:
        token = f"token{len(self.names)}x{self.now:%d%H}"
        self.names[token] = f"{self.now.date()}-{token}.md"
        self.laptop.write(self.names[token], source(token, self.text(token)))

    def edit(self) -> None:
        token = self.random.choice([*self.names])
        self.laptop.write(self.names[token], source(token, self.text(token)))

    def rename(self) -> None:
        token = self.random.choice([*self.names])
        name = self.names[token]
        self.names[token] = f"{name[:11]}moved{self.now:%d%H}.md"
        (self.laptop.root / "posts" / name).rename(self.laptop.root / "posts" / self.names[token])

    def delete(self) -> None:
        if len(self.names) > 1:
            token = self.random.choice([*self.names])
            (self.laptop.root / "posts" / self.names.pop(token)).unlink()

    def publish(self) -> None:
        self.random.choice(self.machines).publish(self.now)

    def save(self) -> None:
        machine = self.random.choice(self.machines)
        machine.save_ids()
        machine.commit()

    def push(self) -> None:
        machine = self.random.choice(self.machines)
        machine.commit()
        machine.push()

    def pull(self) -> None:
        self.laptop.commit()
        self.random.choice(self.machines).pull()

    def text(self, token: str) -> str:
        return " ".join(f"{word}{token}" for word in self.random.choices(WORDS, k=20))


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_push_pull_and_publish_changes_no_id(origin: Path, tmp_path: Path, seed: int) -> None:
    laptop, server = Clone(origin, tmp_path / "laptop"), Clone(origin, tmp_path / "server")
    author = Author(laptop, server, Random(seed))
    for _ in range(40):
        author.act()
    for machine in (laptop, server, laptop):
        machine.save_ids()
        machine.commit()
        machine.push()
        machine.publish(author.now)
    for machine in (laptop, server):
        assert {token: len(ids) for token, ids in machine.ids.items()} == dict.fromkeys(machine.ids, 1)
        assert len(set().union(*machine.ids.values())) == len(machine.ids)


def conflict(root: Path, style: str) -> str:
    """Return the ids file after a merge without the union driver, of two sides that both added and changed lines."""
    git(root.parent, "init", "-q", str(root))
    write_publication(
        root, {"a.md": "---\ndate: 2023-06-01\n---\nA.\n", "b.md": "---\ndate: 2023-06-02\n---\nB.\n"}
    )
    load_and_save_ids(root, START)
    path = root / TRACKED_REGISTRY

    def commit_change(side: str, now: datetime) -> None:
        write_publication(root, {"a.md": f"---\ndate: 2023-06-01\n---\nA of {side}.\n"})
        write_publication(root, {f"{side}.md": f"---\ndate: 2023-06-12\n---\nOnly on {side}.\n"})
        load_and_save_ids(root, now)
        save_tracked_registry(root, format_registry(read_registry(root)), dry_run=False)
        git(root, "add", TRACKED_REGISTRY)
        git(root, "commit", "-q", "-m", side)

    save_tracked_registry(root, format_registry(read_registry(root)), dry_run=False)
    git(root, "add", TRACKED_REGISTRY)
    git(root, "commit", "-q", "-m", "Start")
    git(root, "branch", "other")
    learned = (root / LEARNED_REGISTRY).read_text()
    commit_change("left", START + HOUR)
    git(root, "checkout", "-q", "other")
    (root / LEARNED_REGISTRY).write_text(learned)
    (root / "posts/left.md").unlink()
    commit_change("right", START + 2 * HOUR)
    words = ["git", *_AUTHOR, "-c", f"merge.conflictStyle={style}", "merge", "-q", "main"]
    assert subprocess.run(words, cwd=root, capture_output=True, check=False).returncode == 1
    (root / LEARNED_REGISTRY).unlink()
    return path.read_text()


@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
def test_the_marks_of_a_conflict_are_resolved_where_that_is_certain(tmp_path: Path, style: str) -> None:
    root = tmp_path / "clone"
    assert ">>>>>>>" in conflict(root, style)
    entries = {entry.path: entry for entry in read_registry(root).entries}
    assert sorted(entries) == ["a.md", "b.md", "left.md", "right.md"]
    assert entries["a.md"].updated == START + 2 * HOUR


def test_one_id_of_two_posts_is_named_and_not_guessed(tmp_path: Path) -> None:
    write_publication(tmp_path, {"2023-06-01-news.md": "One.\n"})
    load_and_save_ids(tmp_path, START)
    path = tmp_path / TRACKED_REGISTRY
    header, line = path.read_text().splitlines()
    other = line.replace("2023-06-01", "2023-06-05").replace('"sha256": "', '"sha256": "0')
    path.write_text(f"{header}\n{line}\n{other}\n")
    with pytest.raises(ConfigurationError, match="another post") as error_info:
        read_registry(tmp_path)
    assert error_info.value.problems[0].line == 3


HARMLESS: dict[str, Callable[[list[str]], list[str]]] = {
    "a byte order mark": lambda lines: ["\ufeff" + lines[0], *lines[1:]],
    "a line twice": lambda lines: [*lines, lines[1]],
    "every line twice": lambda lines: [*lines, *lines],
    "backwards": lambda lines: [lines[0], *lines[:0:-1]],
    "line ends of Windows": lambda lines: [f"{line}\r" for line in lines],
    "blank lines": lambda lines: ["", *[part for line in lines for part in (line, "")]],
}


@pytest.mark.parametrize("case", HARMLESS)
def test_harmless_changes_of_the_file_change_no_id(tmp_path: Path, case: str) -> None:
    write_publication(tmp_path, {"2023-06-01-a.md": "A.\n", "2023-06-02-b.md": "B.\n"})
    posts = load_and_save_ids(tmp_path, START).posts
    path = tmp_path / TRACKED_REGISTRY
    entries = read_registry(tmp_path).entries
    path.write_text("\n".join(HARMLESS[case](path.read_text().splitlines())) + "\n", newline="")
    assert read_registry(tmp_path).entries == entries
    assert load_and_save_ids(tmp_path, START + HOUR).posts == posts


def test_ids_save_writes_what_this_machine_learned(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "clone")
    (tmp_path / "clone/site").mkdir()
    root = new_publication(tmp_path / "clone/site")
    assert ketapress(root, "ids", "save", "--json").result["changed"] is False
    ketapress(root, "build", "--at", "2023-06-12T09:00")
    assert not (root / TRACKED_REGISTRY).exists()
    assert ketapress(root, "ids", "save", "--dry-run", "--json").result["changed"]
    assert not (root / TRACKED_REGISTRY).exists()
    assert ketapress(root, "ids", "save", "--json").result == {
        "path": TRACKED_REGISTRY,
        "posts": 1,
        "changed": True,
        "dry_run": False,
    }
    assert (root / TRACKED_REGISTRY).read_bytes() == (root / LEARNED_REGISTRY).read_bytes()
    assert ketapress(root, "ids", "save").stdout.endswith("nothing is written.\n")
