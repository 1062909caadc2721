"""The map of the house, as data. A failure teaches: it names the file and line, and what to do instead."""

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from factories import REPOSITORY

SOURCE = REPOSITORY / "src" / "ketapress"

PLACES = {
    "archive",
    "editions",
    "feeds",
    "mail",
    "outbox",
    "people",
    "posts",
    "relay",
    "settings",
    "store",
    "templates",
}
FLOORS: tuple[set[str], ...] = (
    {"model"},
    PLACES,
    {"build", "check", "compose", "deliver", "review", "subscribe", "unchanged"},
    {"app"},
    {"__main__", "cli", "daemon", "web"},
)
"""From the ground up. A room may import its own modules and rooms of lower floors."""

NEIGHBOURS = {("check", "compose"), ("cli", "daemon"), ("__main__", "cli")}
"""`check` looks at editions by the very code that composes them; `ketapress run` opens the daemon's door."""

OUTSIDE = {"testing"}
"""Shipped for tests; no floor's business."""

EDGES = {
    "archive/folder.py",
    "archive/stamps.py",
    "archive/state.py",
    "outbox/folder.py",
    "posts/folder.py",
    "posts/ids.py",
    "relay/line.py",
    "relay/smtp.py",
    "settings/file.py",
    "settings/folder.py",
    "settings/secret.py",
    "templates/files.py",
    "templates/folder.py",
} | {f"store/{path.name}" for path in (SOURCE / "store").glob("*.py")}
"""The only files below the acts that touch disk, net or database."""

LIBRARIES_OF_EDGES = {
    "sqlalchemy",
    "alembic",
    "socket",
    "ssl",
    "sqlite3",
    "shutil",
    "tempfile",
    "subprocess",
    "fcntl",
}
WRITING_CALLS = {"write_text", "write_bytes", "unlink", "mkdir", "rename", "replace_file", "rmtree", "touch"}
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("time", "time"),
    ("date", "today"),
}
STANDARD_ONLY = "model"

FILES = sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def floor(name: str) -> int:
    return next(index for index, rooms in enumerate(FLOORS) if name in rooms)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def own_imports(path: Path) -> Iterator[tuple[int, str]]:
    for line, module in imports(path):
        if module.startswith("ketapress."):
            yield line, module.split(".")[1]


def named(path: Path, line: int) -> str:
    return f"{path.relative_to(REPOSITORY)}:{line}"


def in_house(path: Path) -> bool:
    return room(path) not in OUTSIDE | {"__init__"}


def test_every_room_stands_on_a_floor() -> None:
    rooms = {room(path) for path in FILES if in_house(path)}
    unknown = rooms - set().union(*FLOORS)
    assert not unknown, (
        f"{unknown}: give each new room a floor in tests/test_layers.py and docs/ARCHITECTURE.md"
    )


def test_imports_go_down_and_neighbours_are_strangers() -> None:
    wrong = []
    for path in filter(in_house, FILES):
        here = room(path)
        for line, there in own_imports(path):
            if there == here or (here, there) in NEIGHBOURS:
                continue
            if there in OUTSIDE or floor(there) >= floor(here):
                wrong.append(
                    f"{named(path, line)}: `{here}` imports `{there}`, which is not below it. "
                    "Hand it in as an argument, or join the two in an act."
                )
    assert not wrong, "\n".join(wrong)


def test_the_model_needs_only_the_standard_library() -> None:
    standard = __import__("sys").stdlib_module_names
    wrong = [
        f"{named(path, line)}: the model imports `{module}`. Keep nouns free of libraries; the place that needs it may."
        for path in FILES
        if room(path) == STANDARD_ONLY
        for line, module in imports(path)
        if module.split(".")[0] not in standard | {"ketapress"}
    ]
    assert not wrong, "\n".join(wrong)


def test_only_edges_touch_disk_net_and_database() -> None:
    wrong = []
    for path in FILES:
        relative = path.relative_to(SOURCE).as_posix()
        if room(path) not in PLACES | {"model"} or relative in EDGES or relative.startswith("store/"):
            continue
        wrong += [
            f"{named(path, line)}: `{module}` belongs to an edge. Move the call to the room's edge, or name this file one."
            for line, module in imports(path)
            if module.split(".")[0] in LIBRARIES_OF_EDGES
        ]
        wrong += [
            f"{named(path, node.lineno)}: `.{node.func.attr}()` writes to the disk: only an edge may."
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in WRITING_CALLS
        ]
    assert not wrong, "\n".join(wrong)


def test_nothing_below_the_doors_reads_the_clock_or_draws_lots() -> None:
    wrong = []
    for path in FILES:
        if room(path) in FLOORS[-1] | OUTSIDE:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func
            if called and isinstance(called.value, ast.Name) and (called.value.id, called.attr) in CLOCKS:
                wrong.append(
                    f"{named(path, node.lineno)}: time is an argument here: take `now` from the caller."
                )
            if (
                isinstance(node, ast.Import)
                and any(alias.name == "random" for alias in node.names)
                and room(path) != "deliver"
            ):
                wrong.append(
                    f"{named(path, node.lineno)}: chance is an argument here: take `rng` from the caller."
                )
    assert not wrong, "\n".join(wrong)


def test_modules_import_each_other_without_circles() -> None:
    modules = {
        ".".join(("ketapress", *path.relative_to(SOURCE).with_suffix("").parts)): path for path in FILES
    }
    graph = {
        name.removesuffix(".__init__"): {there for _, there in imports(path) if there in modules}
        for name, path in modules.items()
    }

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, "a circle of imports: " + " -> ".join((*trail[trail.index(name) :], name))
        if name not in seen:
            for there in sorted(graph.get(name, ())):
                walk(there, (*trail, name))
            seen.add(name)

    seen: set[str] = set()
    for name in sorted(graph):
        walk(name, ())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), (
        f"{path.name} needs a docstring: what comes in, what goes out"
    )


def test_the_floors_are_five_and_no_room_is_on_two() -> None:
    assert len(FLOORS) == 5
    for lower, upper in pairwise(FLOORS):
        assert not lower & upper
