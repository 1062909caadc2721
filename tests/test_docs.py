"""The docs are complete: every command and setting is in them, and what they link to is there."""

import re
from pathlib import Path

import pytest

from ketapress.cli.main import COMMANDS
from support.factories import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"^\| `{name}\b", README, re.MULTILINE)


def test_the_readme_shows_what_was_measured() -> None:
    measured = (REPOSITORY / "benchmarks/deliver/RESULTS.md").read_text().partition("\n\n")[2]
    assert f"--keep -->\n{measured}<!-- end -->\n" in README


def test_every_run_time_dependency_has_its_line() -> None:
    declared = re.findall(
        r'^    "([a-z0-9-]+)>=',
        (REPOSITORY / "pyproject.toml").read_text().partition("\ndev = [")[0],
        re.MULTILINE,
    )
    page = (REPOSITORY / "docs" / "notes" / "dependencies.md").read_text()
    assert declared
    assert [name for name in declared if not re.search(rf"^\| {name}\b", page, re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_what_the_docs_link_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)\)|src=\"([^\"]+)\"", page.read_text())
    local = [link for pair in links for link in pair if link and "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_package_is_on_the_map() -> None:
    page = (REPOSITORY / "docs" / "ARCHITECTURE.md").read_text()
    source = REPOSITORY / "src" / "ketapress"
    packages = {f"{path.name}/" for path in source.iterdir() if (path / "__init__.py").is_file()}
    modules = {path.name for path in source.glob("*.py") if path.name != "__init__.py"}
    assert {name for name in packages | modules if f"`{name}`" not in page} == set()


GUIDES = ["README.md", "CONTRIBUTING.md", "docs/adding.md", "docs/ARCHITECTURE.md", "docs/operations.md"]
PATH = re.compile(r"`((?:src|tests|docs|templates|benchmarks)/[\w./-]+)`")


@pytest.mark.parametrize("page", GUIDES)
def test_the_paths_that_guides_name_are_there(page: str) -> None:
    paths = PATH.findall((REPOSITORY / page).read_text())
    assert [path for path in paths if "NAME" not in path and not (REPOSITORY / path).exists()] == []


def test_where_the_next_change_goes_names_paths() -> None:
    assert len(PATH.findall((REPOSITORY / "docs" / "adding.md").read_text())) > 50


@pytest.mark.parametrize("note", sorted((REPOSITORY / "docs/notes").glob("*.md")), ids=lambda note: note.stem)
def test_the_modules_that_notes_name_are_there(note: Path) -> None:
    modules = re.findall(r"`(\w+/[\w/]+\.py)`", note.read_text())
    roots = (REPOSITORY, REPOSITORY / "src" / "ketapress")
    assert [name for name in modules if not any((root / name).exists() for root in roots)] == []
