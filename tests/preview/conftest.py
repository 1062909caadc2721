"""Previews for tests: started on a port that was free, and ended with the test."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.factories import new_publication
from support.preview_process import Served, ended, port_of, started

Serve = Callable[..., Served]


def _serving() -> Iterator[Serve]:
    running: list[subprocess.Popen[str]] = []

    def start(folder: Path, *words: str) -> Served:
        process = started(folder, *(words or ("--port", "0")))
        running.append(process)
        assert process.stdout
        return Served(folder, process, port_of(process.stdout.readline()))

    yield start
    for each in running:
        ended(each)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts previews of publications, and ends them."""
    yield from _serving()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A preview that all tests of a file look at, of a publication that each of them leaves as it was."""
    for start in _serving():
        yield start(new_publication(tmp_path_factory.mktemp("publication")))
