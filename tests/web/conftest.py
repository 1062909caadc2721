"""A publication with one edition and one subscriber, and a web server for it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli_runner import ketapress
from support.factories import SEED
from support.web_fixture import WebServer, run_web_server

SETTINGS = """
[site]
title = "The Example Press"
url = "https://example.org"
description = "Notes from a small press."
postal_address = "The Example Press, 1 Example Street"

[newsletters.weekly]
title = "The Example Weekly"
schedule = "0 8 * * mon"
starts = 2023-06-05
from = "The Example Weekly <digest@example.org>"
"""


@pytest.fixture(scope="session")
def shared_publication(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish once; tests must not change this folder."""
    root = tmp_path_factory.mktemp("publication")
    (root / "posts").mkdir()
    shutil.copy(SEED, root / "posts" / "2023-06-07-ketamine-therapy.txt")
    (root / "ketapress.toml").write_text(SETTINGS)
    ketapress(root, "subscribers", "add", "Ann <ann@example.net>")
    outcome = ketapress(root, "publish", "--at", "2023-06-12T09:00")
    assert outcome.exit_code == 0, outcome.stderr
    return root


@pytest.fixture
def own_publication(shared_publication: Path, tmp_path: Path) -> Path:
    """A copy for one test."""
    return shutil.copytree(shared_publication, tmp_path / "publication")


@pytest.fixture(scope="session")
def server(shared_publication: Path) -> Iterator[WebServer]:
    with run_web_server(shared_publication) as web_server:
        yield web_server


@pytest.fixture
def own_server(own_publication: Path) -> Iterator[WebServer]:
    with run_web_server(own_publication) as web_server:
        yield web_server
