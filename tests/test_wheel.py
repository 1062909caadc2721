"""The wheel carries all that a stranger needs: installed into an empty environment, it makes and publishes a folder."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from support.factories import REPOSITORY


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `ketapress` of an environment that holds nothing but the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(REPOSITORY)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "empty", with_pip=True)
    pip = [
        str(folder / "empty" / "bin" / "python"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "-q",
    ]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    return folder / "empty" / "bin" / "ketapress"


def test_init_and_compose_make_an_edition(installed: Path, tmp_path: Path) -> None:
    for words in (["init"], ["publish"], ["compose", "weekly", "--now", "--json"]):
        done = subprocess.run([installed, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    (edition,) = json.loads(done.stdout)["result"]["editions"]
    assert edition["subject"] == "Welcome"
    assert (tmp_path / "outbox" / edition["edition"] / "message.eml").is_file()
    assert (tmp_path / "public" / "index.html").is_file()
