"""The command `ketapress`, also as `python -m ketapress`.

A build that finds nothing changed is answered here, at once; every other command is handed to the command line.
"""

import os
import sys
import time

from ketapress.builder.up_to_date import Saying, recalled

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is not loaded yet, and most builds do without
    from typing import NoReturn


def main() -> None:
    """Runs the command that the process was called with. Ends the process."""
    folder, as_json = _plain_build(sys.argv[1:])
    if folder:
        _end(_built(folder, as_json=as_json))
    from ketapress.cli.main import main as commands  # noqa: PLC0415 - see _built

    commands()


def _built(folder: str, *, as_json: bool) -> int:
    """Builds, or says again what the last build said. Modules are loaded when there is no way without."""
    seen: dict[str, str] = {}
    saying = recalled(folder, time.time(), dict(os.environ), seen)
    in_colour = saying and saying.errors and sys.stderr.isatty()
    if saying and not in_colour and _said(saying, as_json=as_json):
        return saying.code
    from pathlib import Path  # noqa: PLC0415 - see above

    from ketapress.cli.build_command import built  # noqa: PLC0415 - see above
    from ketapress.cli.context import Door, answered  # noqa: PLC0415 - see above

    door = Door(Path(folder), "build", as_json)
    return answered(door, lambda: built(door, seen))


def _plain_build(words: list[str]) -> tuple[str, bool]:
    """The folder of a build without options but `--json`, and whether that is there; no folder for other commands."""
    folder = "."
    if words[:1] == ["-C"]:
        folder, words = "".join(words[1:2]).rstrip("/"), words[2:]
    as_json = words == ["build", "--json"]
    return folder if as_json or words == ["build"] else "", as_json


def _end(code: int) -> "NoReturn":
    """Ends the process at once: all is written and closed, and to take a thousand posts apart takes 50 ms."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)


def _said(saying: Saying, *, as_json: bool) -> bool:
    """Says it; False where nobody can write there, and somebody has to say that."""
    try:
        sys.stderr.write(saying.errors)
        sys.stdout.write(_now(saying.zone).join(saying.document) if as_json else saying.lines)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our stdout left (`ketapress … | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:
        return False
    return True


def _now(zone: str) -> str:
    """The moment as the command line writes it for scripts."""
    from datetime import UTC, datetime  # noqa: PLC0415 - see main
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see main

    return datetime.now(UTC).astimezone(ZoneInfo(zone)).isoformat()


if __name__ == "__main__":
    main()
