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
    {
        "alerts",
        "build",
        "check",
        "compose",
        "deliver",
        "doctor",
        "refresh",
        "restore",
        "review",
        "subscribe",
        "unchanged",
    },
    {"app", "logs", "mailing"},
    {"__main__", "cli", "daemon", "web"},
)
"""From the ground up. A room may import its own modules and rooms of lower floors."""

ACTS, DOORS = 2, 4
"""Which floor is which."""

NEIGHBOURS = {
    ("app", "mailing"),
    ("check", "compose"),
    ("refresh", "compose"),
    ("restore", "compose"),
    ("cli", "daemon"),
    ("cli", "web"),
    ("daemon", "web"),
    ("__main__", "cli"),
}
"""Whoever looks at editions or makes one again does it by the code that composes them; doors open doors."""

OUTSIDE = {"testing"}
"""Shipped for tests; no floor's business."""

EDGES = {
    "doctor/folder.py",
    "alerts/memory.py",
    "archive/folder.py",
    "archive/processes.py",
    "archive/stamps.py",
    "archive/state.py",
    "check/overlooked.py",
    "feeds/specimens.py",
    "outbox/folder.py",
    "outbox/record.py",
    "posts/beside.py",
    "posts/cache.py",
    "posts/files.py",
    "posts/folder.py",
    "posts/ids.py",
    "relay/line.py",
    "relay/smtp.py",
    "settings/acted.py",
    "settings/file.py",
    "settings/folder.py",
    "settings/secret.py",
    "templates/files.py",
    "templates/folder.py",
    "unchanged.py",
} | {path.relative_to(SOURCE).as_posix() for path in (SOURCE / "store").rglob("*.py")}
"""The only files below the acts that touch disk, net or database."""

LIBRARIES_OF_EDGES = {
    "doctor/folder.py",
    "alerts/memory.py",
    "aiosmtplib",
    "alembic",
    "fcntl",
    "http",
    "psycopg",
    "requests",
    "shutil",
    "smtplib",
    "socket",
    "sqlalchemy",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "urllib.request",
}
DISK_METHODS = {
    "exists",
    "glob",
    "is_dir",
    "is_file",
    "iterdir",
    "mkdir",
    "read_bytes",
    "read_text",
    "rename",
    "rglob",
    "rmdir",
    "rmtree",
    "stat",
    "symlink_to",
    "touch",
    "unlink",
    "write_bytes",
    "write_text",
}
DISK_OF_OS = {
    "listdir",
    "makedirs",
    "mkdir",
    "open",
    "read",
    "remove",
    "rename",
    "replace",
    "rmdir",
    "scandir",
    "stat",
    "unlink",
    "write",
}
CLOCKS = {
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "datetime.datetime.now",
    "time.time",
    "time.time_ns",
    "date.today",
}
CHANCE = {"random", "secrets", "uuid"}
CHANCE_ALLOWED = {
    "mailing.py": "as the wiring, of which it is a part",
    "app.py": "the wiring supplies chance, as the doors supply the clock",
    "store/migrations/versions/r0001_people_editions_deliveries.py": "makes, once, the key that hides erased addresses",
}
STANDARD_ONLY = "model"

FILES = sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def floor(name: str) -> int:
    return next(index for index, rooms in enumerate(FLOORS) if name in rooms)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, also `from ketapress import review`; relative imports are refused below."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "ketapress":
            yield from ((node.lineno, f"ketapress.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def own_imports(path: Path) -> Iterator[tuple[int, str]]:
    for line, module in imports(path):
        if module.startswith("ketapress.") and module != "ketapress.__version__":
            yield line, module.split(".")[1]


def floor_of(path: Path) -> int:
    return floor(room(path)) if in_house(path) else DOORS


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


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Every call in a file, as it is written: `open`, `os.replace`, `file.write_text`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def touches_disk(call: str) -> bool:
    module, _, name = call.rpartition(".")
    return (
        call == "open" or (module == "os" and name in DISK_OF_OS) or (bool(module) and name in DISK_METHODS)
    )


def test_only_edges_touch_disk_net_and_database() -> None:
    wrong = []
    for path in FILES:
        relative = path.relative_to(SOURCE).as_posix()
        if floor_of(path) > ACTS or relative in EDGES:
            continue
        wrong += [
            f"{named(path, line)}: `{module}` belongs to an edge. Move the call to the room's edge, or name this file one."
            for line, module in imports(path)
            if floor_of(path) < ACTS and {module, module.split(".")[0]} & LIBRARIES_OF_EDGES
        ]
        wrong += [
            f"{named(path, line)}: `{call}()` touches the disk: only an edge may. Hand in what it reads."
            for line, call in calls(path)
            if touches_disk(call)
        ]
    assert not wrong, "\n".join(wrong)


def test_nothing_below_the_doors_reads_the_clock_or_draws_lots() -> None:
    wrong = []
    for path in FILES:
        if floor_of(path) >= DOORS:
            continue
        wrong += [
            f"{named(path, line)}: time is an argument here: take `now` from the caller."
            for line, call in calls(path)
            if call in CLOCKS
        ]
        if path.relative_to(SOURCE).as_posix() not in CHANCE_ALLOWED:
            wrong += [
                f"{named(path, node.lineno)}: chance is an argument here: take `rng` from the caller."
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Import | ast.ImportFrom) and draws_lots(node)
            ]
    assert not wrong, "\n".join(wrong)


def draws_lots(node: ast.Import | ast.ImportFrom) -> bool:
    """Whether an import brings chance; `Random`, the type of what is handed in, does not."""
    names = {alias.name for alias in node.names}
    if isinstance(node, ast.Import):
        return bool(names & CHANCE)
    return (node.module in CHANCE and names != {"Random"}) or (node.module == "time" and "time" in names)


def test_no_import_is_relative() -> None:
    relative = [
        named(path, node.lineno)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative, f"{relative}: write the whole name, so that a line says which room it asks"


def test_modules_import_each_other_without_circles() -> None:
    modules = {
        ".".join(("ketapress", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for path in FILES
    }
    graph = {
        name: {there for _, there in imports(path) if there in modules} for name, path in modules.items()
    }
    assert any(graph.values())

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
