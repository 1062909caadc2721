"""What every test may use. A program that is missing skips its tests, unless KETAPRESS_REQUIRE names it."""

import os
import shutil
from pathlib import Path

import pytest

from factories import REPOSITORY, SEED

_PROGRAMS = {"chromium": "chromium", "smtp_sink": "smtp-sink"}
_SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])

SETTINGS = """
[site]
title = "The Example Press"
url = "https://example.org"
description = "Notes from a small press."
timezone = "UTC"
postal_address = "The Example Press, 1 Example Street"

[newsletters.weekly]
title = "The Example Weekly"
schedule = "0 8 * * mon"
starts = 2023-06-05
from = "The Example Weekly <digest@example.org>"
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    required = os.environ.get("KETAPRESS_REQUIRE", "").split()
    for item in items:
        for mark, program in _PROGRAMS.items():
            if (
                item.get_closest_marker(mark)
                and not shutil.which(program, path=_SEARCHED)
                and mark not in required
            ):
                item.add_marker(pytest.mark.skip(reason=f"{program} is not installed"))


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    """A publication folder with the seed as its one post and one weekly newsletter."""
    (tmp_path / "posts").mkdir()
    shutil.copy(SEED, tmp_path / "posts" / "2023-06-07-ketamine-therapy.txt")
    (tmp_path / "ketapress.toml").write_text(SETTINGS)
    assert (REPOSITORY / "templates").is_dir()
    return tmp_path
