"""The command `ketapress`, also as `python -m ketapress`.

A build that finds nothing changed is answered here, at once; every other command is handed to the command line.
"""

import os
import sys
import time

from ketapress.builder.up_to_date import CachedAnswer, cached_answer

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is not loaded yet, and most builds do without
    from typing import NoReturn


def main() -> None:
    """Runs the command that the process was called with. Ends the process."""
    folder, as_json = _plain_build(sys.argv[1:])
    if folder:
        _end(_build(folder, as_json=as_json))
    from ketapress.cli.main import main as commands  # noqa: PLC0415 - see _build

    commands()


def _build(folder: str, *, as_json: bool) -> int:
    """Build, or print the answer of the last build where nothing has changed. Return the exit code."""
    stamps: dict[str, str] = {}
    answer = cached_answer(folder, time.time(), dict(os.environ), stamps)
    has_colors = answer and answer.errors and sys.stderr.isatty()
    if answer and not has_colors and _print_answer(answer, as_json=as_json):
        return answer.code
    from pathlib import Path  # noqa: PLC0415 - needed only where there is something to build

    from ketapress.cli.build_command import run_build  # noqa: PLC0415 - see above
    from ketapress.cli.context import Door, answered  # noqa: PLC0415 - see above

    door = Door(Path(folder), "build", as_json)
    return answered(door, lambda: run_build(door, stamps))


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


def _print_answer(answer: CachedAnswer, *, as_json: bool) -> bool:
    """Print an answer; return False where stdout cannot be written, which a real build reports."""
    try:
        sys.stderr.write(answer.errors)
        sys.stdout.write(_document(answer) if as_json else answer.lines)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our stdout left (`ketapress … | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:
        return False
    return True


def _document(answer: CachedAnswer) -> str:
    """Return an answer as `--json` prints it now."""
    from datetime import UTC, datetime  # noqa: PLC0415 - see _build
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see _build

    from ketapress.cli.json_document import document_parts  # noqa: PLC0415 - see _build

    now = datetime.now(UTC).astimezone(ZoneInfo(answer.zone)).isoformat()
    start, end = document_parts('"build"', f'"{now}"', answer.problems)
    return f"{start}{answer.result}{end}\n"


if __name__ == "__main__":
    main()
