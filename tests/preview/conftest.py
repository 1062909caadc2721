"""Previews for tests: started on a port that was free, and ended with the test."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from previewed import Served, ended, port_of, started


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Starts previews of publications, and ends them."""
    running: list[subprocess.Popen[str]] = []

    def start(folder: Path, *words: str) -> Served:
        process = started(folder, *(words or ("--port", "0")))
        running.append(process)
        assert process.stdout
        return Served(process, port_of(process.stdout.readline()))

    yield start
    for each in running:
        ended(each)


@pytest.fixture
def served(publication: Path, serve: Callable[..., Served]) -> Served:
    return serve(publication)
