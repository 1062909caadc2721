"""What every command shares on the command line: its options, and how click is told of it.

A command is a function that takes a `Door` and returns an `Answer`.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from ketapress.cli.context import (
    Answer,
    Door,
    Exit,
    answered,
    disk_problem,
    document,
    has_surrogates,
    parsed_moment,
    printable,
    shown,
)
from ketapress.model.errors import Problem, UsageError

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


def say_usage(error: click.UsageError) -> None:
    """Answers a command whose words click could not take, for scripts and for people."""
    context = error.ctx
    cure = f"See `{context.command_path} --help`." if context else "See `ketapress --help`."
    problem = Problem(code="usage", message=f"{error.format_message()}", cure=cure)
    names: list[str] = []
    while context and context.parent:
        names.insert(0, context.info_name or "")
        context = context.parent
    name = " ".join(names)
    Door(Path(), name, as_json=True).show(Answer({}, problems=(problem,)))


def command(
    name: str, sentence: str, *, asks_time: bool = False, writes: bool = False
) -> Callable[[Callable[..., Answer]], click.Command]:
    """Makes a click command of a function that takes a `Door` and returns an `Answer`, with the shared options."""

    def decorate(function: Callable[..., Answer]) -> click.Command:
        def call(**options: Any) -> None:
            door = Door(click.get_current_context().find_object(Path) or Path(), name, options.pop("as_json"))
            door.at, door.dry_run = options.pop("at", None), options.pop("dry_run", False)

            def act() -> Answer:
                _refuse_other_encodings(door, options)
                return function(door, **options)

            sys.exit(answered(door, act))

        call.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]  # click's own way
        for option in _shared_options(asks_time=asks_time, writes=writes):
            call = option(call)
        return click.command(name.rpartition(" ")[2], help=sentence)(call)

    return decorate


def _refuse_other_encodings(door: Door, options: Mapping[str, Any]) -> None:
    """Raise UsageError for an argument with bytes that are not UTF-8, which Python reads as lone surrogates.

    Only names of files may have such bytes, and not those that SQLite opens.
    """
    for parameter in click.get_current_context().command.params:
        value = door.at if parameter.name == "at" else options.get(parameter.name or "")
        is_file_name = isinstance(parameter.type, click.Path) and not door.name.startswith("db ")
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and not is_file_name and has_surrogates(text):
                raise UsageError(
                    Problem(
                        code="usage.encoding",
                        message=f"{parameter.human_readable_name} {printable(text)!r} is not UTF-8.",
                        cure="Write it in UTF-8; `locale` shows the encoding of the terminal.",
                    )
                )


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
