"""The decorator that makes a click command of a function, and the options that commands share."""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from ketapress.cli.context import CommandContext, CommandResult, run_command
from ketapress.model.errors import Problem


def command(
    name: str, summary: str, *, asks_time: bool = False, writes: bool = False
) -> Callable[[Callable[..., CommandResult]], click.Command]:
    """Make a click command, with the shared options, of a function from `CommandContext` to `CommandResult`."""

    def decorate(function: Callable[..., CommandResult]) -> click.Command:
        def call(**options: Any) -> None:
            context = CommandContext(
                click.get_current_context().find_object(Path) or Path(),
                name,
                options.pop("as_json"),
                options.pop("at", None),
                options.pop("dry_run", False),
            )
            sys.exit(run_command(context, lambda: function(context, **options)))

        call.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]  # click's own way
        for option in _shared_options(asks_time=asks_time, writes=writes):
            call = option(call)
        return click.command(name.rpartition(" ")[2], help=summary)(call)

    return decorate


def group(name: str, summary: str, commands: Iterable[click.Command]) -> click.Group:
    """Make a command of commands, such as `outbox show`."""
    return click.Group(name, commands=list(commands), help=summary)


def print_usage_error(error: click.UsageError, arguments: Sequence[str]) -> None:
    """Print click's usage error as a message, and as a JSON document."""
    cure = f"See `{error.ctx.command_path if error.ctx else 'ketapress'} --help`."
    problem = Problem(code="usage", message=error.format_message(), cure=cure)
    name = " ".join(argument for argument in arguments if not argument.startswith("-"))
    CommandContext(Path(), name, as_json=True).print_result(CommandResult({}, problems=(problem,)))


def _shared_options(*, asks_time: bool, writes: bool) -> list[Callable[..., Any]]:
    options = [click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")]
    if writes:
        options.append(
            click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
        )
    if asks_time:
        options.append(
            click.option("--at", metavar="TIME", help="Act as of this time, such as 2023-06-12T09:00.")
        )
    return options
