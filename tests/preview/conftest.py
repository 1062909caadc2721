"""Previews for tests: started on a free port, and stopped with the test."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.factories import new_publication
from support.preview_process import PreviewProcess, parse_port, start_preview, stop_preview

Serve = Callable[..., PreviewProcess]


def _provide_starter() -> Iterator[Serve]:
    processes: list[subprocess.Popen[str]] = []

    def start(folder: Path, *arguments: str) -> PreviewProcess:
        process = start_preview(folder, *(arguments or ("--port", "0")))
        processes.append(process)
        assert process.stdout
        return PreviewProcess(folder, process, parse_port(process.stdout.readline()))

    yield start
    for process in processes:
        stop_preview(process)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start previews, and stop them after the test."""
    yield from _provide_starter()


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreviewProcess]:
    """A preview for all tests of a module; each test leaves the publication as it was."""
    for start in _provide_starter():
        yield start(new_publication(tmp_path_factory.mktemp("publication")))
