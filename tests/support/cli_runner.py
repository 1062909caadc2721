"""Run commands in this process, with real files, database, and sockets."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ketapress.cli.main import main


@dataclass(frozen=True)
class Outcome:
    """Exit code and output of a command."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    @property
    def result(self) -> dict[str, Any]:
        result: dict[str, Any] = self.document["result"]
        return result


def ketapress(folder: Path, *arguments: str, stdin: str | None = None) -> Outcome:
    """Run `ketapress -C folder arguments…`. Raise exceptions that a user cannot cause."""
    outcome = CliRunner().invoke(main, ["-C", str(folder), *arguments], input=stdin)
    if outcome.exception and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    return Outcome(outcome.exit_code, outcome.stdout, outcome.stderr)


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 hash of every file below a folder, by path."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
