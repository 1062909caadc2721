"""The command line, one file a command. `main` knows their names and sentences; a command is imported when called."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

COMMANDS = {
    "publish": "Compose every due edition into the outbox, then write feeds and archive.",
    "build": "Write feeds and archive only.",
    "compose": "Compose what is due, or one newsletter at once with --now.",
    "send": "Deliver what is ready, then exit.",
    "run": "Stay up: publish and deliver on schedule.",
    "new": "Begin a post with that title.",
    "check": "Name everything that is wrong with posts, templates and settings.",
    "queue": "Show the coming posts and editions by date.",
    "preview": "Show what goes out next, exactly as it will be sent.",
    "explain": "Say for each post why it is in an edition, or why not.",
    "send-test": "Send the next edition to one address, as a test.",
    "outbox": "List and show editions, decide about them, say what became of them.",
    "subscribers": "Add, list, import, export, remove or erase subscribers.",
    "init": "Make a publication folder.",
    "status": "One screen: what is due, what went out, what needs a person.",
    "doctor": "Look at settings, folder, clock, database, relay and DNS; each finding has its cure.",
    "db": "Upgrade, copy or restore the database.",
}


class Commands(click.Group):
    """A group that prints its help without importing what it lists."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """As click has it, but for wrong words beside `--json`: they are answered with a document, too."""
        words = list(extra.get("args") or (args[0] if args else None) or sys.argv[1:])
        if "--json" not in words:
            return super().main(*args, **extra)
        try:
            return super().main(*args, **{**extra, "standalone_mode": False})
        except click.UsageError as error:
            from ketapress.cli.decorators import say_usage

            say_usage(error)
            sys.exit(error.exit_code)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        found = getattr(import_module(f"ketapress.cli.{name}"), name)
        return found if isinstance(found, click.Command) else None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _parameter: click.Parameter, asked: Any) -> None:
    if asked:
        from ketapress import __version__

        click.echo(f"ketapress {__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "-C", "folder", default=".", metavar="DIR", help="The publication folder; this folder by default."
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.pass_context
def main(ctx: click.Context, folder: str) -> None:
    """Dated posts become feeds, an archive, and e-mail digests that reach every subscriber once."""
    ctx.obj = Path(folder)
