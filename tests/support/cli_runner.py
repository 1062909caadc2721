"""Commands as people and scripts call them, inside this process: quick, and with real files, store and sockets."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ketapress.cli.main import main


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it said where."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["result"]
        return found


def ketapress(folder: Path, *words: str, stdin: str | None = None) -> Outcome:
    """Runs `ketapress -C folder words…`. What is no fault of a user's is raised, not swallowed."""
    outcome = CliRunner().invoke(main, ["-C", str(folder), *words], input=stdin)
    if outcome.exception and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    return Outcome(outcome.exit_code, outcome.stdout, outcome.stderr)


def hashes(folder: Path) -> dict[str, str]:
    """Every file below a folder by its path, with the hash of its bytes."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
