"""The command `ketapress`: a click group that imports the module of a command when the command is called."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

COMMANDS = {
    "publish": "Compose all due editions, then write feeds and site.",
    "build": "Write feeds and site only.",
    "compose": "Compose due editions, or one newsletter right away.",
    "send": "Deliver all ready editions, then exit.",
    "run": "Run as a service: publish and deliver on schedule.",
    "new": "Create a draft post with a title.",
    "check": "List all problems in posts, templates, and settings.",
    "queue": "List upcoming send times and posts by date.",
    "preview": "Show the next edition exactly as it will be sent.",
    "explain": "Explain for each post why it is or is not in an edition.",
    "send-test": "Send the next edition to one address as a test.",
    "outbox": "List, show, hold, release, cancel, and export editions.",
    "subscribers": "Add, list, import, export, remove, or erase subscribers.",
    "init": "Create a publication folder.",
    "ids": "Save the ids of posts that this machine learned.",
    "status": "Show what is due, what was sent, and what needs attention.",
    "doctor": "Check settings, folder, clock, database, relay, and DNS.",
    "db": "Upgrade, back up, or restore the database.",
}


class Commands(click.Group):
    """A group that prints its help without importing its commands."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run click, but with `--json` report usage errors as a document."""
        arguments = list(extra.get("args") or (args[0] if args else None) or sys.argv[1:])
        if "--json" not in arguments:
            return super().main(*args, **extra)
        try:
            return super().main(*args, **{**extra, "standalone_mode": False})
        except click.UsageError as error:
            from ketapress.cli.decorators import print_usage_error

            print_usage_error(error, arguments)
            sys.exit(error.exit_code)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"ketapress.cli.{name}"), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(ctx: click.Context, _parameter: click.Parameter, has_option: bool) -> None:
    if has_option:
        from ketapress import __version__

        click.echo(f"ketapress {__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "-C", "folder", default=".", metavar="DIR", help="The publication folder (default: the current folder)."
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.pass_context
def main(ctx: click.Context, folder: str) -> None:
    """Turn dated posts into feeds, a site, and e-mail digests that reach every subscriber once."""
    ctx.obj = Path(folder)
