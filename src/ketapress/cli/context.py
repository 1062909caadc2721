"""What all commands share: the publication, the current time, the form of a result, and exit codes.

A command returns a `CommandResult`, which is printed here: results on stdout, messages on stderr. With `--json`, stdout
holds one document and nothing else. Of the command line, only this module reads the clock.
"""

import errno
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO, TypeVar
from zoneinfo import ZoneInfo

from ketapress.cli.json_document import document_parts
from ketapress.cli.table import Table, format_plain
from ketapress.model.edition import SUPPORTED_YEARS
from ketapress.model.errors import ConfigurationError, KetapressError, Problem, Severity, UsageError
from ketapress.publication import Publication

_T = TypeVar("_T")
_UTC_TIME = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?) UTC\b")
_COLORS = {Severity.ERROR: "\033[31m\033[1m", Severity.WARNING: "\033[33m\033[1m"}
_NO_COLOR = "\033[0m"
_FUTURE = timedelta(days=1)
_BATCH_SIZE = 1000
"""Large enough that formatting a batch costs more than writing it."""


class Exit(IntEnum):
    """Exit codes. 78 is EX_CONFIG of sysexits.h, which service managers know."""

    DONE = 0
    NEEDS_PERSON = 1
    USAGE = 2
    CONFIGURATION = 78
    INTERRUPTED = 130


class CommandResult(NamedTuple):
    """The result of a command: `data` for scripts, `lines` for people, and problems.

    `stream` is the name and the items of one more field of the data: a list that may be as long as the list of
    subscribers. It is printed in batches, and so are `lines`. A `silent` command has printed its result itself.
    """

    data: Mapping[str, Any]
    lines: Iterable[str | Table] = ()
    problems: Sequence[Problem] = ()
    needs_person: bool = False
    stream: tuple[str, Iterable[Mapping[str, Any]]] | None = None
    silent: bool = False

    @property
    def exit_code(self) -> Exit:
        needs_person = self.needs_person or any(problem.needs_person for problem in self.problems)
        return Exit.NEEDS_PERSON if needs_person else Exit.DONE


class CommandContext:
    """One call of one command."""

    def __init__(
        self, root: Path, name: str, as_json: bool = False, at: str | None = None, dry_run: bool = False
    ) -> None:
        self.root = root
        self.name = name
        self.as_json = as_json
        self.at = at
        self.dry_run = dry_run
        self.start_time = datetime.now(UTC)

    @cached_property
    def publication(self) -> Publication:
        return Publication(self.root, os.environ)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.publication.settings.site.timezone)

    @cached_property
    def now(self) -> datetime:
        """The time of `--at`, in the site's zone if it has no offset, or else the time of the call."""
        return self.start_time if self.at is None else self.parse_instant(self.at, "--at")

    def clock(self) -> datetime:
        """Return the current time; with `--at`, always that time."""
        return datetime.now(UTC) if self.at is None else self.now

    @property
    def future_date_warnings(self) -> tuple[Problem, ...]:
        """A warning if this command saves IDs and editions with a time more than a day ahead, which stay as saved."""
        if self.at is None or self.dry_run or self.now - self.start_time < _FUTURE:
            return ()
        days = format_count((self.now - self.start_time).days, "day")
        message = (
            f"--at is {days} in the future, and everything was saved with that date: posts that are new since the last "
            "run appear on the site and in mail only from then on."
        )
        cure = (
            "If you did not intend this, restore posts/.published.jsonl and ketapress.db from a backup. "
            "`--dry-run` shows the same result and saves nothing."
        )
        return (Problem(code="at.ahead", severity=Severity.WARNING, message=message, cure=cure),)

    def parse_instant(self, text: str, option: str) -> datetime:
        """Parse a time of the command line, in the site's zone if it has no offset. Return it in UTC."""
        time = parse_time(text, option)
        return (time if time.tzinfo else time.replace(tzinfo=self.zone)).astimezone(UTC)

    def newsletter_zone(self, name: str) -> str:
        """Return the zone of a newsletter's schedule, or the site's if the settings have no such newsletter."""
        settings = self.publication.settings
        newsletter = settings.newsletters.get(name)
        return settings.newsletter_zone(newsletter) if newsletter else settings.site.timezone

    def format_iso(self, time: datetime | None, zone: str = "") -> str | None:
        """Format a time for scripts: ISO 8601 with offset, in the given zone or the site's."""
        return time.astimezone(ZoneInfo(zone) if zone else self.zone).isoformat() if time else None

    def format_time(self, time: datetime, zone: str = "") -> str:
        """Format a time for people, in the given zone or the site's."""
        return f"{time.astimezone(ZoneInfo(zone) if zone else self.zone):%a %d %b %Y, %H:%M %Z}"

    def print_result(self, result: CommandResult) -> None:
        for problem in result.problems:
            text = format_problem(problem, has_colors=_has_colors(sys.stderr))
            _print_line(sys.stderr, self.localize_times(text))
        if result.silent:
            return
        if self.as_json:
            for line in self.document_lines(result):
                _print_line(sys.stdout, line)
            return
        for item in result.lines:
            for line in [item] if isinstance(item, str) else _table_lines(item):
                _print_line(sys.stdout, self.localize_times(line))

    def localize_times(self, text: str) -> str:
        """Convert the UTC times in a text, as the lower layers write them, to the site's zone."""
        if "publication" not in self.__dict__:
            return text
        return _UTC_TIME.sub(
            lambda match: self.format_time(datetime.fromisoformat(f"{match[1]}+00:00")), text
        )

    def close(self) -> None:
        if "publication" in self.__dict__:
            self.publication.close()

    def document_lines(self, result: CommandResult) -> Iterator[str]:
        """Yield the lines of the `--json` document: one, or one per batch if the result has a stream."""
        has_zone = "publication" in self.__dict__ and (self.at is None or "now" in self.__dict__)
        at = self.format_iso(self.now) if has_zone else self.start_time.isoformat()
        problems = [problem_document(problem) for problem in result.problems]
        start, end = document_parts(to_json(self.name), to_json(at), to_json(problems))
        if result.stream is None:
            yield f"{start}{to_json(result.data)}{end}"
            return
        name, items = result.stream
        members = "".join(f"{to_json(key)}: {to_json(value)}, " for key, value in result.data.items())
        yield f"{start}{{{members}{to_json(name)}: ["
        for number, batch in enumerate(batches(items)):
            text = ", ".join(map(to_json, batch))
            yield f", {text}" if number else text
        yield f"]}}{end}"


def run_command(context: CommandContext, command: Callable[[], CommandResult]) -> Exit:
    """Run a command, print its result, and return its exit code; turn errors that a user can cause into messages."""
    try:
        result = command()
        context.print_result(result)
    except KetapressError as error:
        context.print_result(CommandResult({}, problems=error.problems))
        if isinstance(error, ConfigurationError):
            return Exit.CONFIGURATION
        return Exit.USAGE if isinstance(error, UsageError) else Exit.NEEDS_PERSON
    except BrokenPipeError:  # the reader of stdout is gone (`ketapress … | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except OSError as error:
        context.print_result(CommandResult({}, problems=(disk_problem(error),)))
        return Exit.NEEDS_PERSON
    except KeyboardInterrupt:
        _print_line(sys.stderr, "Stopped. Finished work is saved; run the command again to continue.")
        return Exit.INTERRUPTED
    finally:
        context.close()
    return result.exit_code


def to_json(value: Any) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Split items into lists of at most 1,000."""
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH_SIZE)):
        yield batch


def format_count(count: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: `1 post`, `1,200 posts`, `2 deliveries`."""
    return f"{count:,} {singular if count == 1 else plural or f'{singular}s'}"


def operator_name() -> str:
    """Return the name of the user who runs the command, as evidence for what they say."""
    import getpass

    return f"operator {getpass.getuser()}"


def parse_time(text: str, option: str) -> datetime:
    """Parse a time of the command line; without an offset it is naive. Raise UsageError."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.year not in SUPPORTED_YEARS:
        years = f"{SUPPORTED_YEARS.start} and {SUPPORTED_YEARS.stop - 1}"
        message = f"{option} {text!r} is not a time between the years {years}."
        cure = "Write it like 2023-06-12T09:00, or with an offset: 2023-06-12T09:00+02:00."
        raise UsageError(Problem(code="usage.time", message=message, cure=cure))
    return time


def problem_document(problem: Problem) -> dict[str, Any]:
    """Return a problem as `--json` prints it."""
    return {
        "code": problem.code,
        "severity": str(problem.severity),
        "path": problem.path,
        "line": problem.line,
        "message": problem.message,
        "cure": problem.cure,
    }


def format_problem(problem: Problem, *, has_colors: bool = False) -> str:
    """Format a problem for people, with its severity in color if `has_colors`."""
    severity = f"{problem.severity}:"
    return f"{_COLORS[problem.severity] + severity + _NO_COLOR if has_colors else severity} {problem}"


_DISK_CURES = {
    errno.ENOENT: "Check the name, then run the command again.",
    errno.EISDIR: "A folder stands where a file should be: move it away, then run the command again.",
    errno.ENOTDIR: "A file stands where a folder should be: move it away, then run the command again.",
    errno.EEXIST: "A file stands where a folder should be: move it away, then run the command again.",
    errno.ENOSPC: "Free some space on this disk, then run the command again.",
    errno.EROFS: "This disk is read-only: mount it for writing, then run the command again.",
    errno.EACCES: "Give the user who runs Ketapress access to it, then run the command again.",
}


def disk_problem(error: OSError) -> Problem:
    """Return an error of the operating system as a problem."""
    return Problem(
        code="disk",
        path=os.fsdecode(error.filename) if error.filename else None,
        message=f"the operating system reports: {error.strerror or error}.",
        cure=_DISK_CURES.get(error.errno or 0, "Fix the cause, then run the command again."),
    )


def _table_lines(table: Table) -> list[str]:
    """Lay out a table for stdout: in columns on a terminal, one plain line per row otherwise."""
    if not sys.stdout.isatty():
        return format_plain(table)
    import shutil

    from ketapress.cli.terminal_table import render_table

    return render_table(table, shutil.get_terminal_size().columns, has_colors=_has_colors(sys.stdout))


def _has_colors(stream: TextIO) -> bool:
    """Return whether a stream is a terminal whose user wants colors (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _print_line(stream: TextIO, line: str) -> None:
    """Print and flush a line, with a question mark for each character that the stream cannot encode."""
    try:
        print(line, file=stream, flush=True)
    except UnicodeEncodeError:
        encoding = stream.encoding or "utf-8"
        print(line.encode(encoding, errors="replace").decode(encoding), file=stream, flush=True)
