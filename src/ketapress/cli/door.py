"""What every command shares on the command line: its options, and how click is told of it.

A command is a function that takes a `Door` and returns an `Answer`.
"""

<<<<<<< HEAD
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
=======
import errno
import getpass
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo
>>>>>>> c233a06 (An older copy of the database composes and sends nothing until a person accepts it; db restore, outbox refresh and resolve)

import click

from ketapress.cli.answers import Answer, Door, Exit, answered, disk_problem, document, parsed_moment, shown
from ketapress.model.errors import Problem

<<<<<<< HEAD
__all__ = [
    "Answer",
    "Door",
    "Exit",
    "command",
    "disk_problem",
    "document",
    "group",
    "parsed_moment",
    "say_usage",
    "shown",
]
=======
SCHEMA = 1
_INSTANT = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?) UTC\b")
_T = TypeVar("_T")


class Exit(IntEnum):
    """How a command ends. 78 is EX_CONFIG of sysexits.h, which service managers know."""

    DONE = 0
    NEEDS_PERSON = 1
    USAGE = 2
    CONFIGURATION = 78
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found: `result` for scripts, `lines` for people, and what is wrong.

    `streamed` is one more field of the result, with its name: a list that may be as long as there are subscribers, so it
    is shown piece by piece, and so are `lines`. `silent`: the command has said all there is to say while it ran.
    """

    result: Mapping[str, Any]
    lines: Iterable[str | Rows] = ()
    problems: Sequence[Problem] = ()
    needs_person: bool = False
    streamed: tuple[str, Iterable[Mapping[str, Any]]] | None = None
    silent: bool = False

    @property
    def exit_code(self) -> Exit:
        wrong = self.needs_person or any(problem.needs_person for problem in self.problems)
        return Exit.NEEDS_PERSON if wrong else Exit.DONE


@dataclass
class Door:
    """One call of one command."""

    root: Path
    name: str
    as_json: bool = False
    at: str | None = None
    dry_run: bool = False
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def publication(self) -> Publication:
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

    def moment(self, text: str, option: str) -> datetime:
        """What a person wrote as a time, as an instant in UTC; in the site's zone where it names none."""
        moment = parsed_moment(text, option)
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)

    def zone_of(self, newsletter: str) -> str:
        """The zone in which a newsletter's slots are meant; the site's for one that the settings lost."""
        settings = self.publication.settings
        found = settings.newsletters.get(newsletter)
        return settings.zone(found) if found else settings.site.timezone

    def iso(self, moment: datetime | None, zone: str = "") -> str | None:
        """A time for scripts: ISO 8601 with offset, in the site's zone or the one given."""
        return moment.astimezone(ZoneInfo(zone) if zone else self.zone).isoformat() if moment else None

    def day(self, moment: datetime, zone: str = "") -> str:
        """A time for people."""
        return f"{moment.astimezone(ZoneInfo(zone) if zone else self.zone):%a %d %b %Y, %H:%M %Z}"

    def say(self, line: str) -> None:
        """A message while work goes on."""
        click.echo(line, err=True)

    def show(self, answer: Answer) -> None:
        for problem in answer.problems:
            click.echo(
                self._told(shown(problem)), err=True, color=False if os.environ.get("NO_COLOR") else None
            )
        if answer.silent:
            return
        if self.as_json:
            for piece in self.pieces(answer):
                click.echo(piece, nl=False)
            click.echo()
        else:
            for line in answer.lines:
                for each in [line] if isinstance(line, str) else _laid_out(line):
                    click.echo(self._told(each))

    def _told(self, text: str) -> str:
        """The same with its instants, which those below write in UTC, in the site's zone."""
        if "publication" not in self.__dict__:
            return text
        return _INSTANT.sub(lambda found: self.day(datetime.fromisoformat(f"{found[1]}+00:00")), text)

    def close(self) -> None:
        if "publication" in self.__dict__:
            self.publication.close()

    def document(self, answer: Answer) -> str:
        """The answer as `--json` prints it."""
        known = "publication" in self.__dict__ and (self.at is None or "now" in self.__dict__)
        at = self.iso(self.now) if known else self.started.isoformat()
        found = {
            "schema": SCHEMA,
            "command": self.name,
            "at": at,
            "result": answer.result,
            "problems": [document(problem) for problem in answer.problems],
        }
        return json.dumps(found, ensure_ascii=False)

    def pieces(self, answer: Answer) -> Iterator[str]:
        """The document, with the rows put in where they belong, some at a time."""
        if answer.streamed is None:
            yield self.document(answer)
            return
        name, rows = answer.streamed
        place = json.dumps({name: _ROWS})[1:-1]
        whole = self.document(replace(answer, result={**answer.result, name: _ROWS}))
        before, _, after = whole.partition(place)
        yield f"{before}{json.dumps(name)}: ["
        for number, portion in enumerate(portions(rows)):
            text = ", ".join(json.dumps(row, ensure_ascii=False) for row in portion)
            yield f", {text}" if number else text
        yield f"]{after}"


_ROWS = "\0"
"""Stands where the rows go: no value of ours holds it."""


def portions(items: Iterable[_T]) -> Iterator[list[_T]]:
    """So many at a time that writing them costs less than making them."""
    rest = iter(items)
    while portion := list(islice(rest, 1000)):
        yield portion


def operator() -> str:
    """Who is at the keyboard: whose word stands behind what only a person can know."""
    return f"operator {getpass.getuser()}"


def _laid_out(found: Rows) -> list[str]:
    """Rows as stdout wants them."""
    if not sys.stdout.isatty():
        return piped(found)
    from ketapress.cli.screen import drawn

    return drawn(found, shutil.get_terminal_size().columns, colours=not os.environ.get("NO_COLOR"))


def parsed_moment(text: str, option: str) -> datetime:
    """A time as people write it on a command line; without a zone where they named none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS:
        message = f"{option} {text!r} is no time between the years {YEARS.start} and {YEARS.stop - 1}."
        cure = "Write it like 2023-06-12T09:00, or with an offset: 2023-06-12T09:00+02:00."
        raise UsageError(Problem(code="usage.time", message=message, cure=cure))
    return moment
>>>>>>> c233a06 (An older copy of the database composes and sends nothing until a person accepts it; db restore, outbox refresh and resolve)


def say_usage(error: click.UsageError, words: Sequence[str]) -> None:
    """Answers a command whose words click could not take, for scripts and for people."""
    context = error.ctx
    cure = f"See `{context.command_path} --help`." if context else "See `ketapress --help`."
    problem = Problem(code="usage", message=f"{error.format_message()}", cure=cure)
    name = " ".join(word for word in words if not word.startswith("-"))
    Door(Path(), name, as_json=True).show(Answer({}, problems=(problem,)))


def command(
    name: str, sentence: str, *, asks_time: bool = False, writes: bool = False
) -> Callable[[Callable[..., Answer]], click.Command]:
    """Makes a click command of a function that takes a `Door` and returns an `Answer`, with the shared options."""

    def decorate(function: Callable[..., Answer]) -> click.Command:
        def call(**options: Any) -> None:
            door = Door(click.get_current_context().find_object(Path) or Path(), name, options.pop("as_json"))
            door.at, door.dry_run = options.pop("at", None), options.pop("dry_run", False)
            sys.exit(answered(door, lambda: function(door, **options)))

        call.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]  # click's own way
        for option in _shared_options(asks_time=asks_time, writes=writes):
            call = option(call)
        return click.command(name.rpartition(" ")[2], help=sentence)(call)

    return decorate


def group(name: str, sentence: str, commands: Iterable[click.Command]) -> click.Group:
    """A command of commands: `outbox show`."""
    return click.Group(name, commands=list(commands), help=sentence)


def _shared_options(*, asks_time: bool, writes: bool) -> list[Callable[..., Any]]:
    options = [click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")]
    if writes:
        options.append(
            click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
        )
    if asks_time:
        options.append(
            click.option("--at", metavar="TIME", help="Decide as of that moment: 2023-06-12T09:00.")
        )
    return options
