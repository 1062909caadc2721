"""A publication with one edition and one subscriber, behind an open door."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli_runner import ketapress
from support.factories import SEED
from support.web_fixture import Door, open_door

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
def press(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published once; look, and change nothing."""
    root = tmp_path_factory.mktemp("press")
    (root / "posts").mkdir()
    shutil.copy(SEED, root / "posts" / "2023-06-07-ketamine-therapy.txt")
    (root / "ketapress.toml").write_text(SETTINGS)
    ketapress(root, "subscribers", "add", "Ann <ann@example.net>")
    outcome = ketapress(root, "publish", "--at", "2023-06-12T09:00")
    assert outcome.exit_code == 0, outcome.stderr
    return root


@pytest.fixture
def published(press: Path, tmp_path: Path) -> Path:
    """The same, for one test alone."""
    return shutil.copytree(press, tmp_path / "press")


@pytest.fixture(scope="session")
def door(press: Path) -> Iterator[Door]:
    with open_door(press) as found:
        yield found


@pytest.fixture
def own_door(published: Path) -> Iterator[Door]:
    with open_door(published) as found:
        yield found
