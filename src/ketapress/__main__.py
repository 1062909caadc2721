"""The command `ketapress`, also as `python -m ketapress`.

A no-change build is answered here, with few imports; every other command goes to the command line.
"""

import os
import sys
import time

from ketapress.builder.up_to_date import CachedAnswer, cached_answer

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing `typing` takes time, and a no-change build does not need it
    from typing import NoReturn


def main() -> None:
    """Run the command of this process and exit."""
    folder, as_json = _parse_build(sys.argv[1:])
    if folder:
        _exit(_build(folder, as_json=as_json))
    from ketapress.cli.main import main as run_cli  # noqa: PLC0415 - see _build

    run_cli()


def _parse_build(arguments: list[str]) -> tuple[str, bool]:
    """Return the folder of a build with no option but `--json`, and whether it has that; other commands have no folder."""
    folder = "."
    if arguments[:1] == ["-C"]:
        folder, arguments = "".join(arguments[1:2]).rstrip("/"), arguments[2:]
    as_json = arguments == ["build", "--json"]
    return folder if as_json or arguments == ["build"] else "", as_json


def _build(folder: str, *, as_json: bool) -> int:
    """Build, or print the answer of the last build if nothing has changed. Return the exit code."""
    stamps: dict[str, str] = {}
    answer = cached_answer(folder, time.time(), dict(os.environ), stamps)
    has_colors = answer and answer.errors and sys.stderr.isatty()
    if answer and not has_colors and _print_answer(answer, as_json=as_json):
        return answer.code
    from pathlib import Path  # noqa: PLC0415 - needed only if there is something to build

    from ketapress.cli.build_command import run_build  # noqa: PLC0415 - see above
    from ketapress.cli.context import CommandContext, run_command  # noqa: PLC0415 - see above

    context = CommandContext(Path(folder), "build", as_json)
    return run_command(context, lambda: run_build(context, stamps))


def _print_answer(answer: CachedAnswer, *, as_json: bool) -> bool:
    """Print an answer; return False if stdout cannot be written, which a real build reports."""
    try:
        sys.stderr.write(answer.errors)
        sys.stdout.write(_to_document(answer) if as_json else answer.lines)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of stdout is gone (`ketapress … | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:
        return False
    return True


def _to_document(answer: CachedAnswer) -> str:
    """Return an answer as `--json` prints it, with the current time."""
    from datetime import UTC, datetime  # noqa: PLC0415 - see _build
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see _build

    from ketapress.cli.json_document import document_parts  # noqa: PLC0415 - see _build

    now = datetime.now(UTC).astimezone(ZoneInfo(answer.zone)).isoformat()
    start, end = document_parts('"build"', f'"{now}"', answer.problems)
    return f"{start}{answer.result}{end}\n"


def _exit(code: int) -> "NoReturn":
    """End the process without freeing its objects, which takes 50 ms for a thousand posts; everything is written."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)


if __name__ == "__main__":
    main()
