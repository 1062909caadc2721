"""Building on what is there gives what building from nothing gives, and touches only what differs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings as bounds, strategies as st

from ketapress.builder.builder import BuildReport, build
from ketapress.model.edition import Decision, EditionState, Slot, StoredEdition
from ketapress.model.post import Image, Post
from ketapress.model.settings import Author, FeedSettings, Settings, WebSettings
from ketapress.templates.environment import Templates
from support.factories import NOW, SITE, WEEKLY, post, settings
from support.targets import tree

WHOLE_POSTS_IN_FRONT = "{% for post in posts %}{{ post.html }}{% endfor %}{% for year in years %}{{ year.posts[-1].html }}{% endfor %}"


PAGES = {f"archive/{name}.html" for name in ("index", "subscribe", "year", "tags", "tag", "post")}
Own = tuple[tuple[str, str], ...]
"""An editor's own templates: names and sources."""
FILLS: dict[Own, Templates] = {}


SETTINGS = settings()


class State(NamedTuple):
    """All that a build reads."""

    posts: tuple[Post, ...]
    editions: tuple[StoredEdition, ...] = ()
    settings: Settings = SETTINGS
    templates: Own = ()
    now: datetime = NOW


def issue(number: int = 1, **values: Any) -> StoredEdition:
    slot = Slot("weekly", f"2023-06-{number:02}T0800", datetime(2023, 6, number, 8, tzinfo=UTC))
    state, web = EditionState.READY, "<html><head></head><body>Issue</body></html>"
    whole = {"decision": Decision.COMPOSED, "state": state, "subject": f"Issue {number}", "web_html": web}
    return StoredEdition(id=number, slot=slot, **(whole | values))


def days_apart(count: int) -> tuple[Post, ...]:
    tags = (("Care",), ("Care", "C++"), (), ("craft",))
    return tuple(
        post(f"p{n}", date=NOW - timedelta(days=1 + 17 * n), tags=tags[n % len(tags)]) for n in range(count)
    )


BASE = State(days_apart(14), (issue(5), issue(12)), settings(feeds=FeedSettings(entries=3)))


def with_post(number: int, **values: Any) -> Callable[[State], State]:
    def changed(state: State) -> State:
        before, after = state.posts[:number], state.posts[number + 1 :]
        return state._replace(posts=(*before, state.posts[number]._replace(**values), *after))

    return changed


def with_site(**values: Any) -> Callable[[State], State]:
    return lambda state: state._replace(
        settings=state.settings._replace(site=state.settings.site._replace(**values))
    )


CHANGES: Mapping[str, Callable[[State], State]] = {
    "title": with_post(6, title="Another"),
    "body": with_post(6, html="<p>Another.</p>", sha256="0" * 64, updated=NOW),
    "body of the newest": with_post(0, html="<p>Another.</p>", sha256="1" * 64, updated=NOW),
    "summary": with_post(1, summary="Another."),
    "tags": with_post(6, tags=("C++", "new")),
    "spelling of a tag": with_post(4, tags=("care",)),
    "date": with_post(6, date=NOW - timedelta(days=400), published=NOW - timedelta(days=400)),
    "language": with_post(2, lang="ar"),
    "direction": with_post(2, dir="rtl"),
    "authors": with_post(2, authors=("Ada",)),
    "picture": with_post(2, image=Image(url="https://example.org/i.png", alt="A press")),
    "canonical": with_post(2, canonical="https://elsewhere.example/"),
    "alias": with_post(2, aliases=("/old/", "/2023/p3.html")),
    "address": with_post(2, url="2023/moved.html", aliases=("2023/p2.html",)),
    "draft": with_post(2, draft=True),
    "expired": with_post(2, expires=NOW),
    "removed": lambda state: state._replace(posts=state.posts[1:]),
    "all removed": lambda state: state._replace(posts=()),
    "added": lambda state: state._replace(posts=(post("new", tags=("Care",)), *state.posts)),
    "swapped": lambda state: with_post(1, url=state.posts[3].url)(
        with_post(3, url=state.posts[1].url)(state)
    ),
    "time": lambda state: state._replace(now=NOW - timedelta(days=40)),
    "edition": lambda state: state._replace(editions=(*state.editions, issue(1))),
    "edition's page": lambda state: state._replace(editions=(issue(5, web_html="<p>Another</p>"), issue(12))),
    "edition's subject": lambda state: state._replace(editions=(issue(5), issue(12, subject="Another"))),
    "no editions": lambda state: state._replace(editions=()),
    "accent": with_site(accent="#123456"),
    "site's title": with_site(title="Another"),
    "site's language": with_site(language="he"),
    "site's author": with_site(author=Author("Ada")),
    "site's address": with_site(url="https://example.net/press"),
    "zone": with_site(timezone="Asia/Tokyo"),
    "length of feeds": lambda state: state._replace(
        settings=state.settings._replace(feeds=FeedSettings(entries=5))
    ),
    "newsletter": lambda state: state._replace(
        settings=state.settings._replace(newsletters={"weekly": WEEKLY._replace(title="Another")}),
    ),
    "door": lambda state: state._replace(
        settings=state.settings._replace(web=WebSettings(url="https://door.example"))
    ),
    "own page": lambda state: state._replace(
        templates=(("post.html", "{{ post.title }}{% if newer %}{{ newer.html }}{% endif %}"),)
    ),
    "own front page": lambda state: state._replace(templates=(("index.html", WHOLE_POSTS_IN_FRONT),)),
    "own part": lambda state: state._replace(templates=(("colophon.html", "Ours"),)),
}


@pytest.fixture(scope="module", autouse=True)
def fills(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Templates are compiled once for each set of them, in a folder that stays."""
    FILLS.clear()
    for templates in {change(BASE).templates for change in CHANGES.values()}:
        root = tmp_path_factory.mktemp("templates")
        write_templates(root, templates)
        FILLS[templates] = Templates(root)


def write_templates(root: Path, templates: Own) -> None:
    folder = root / "templates" / "archive"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, source in templates:
        (folder / name).write_text(source)


def built(root: Path, state: State) -> BuildReport:
    write_templates(root, state.templates)
    (root / ".ketapress").mkdir(exist_ok=True)
    return build(root, state.settings, state.posts, state.editions, FILLS[state.templates], state.now)


def cold(state: State) -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        built(Path(folder), state)
        return tree(Path(folder) / "public")


def times(folder: Path) -> dict[str, tuple[int, int]]:
    """What tells that a file was written: its time, and its number, which another file in its place would not have."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in folder.rglob("*")
        if path.is_file()
    }


def assert_built_on(root: Path, state: State) -> None:
    """Builds in a folder where another state was built: as from nothing, and nothing touched that was right."""
    public = root / "public"
    before, then = tree(public), times(public)
    report = built(root, state)
    after, now = tree(public), times(public)
    assert after == cold(state)
    same = {path for path in after if before.get(path) == after[path]}
    assert {path: now[path] for path in same} == {path: then[path] for path in same}
    assert (report.written, report.unchanged) == (len(after) - len(same), len(same))
    assert report.removed == len(before.keys() - after.keys())


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_gives_what_a_new_build_gives_and_so_does_taking_it_back(
    tmp_path: Path, change: str
) -> None:
    changed = CHANGES[change](BASE)
    built(tmp_path, BASE)

    assert_built_on(tmp_path, changed)
    assert_built_on(tmp_path, BASE)


@pytest.mark.parametrize("own", ["own page", "own front page"])
def test_templates_of_ones_own_may_show_bodies_anywhere(tmp_path: Path, own: str) -> None:
    state = CHANGES[own](BASE)
    built(tmp_path, state)

    assert_built_on(tmp_path, with_post(13, html="<p>Another.</p>")(state))
    assert_built_on(tmp_path, with_post(0, html="<p>Another.</p>")(state))


@bounds(max_examples=10, deadline=None)
@given(st.lists(st.lists(st.sampled_from(sorted(CHANGES)), max_size=3), min_size=2, max_size=3))
def test_any_changes_in_any_order_give_what_a_new_build_gives(walks: Sequence[Sequence[str]]) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "public").mkdir()
        for walk in walks:
            state = BASE._replace(posts=BASE.posts[:8])
            for change in walk:
                if len(state.posts) > 7:
                    state = CHANGES[change](state)
            assert_built_on(Path(folder), state)


class Counting:
    """The shipped templates, and which of them were filled."""

    def __init__(self) -> None:
        self.filled: list[str] = []

    def __call__(self, name: str, values: Mapping[str, Any]) -> str:
        self.filled.append(name)
        return FILLS[()](name, values)


def test_nothing_is_filled_where_nothing_changed(tmp_path: Path) -> None:
    built(tmp_path, BASE)
    counting = Counting()

    build(tmp_path, BASE.settings, BASE.posts, BASE.editions, counting, NOW)

    assert counting.filled == []


def test_only_what_shows_a_post_is_filled_where_it_changed(tmp_path: Path) -> None:
    built(tmp_path, BASE)
    before, counting = tree(tmp_path / "public"), Counting()
    changed = with_post(6, title="Another")(BASE)

    build(tmp_path, BASE.settings, changed.posts, BASE.editions, counting, NOW)

    pages = {path for path, content in tree(tmp_path / "public").items() if before.get(path) != content}
    assert {"2023/p5.html", "2023/p6.html", "2023/p7.html"} <= pages  # its own, and those before and after it
    assert "2023/p8.html" not in pages
    assert "archive/year.html" in counting.filled
    assert counting.filled.count("archive/post.html") == 3
    assert "archive/style.css" not in counting.filled


def test_another_body_leaves_the_lists_alone(tmp_path: Path) -> None:
    built(tmp_path, BASE)
    counting = Counting()
    changed = with_post(6, html="<p>Another.</p>", sha256="0" * 64, updated=NOW)(BASE)

    build(tmp_path, BASE.settings, changed.posts, BASE.editions, counting, NOW)

    assert {"archive/post.html"} == {name for name in counting.filled if name in PAGES}


def test_an_edit_of_the_public_folder_is_undone(tmp_path: Path) -> None:
    built(tmp_path, BASE)
    for path in ("index.html", "feed.xml", "2023/p1.html"):
        (tmp_path / "public" / path).write_text("edited")
    (tmp_path / "public" / "atom.xml").unlink()

    report = built(tmp_path, BASE)

    assert report.written == 4
    assert tree(tmp_path / "public") == cold(BASE)


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_lost_or_broken_memory_costs_time_and_nothing_else(tmp_path: Path, cut: int) -> None:
    built(tmp_path, BASE)
    memory = tmp_path / ".ketapress" / "build.db"
    memory.write_bytes(memory.read_bytes()[:cut])

    report = built(tmp_path, BASE)

    assert (report.written, report.removed) == (0, 0)
    assert tree(tmp_path / "public") == cold(BASE)


def test_the_site_is_the_same_for_everybody(tmp_path: Path) -> None:
    """Nothing of the folder's place or of the moment of the build is in it."""
    later = BASE._replace(now=NOW + timedelta(hours=1))

    assert cold(BASE) == cold(later)
    assert str(tmp_path).encode() not in b"".join(cold(BASE).values())
    assert SITE.title.encode() in cold(BASE)["index.html"]
