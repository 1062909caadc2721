"""What every test may use. A program that is missing skips its tests, unless KETAPRESS_REQUIRE names it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import URL

from support.factories import REPOSITORY, new_publication
from support.postgresql import postgresql

_PROGRAMS = {
    "axe": ("node", "chromium"),
    "chromium": ("chromium",),
    "netns": ("ip", "unshare"),
    "newsboat": ("newsboat",),
    "nginx": ("nginx",),
    "rss2email": ("r2e",),
    "smtp_sink": ("smtp-sink",),
    "systemd": ("systemd-analyze",),
    "spamassassin": ("spamassassin",),
    "rspamd": ("rspamd",),
    "mail_parsers": ("node",),
}
_MODULES = {"axe": ("axe-core", "puppeteer-core"), "mail_parsers": ("mailparser", "postal-mime")}
"""Of Node, in `node_modules` at the top of the repository or below NODE_PATH."""
_ALLOWED = {"netns": ("unshare", "--net", "true")}
"""What has to end well where a mark's tests may run: not everybody may make networks."""
_SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    required = os.environ.get("KETAPRESS_REQUIRE", "").split()
    for item in items:
        for mark in _PROGRAMS:
            missing = _missing(mark) if item.get_closest_marker(mark) and mark not in required else ""
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"{missing} is not here"))


@cache
def _missing(mark: str) -> str:
    """What a mark's tests need and is not there; empty where all of it is."""
    programs = (name for name in _PROGRAMS[mark] if not shutil.which(name, path=_SEARCHED))
    folders = [REPOSITORY / "node_modules", *map(Path, os.environ.get("NODE_PATH", "").split(os.pathsep))]
    modules = (name for name in _MODULES.get(mark, ()) if not any((each / name).is_dir() for each in folders))
    return next(chain(programs, modules), "") or _refused(mark)


def _refused(mark: str) -> str:
    words = _ALLOWED.get(mark, ("true",))
    refused = subprocess.run(words, capture_output=True, check=False).returncode
    return f"the right to `{' '.join(words)}`" if refused else ""


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    """A publication folder with the seed as its one post and one weekly newsletter."""
    return new_publication(tmp_path)


@pytest.fixture(scope="session")
def server() -> Iterator[URL]:
    """A PostgreSQL that runs for all tests of a process."""
    with postgresql() as url:
        yield url
