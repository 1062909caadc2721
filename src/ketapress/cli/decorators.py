"""The decorator that makes a click command of a function, and the options that commands share."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ketapress.cli.context import (
    CommandContext,
    CommandResult,
    has_surrogates,
    replace_surrogates,
    run_command,
)
from ketapress.model.errors import Problem, UsageError


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

            def run() -> CommandResult:
                _refuse_other_encodings(context, options)
                return function(context, **options)

            sys.exit(run_command(context, run))

        call.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]  # click's own way
        for option in _shared_options(asks_time=asks_time, writes=writes):
            call = option(call)
        return click.command(name.rpartition(" ")[2], help=summary)(call)

    return decorate


def _refuse_other_encodings(context: CommandContext, options: Mapping[str, Any]) -> None:
    """Raise UsageError for an argument with bytes that are not UTF-8, which Python reads as lone surrogates.

    Only file names may have such bytes, but not those of databases, which SQLite opens.
    """
    for parameter in click.get_current_context().command.params:
        value = context.at if parameter.name == "at" else options.get(parameter.name or "")
        is_file_name = isinstance(parameter.type, click.Path) and not context.name.startswith("db ")
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and not is_file_name and has_surrogates(text):
                message = f"{parameter.human_readable_name} {replace_surrogates(text)!r} is not UTF-8."
                cure = "Write it in UTF-8; `locale` shows the encoding of the terminal."
                raise UsageError(Problem(code="usage.encoding", message=message, cure=cure))


def print_usage_error(error: click.UsageError) -> None:
    """Print click's usage error as a message, and as a JSON document with the name of the command."""
    cure = f"See `{error.ctx.command_path if error.ctx else 'ketapress'} --help`."
    problem = Problem(code="usage", message=error.format_message(), cure=cure)
    names: list[str] = []
    click_context = error.ctx
    while click_context and click_context.parent:
        names.insert(0, click_context.info_name or "")
        click_context = click_context.parent
    context = CommandContext(Path(), " ".join(names), as_json=True)
    context.print_result(CommandResult({}, problems=(problem,)))


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
