"""A sender that is killed in many ways, on both databases, and recovers; `make soak` does it a thousand times."""

import subprocess
import sys

import pytest

from support.factories import REPOSITORY


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nobody_is_lost_and_every_repeat_was_named(database: str) -> None:
    """One round: seven kills at different points, and two errors of the database."""
    arguments = ["--kills", "9", "--readers", "40", "--databases", database]
    program = REPOSITORY / "benchmarks" / "soak" / "kills.py"
    outcome = subprocess.run(
        [sys.executable, program, *arguments], check=False, capture_output=True, text=True, timeout=300
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in outcome.stdout.splitlines()[2:]]
    assert sum(int(row[2]) for row in rows) >= 5
    assert [row[5:] for row in rows if row[1] == "(all)"] == [["0", rows[-1][6], "0", "0"]]
