"""The layers of the source, as data. A failure names the file, the line, and what to do instead."""

import ast
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from support.factories import REPOSITORY

SOURCE = REPOSITORY / "src" / "ketapress"

LAYERS: Mapping[str, set[str]] = {
    "values": {"model"},
    "system": {"i18n", "system"},
    "packages": {
        "editions",
        "feeds",
        "mail",
        "outbox",
        "posts",
        "relay",
        "settings",
        "site",
        "store",
        "subscribers",
        "templates",
    },
    "use cases": {
        "alerts",
        "builder",
        "check",
        "compose",
        "deliver",
        "doctor",
        "refresh",
        "restore",
        "review",
        "subscribe",
    },
    "wiring": {"build_service", "database_service", "edition_service", "mail_service", "publication"},
    "entry points": {"__main__", "cli", "daemon", "web"},
}
"""From the bottom up. A package imports its own modules and the packages of lower layers."""

RANKS = {name: rank for rank, names in enumerate(LAYERS.values()) for name in names}
USE_CASES, ENTRY_POINTS = list(LAYERS).index("use cases"), list(LAYERS).index("entry points")

SAME_LAYER = {
    ("build_service", "publication"),
    ("database_service", "publication"),
    ("edition_service", "build_service"),
    ("edition_service", "publication"),
    ("mail_service", "publication"),
    ("check", "compose"),
    ("refresh", "compose"),
    ("restore", "compose"),
    ("cli", "daemon"),
    ("cli", "web"),
    ("daemon", "web"),
    ("__main__", "cli"),
}
"""Imports allowed inside a layer: whatever shows or remakes an edition does it with the code that composes it,
and entry points start each other."""

UNLAYERED = {"testing"}
"""Shipped for tests; no layer imports it."""

IO_MODULES = {
    "alerts/state.py",
    "builder/up_to_date.py",
    "builder/writer.py",
    "check/site_lint.py",
    "doctor/system.py",
    "outbox/sent_log.py",
    "outbox/writer.py",
    "posts/identity/recovery.py",
    "posts/identity/registry.py",
    "posts/loader.py",
    "posts/source/attachments.py",
    "posts/source/files.py",
    "relay/client.py",
    "relay/stream.py",
    "settings/loader.py",
    "settings/scaffold.py",
    "settings/schedule_history.py",
    "settings/secret.py",
    "templates/environment.py",
    "templates/sources.py",
} | {
    path.relative_to(SOURCE).as_posix()
    for package in ("store", "system")
    for path in (SOURCE / package).rglob("*.py")
}
"""The only modules below the wiring that touch disk, network or database."""

IO_LIBRARIES = {
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
    "mail_service.py": "part of the wiring",
    "publication.py": "the wiring supplies chance, as the entry points supply the clock",
    "store/migrations/versions/r0001_initial_schema.py": "creates the secret key of the hashes of erased addresses, once",
}

FILES = sorted(SOURCE.rglob("*.py"))


def top_package(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


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


def rank_of(path: Path) -> int:
    return RANKS[top_package(path)] if is_layered(path) else ENTRY_POINTS


def location(path: Path, line: int) -> str:
    return f"{path.relative_to(REPOSITORY)}:{line}"


def is_layered(path: Path) -> bool:
    return top_package(path) not in UNLAYERED | {"__init__"}


def test_every_package_has_a_layer() -> None:
    unknown = {top_package(path) for path in FILES if is_layered(path)} - set(RANKS)
    assert not unknown, (
        f"{unknown}: give each new package a layer in tests/test_layers.py and docs/ARCHITECTURE.md"
    )


def test_imports_go_down_and_packages_of_one_layer_are_independent() -> None:
    wrong = []
    for path in filter(is_layered, FILES):
        here = top_package(path)
        for line, there in own_imports(path):
            if there == here or (here, there) in SAME_LAYER:
                continue
            if there in UNLAYERED or RANKS[there] >= RANKS[here]:
                wrong.append(
                    f"{location(path, line)}: `{here}` imports `{there}`, which is not below it. "
                    "Pass it as an argument, or join the two in a use case."
                )
    assert not wrong, "\n".join(wrong)


def test_the_model_needs_only_the_standard_library() -> None:
    standard = __import__("sys").stdlib_module_names
    wrong = [
        f"{location(path, line)}: the model imports `{module}`. Values need no library; the package that needs it may."
        for path in FILES
        if top_package(path) == "model"
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


def test_only_io_modules_touch_disk_network_and_database() -> None:
    wrong = []
    for path in FILES:
        relative = path.relative_to(SOURCE).as_posix()
        if rank_of(path) > USE_CASES or relative in IO_MODULES:
            continue
        wrong += [
            f"{location(path, line)}: `{module}` belongs in an I/O module. Move the call there, or list this file as one."
            for line, module in imports(path)
            if rank_of(path) < USE_CASES and {module, module.split(".")[0]} & IO_LIBRARIES
        ]
        wrong += [
            f"{location(path, line)}: `{call}()` touches the disk: only an I/O module may. Pass in what it reads."
            for line, call in calls(path)
            if touches_disk(call)
        ]
    assert not wrong, "\n".join(wrong)


def test_nothing_below_the_entry_points_reads_the_clock_or_uses_chance() -> None:
    wrong = []
    for path in FILES:
        if rank_of(path) >= ENTRY_POINTS:
            continue
        wrong += [
            f"{location(path, line)}: time is an argument here: take `now` from the caller."
            for line, call in calls(path)
            if call in CLOCKS
        ]
        if path.relative_to(SOURCE).as_posix() not in CHANCE_ALLOWED:
            wrong += [
                f"{location(path, node.lineno)}: chance is an argument here: take `rng` from the caller."
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Import | ast.ImportFrom) and imports_chance(node)
            ]
    assert not wrong, "\n".join(wrong)


def imports_chance(node: ast.Import | ast.ImportFrom) -> bool:
    """Whether an import brings chance or a clock; `Random`, the type of what is passed in, does not."""
    names = {alias.name for alias in node.names}
    if isinstance(node, ast.Import):
        return bool(names & CHANCE)
    return (node.module in CHANCE and names != {"Random"}) or (node.module == "time" and "time" in names)


def test_no_import_is_relative() -> None:
    relative = [
        location(path, node.lineno)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative, f"{relative}: write the whole name, so that a line says which package it uses"


def import_graph() -> dict[str, set[str]]:
    """Every module of ours, and the modules of ours that it imports."""
    modules = {
        ".".join(("ketapress", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for path in FILES
    }
    return {name: {there for _, there in imports(path) if there in modules} for name, path in modules.items()}


def folder_graph() -> dict[str, set[str]]:
    """Every folder, and the folders that its modules import from. A module beside the packages stands for itself."""
    folders = {
        ".".join(("ketapress", *path.relative_to(SOURCE).parent.parts))
        for path in FILES
        if path.parent != SOURCE
    }

    def folder(module: str) -> str:
        return module if module in folders or module.count(".") == 1 else module.rpartition(".")[0]

    graph: dict[str, set[str]] = {}
    for module, imported in import_graph().items():
        here = folder(module)
        graph.setdefault(here, set()).update(folder(there) for there in imported if folder(there) != here)
    return graph


def circles(graph: Mapping[str, set[str]]) -> list[str]:
    """One line for each circle that a walk from every node meets."""
    found: list[str] = []
    seen: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            found.append(" -> ".join((*trail[trail.index(name) :], name)))
        elif name not in seen:
            for there in sorted(graph.get(name, ())):
                walk(there, (*trail, name))
            seen.add(name)

    for name in sorted(graph):
        walk(name, ())
    return found


@pytest.mark.parametrize("graph", [import_graph, folder_graph])
def test_neither_modules_nor_folders_import_each_other_in_a_circle(
    graph: Callable[[], dict[str, set[str]]],
) -> None:
    assert any(graph().values())
    assert not circles(graph())


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a -> b -> c -> a"]
    assert not circles({"a": {"b", "c"}, "b": {"c"}})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_every_module_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), (
        f"{path.name} needs a docstring: what it does, what goes in, what comes out"
    )


def test_no_package_is_on_two_layers() -> None:
    for lower, upper in pairwise(LAYERS.values()):
        assert not lower & upper
    assert len(RANKS) == sum(map(len, LAYERS.values()))
