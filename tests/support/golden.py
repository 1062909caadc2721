"""Expected output beside its input. `KETAPRESS_GOLDEN=refresh make test` writes it anew; then read the diff."""

import os
from pathlib import Path

REFRESH = os.environ.get("KETAPRESS_GOLDEN") == "refresh"


def assert_golden(expected: Path, actual: bytes) -> None:
    if REFRESH:
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_bytes(actual)
    assert expected.is_file(), f"{expected} is missing: KETAPRESS_GOLDEN=refresh writes it"
    assert actual.decode(errors="backslashreplace") == expected.read_bytes().decode(
        errors="backslashreplace"
    ), f"{expected.name} differs: if that is meant, KETAPRESS_GOLDEN=refresh writes it anew"
