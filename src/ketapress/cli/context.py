"""What every command shares: the publication, the moment, the shape of an answer, and exit codes.

A command returns an `Answer`; how it is shown is decided here. Results go to stdout, messages to stderr. With
`--json`, stdout holds one document and nothing else. This is the one place that reads the clock for commands.
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
from ketapress.cli.table import Rows, piped
from ketapress.model.edition import SUPPORTED_YEARS
from ketapress.model.errors import ConfigurationError, KetapressError, Problem, Severity, UsageError
from ketapress.publication import Publication

_T = TypeVar("_T")
_INSTANT = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?) UTC\b")
_SURROGATE = re.compile("[\ud800-\udfff]")
_COLOURS = {Severity.ERROR: "\033[31m\033[1m", Severity.WARNING: "\033[33m\033[1m"}
_PLAIN = "\033[0m"


class Exit(IntEnum):
    """How a command ends. 78 is EX_CONFIG of sysexits.h, which service managers know."""

    DONE = 0
    NEEDS_PERSON = 1
    USAGE = 2
    CONFIGURATION = 78
    INTERRUPTED = 130


class Answer(NamedTuple):
    """What a command found: `result` for scripts, `lines` for people, and what is wrong.

    `streamed` is one more field of the result, with its name: a list that may be as long as there are subscribers, so it
    is shown piece by piece, and so are `lines`. `silent`: the command has said all there is to say while it ran.
    `has_template_error`: a template or its setting has to be corrected, as after a `ConfigurationError`.
    """

    result: Mapping[str, Any]
    lines: Iterable[str | Rows] = ()
    problems: Sequence[Problem] = ()
    needs_person: bool = False
    streamed: tuple[str, Iterable[Mapping[str, Any]]] | None = None
    silent: bool = False
    has_template_error: bool = False

    @property
    def exit_code(self) -> Exit:
        if self.has_template_error:
            return Exit.CONFIGURATION
        wrong = self.needs_person or any(problem.needs_person for problem in self.problems)
        return Exit.NEEDS_PERSON if wrong else Exit.DONE


_FAR_AHEAD = timedelta(days=1)


class Door:
    """One call of one command."""

    def __init__(
        self, root: Path, name: str, as_json: bool = False, at: str | None = None, dry_run: bool = False
    ) -> None:
        self.root = root
        self.name = name
        self.as_json = as_json
        self.at = at
        self.dry_run = dry_run
        self.started = datetime.now(UTC)

    @cached_property
    def publication(self) -> Publication:
        folder = str(self.root.absolute())
        if has_surrogates(folder):
            message = f"the name of the folder {printable(folder)} is not UTF-8, so no database can be opened in it."
            cure = "Rename the folder, or move the publication to another one."
            raise UsageError(Problem(code="usage.encoding", message=message, cure=cure))
        return Publication(self.root, os.environ)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.publication.settings.site.timezone)

    @cached_property
    def now(self) -> datetime:
        """`--at` if it was given (in the site's zone where it has none of its own), else the time of the call."""
        if self.at is None:
            return self.started
        return self.moment(self.at, "--at")

    def clock(self) -> datetime:
        """The time as it goes by; it stands still at `--at`."""
        return datetime.now(UTC) if self.at is None else self.now

    @property
    def ahead(self) -> tuple[Problem, ...]:
        """That what is written now is written as of a moment to come, where it is: ids and editions stay so."""
        if self.at is None or self.dry_run or self.now - self.started < _FAR_AHEAD:
            return ()
        days = (self.now - self.started).days
        return (
            Problem(
                code="at.ahead",
                severity=Severity.WARNING,
                message=f"--at is {days} day{'' if days == 1 else 's'} ahead: what was written is kept as of then, posts that "
                "were new until then are on the web, and in mail, from then on.",
                cure="If that was not meant, bring posts/.published.jsonl and ketapress.db back from a backup; "
                "`--dry-run` shows the same and writes nothing.",
            ),
        )

    def moment(self, text: str, option: str) -> datetime:
        """What a person wrote as a time, as an instant in UTC; in the site's zone where it names none."""
        moment = parsed_moment(text, option)
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)

    def zone_of(self, newsletter: str) -> str:
        """The zone in which a newsletter's slots are meant; the site's for one that the settings lost."""
        settings = self.publication.settings
        found = settings.newsletters.get(newsletter)
        return settings.newsletter_zone(found) if found else settings.site.timezone

    def iso(self, moment: datetime | None, zone: str = "") -> str | None:
        """A time for scripts: ISO 8601 with offset, in the site's zone or the one given."""
        return moment.astimezone(ZoneInfo(zone) if zone else self.zone).isoformat() if moment else None

    def day(self, moment: datetime, zone: str = "") -> str:
        """A time for people."""
        return f"{moment.astimezone(ZoneInfo(zone) if zone else self.zone):%a %d %b %Y, %H:%M %Z}"

    def say(self, line: str) -> None:
        """A message while work goes on."""
        _write(sys.stderr, line)

    def show(self, answer: Answer) -> None:
        for problem in answer.problems:
            self.say(self.told(shown(problem, coloured=_is_terminal(sys.stderr))))
        if answer.silent:
            return
        if self.as_json:
            for piece in self.pieces(answer):
                _write(sys.stdout, piece)
        else:
            for line in answer.lines:
                for each in [line] if isinstance(line, str) else _laid_out(line):
                    _write(sys.stdout, self.told(each))

    def told(self, text: str) -> str:
        """The same with its instants, which those below write in UTC, in the site's zone."""
        if "publication" not in self.__dict__:
            return text
        return _INSTANT.sub(lambda found: self.day(datetime.fromisoformat(f"{found[1]}+00:00")), text)

    def close(self) -> None:
        if "publication" in self.__dict__:
            self.publication.close()

    def document(self, answer: Answer) -> str:
        """Return the answer as `--json` prints it."""
        start, end = self._document_parts(answer)
        return f"{start}{to_json(answer.result)}{end}"

    def pieces(self, answer: Answer) -> Iterator[str]:
        """Yield the lines of the document: one, or where a list is streamed, one for each portion of it."""
        if answer.streamed is None:
            yield self.document(answer)
            return
        start, end = self._document_parts(answer)
        name, items = answer.streamed
        members = "".join(f"{to_json(key)}: {to_json(value)}, " for key, value in answer.result.items())
        yield f"{start}{{{members}{to_json(name)}: ["
        for number, portion in enumerate(portions(items)):
            text = ", ".join(map(to_json, portion))
            yield f", {text}" if number else text
        yield f"]}}{end}"

    def _document_parts(self, answer: Answer) -> tuple[str, str]:
        known = "publication" in self.__dict__ and (self.at is None or "now" in self.__dict__)
        at = self.iso(self.now) if known else self.started.isoformat()
        return document_parts(to_json(self.name), to_json(at), to_json(problem_documents(answer)))


def to_json(value: Any) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def problem_documents(answer: Answer) -> list[dict[str, Any]]:
    """Return the problems of an answer for scripts."""
    return [document(problem) for problem in answer.problems]


def has_surrogates(text: str) -> bool:
    """Whether a text has lone surrogates, as which Python reads bytes that are not UTF-8."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def printable(text: str) -> str:
    """Return a text with replacement characters for its lone surrogates."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text) if has_surrogates(text) else text


def portions(items: Iterable[_T]) -> Iterator[list[_T]]:
    """So many at a time that writing them costs less than making them."""
    rest = iter(items)
    while portion := list(islice(rest, 1000)):
        yield portion


def operator() -> str:
    """Who is at the keyboard: whose word stands behind what only a person can know."""
    import getpass

    return f"operator {getpass.getuser()}"


def _laid_out(found: Rows) -> list[str]:
    """Rows as stdout wants them."""
    if not sys.stdout.isatty():
        return piped(found)
    import shutil

    from ketapress.cli.terminal_table import drawn

    return drawn(found, shutil.get_terminal_size().columns, colours=not os.environ.get("NO_COLOR"))


def parsed_moment(text: str, option: str) -> datetime:
    """A time as people write it on a command line; without a zone where they named none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.year not in SUPPORTED_YEARS:
        message = f"{option} {text!r} is no time between the years {SUPPORTED_YEARS.start} and {SUPPORTED_YEARS.stop - 1}."
        cure = "Write it like 2023-06-12T09:00, or with an offset: 2023-06-12T09:00+02:00."
        raise UsageError(Problem(code="usage.time", message=message, cure=cure))
    return moment


def document(problem: Problem) -> dict[str, Any]:
    """A problem for scripts."""
    return {
        "code": problem.code,
        "severity": str(problem.severity),
        "path": problem.path,
        "line": problem.line,
        "message": problem.message,
        "cure": problem.cure,
    }


def shown(problem: Problem, *, coloured: bool = False) -> str:
    """A problem for people, its severity in colour for terminals."""
    severity = f"{problem.severity}:"
    return f"{_COLOURS[problem.severity] + severity + _PLAIN if coloured else severity} {problem}"


def _is_terminal(stream: TextIO) -> bool:
    """Whether somebody reads it who can see colours (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _write(stream: TextIO, line: str) -> None:
    """A line, at once; what the terminal's encoding cannot show becomes a question mark, and a lone surrogate, too."""
    line = printable(line)
    try:
        print(line, file=stream, flush=True)
    except UnicodeEncodeError:
        known = line.encode(stream.encoding or "utf-8", errors="replace")
        print(known.decode(stream.encoding or "utf-8"), file=stream, flush=True)


def answered(door: Door, act: Callable[[], Answer]) -> Exit:
    """Runs a command and shows what it found; every fault of the user's world becomes a message and an exit code."""
    try:
        answer = act()
        door.show(answer)
    except KetapressError as error:
        door.show(Answer({}, problems=error.problems))
        return _exit_of(error)
    except BrokenPipeError:  # the reader of our stdout left (`ketapress … | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except OSError as error:
        door.show(Answer({}, problems=(disk_problem(error),)))
        return Exit.NEEDS_PERSON
    except KeyboardInterrupt:
        door.say("Stopped. What was finished stays finished; run the same command again to go on.")
        return Exit.INTERRUPTED
    finally:
        door.close()
    return answer.exit_code


def _exit_of(error: KetapressError) -> Exit:
    if isinstance(error, ConfigurationError):
        return Exit.CONFIGURATION
    return Exit.USAGE if isinstance(error, UsageError) else Exit.NEEDS_PERSON


_DISK_CURES = {
    errno.ENOENT: "Look whether the name is right, then run the same command again.",
    errno.EISDIR: "A folder stands where a file should be: move it away, then run the same command again.",
    errno.ENOTDIR: "A file stands where a folder should be: move it away, then run the same command again.",
    errno.EEXIST: "A file stands where a folder should be: move it away, then run the same command again.",
    errno.ENOSPC: "Make room on that disk, then run the same command again.",
    errno.EROFS: "That disk cannot be written to: mount it for writing, then run the same command again.",
    errno.EACCES: "Give the user who runs Ketapress the right to it, then run the same command again.",
}


def disk_problem(error: OSError) -> Problem:
    return Problem(
        code="disk",
        path=os.fsdecode(error.filename) if error.filename else None,
        message=f"the system says: {error.strerror or error}.",
        cure=_DISK_CURES.get(error.errno or 0, "Mend that, then run the same command again."),
    )
