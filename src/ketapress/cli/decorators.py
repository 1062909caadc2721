"""What every command shares on the command line: its options, and how click is told of it.

A command is a function that takes a `Door` and returns an `Answer`.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from ketapress.cli.context import Answer, Door, Exit, answered, disk_problem, document, parsed_moment, shown
from ketapress.model.errors import Problem

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
