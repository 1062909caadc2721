"""`ketapress run`: run as a service."""

import os

import click

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command
from ketapress.system.lock import PARTS


@command("run", "Run as a service until SIGTERM: publish and deliver on schedule, and serve web pages.")
@click.option(
    "--only", "parts", type=click.Choice(PARTS), multiple=True, help="Run only this part; repeat for more."
)
@click.option(
    "--drain",
    type=click.FloatRange(0, 3600),
    default=25.0,
    show_default=True,
    metavar="SECONDS",
    help="How long messages in progress may take to finish at shutdown.",
)
def run(context: CommandContext, parts: tuple[str, ...], drain: float) -> CommandResult:
    from ketapress.daemon.daemon import Daemon
    from ketapress.system.event_log import standard_log

    log = standard_log(context.clock, as_json=context.as_json)
    log.capture("uvicorn.error", "watchfiles")
    Daemon(context.root, os.environ, log, drain_seconds=drain).run(parts or PARTS)
    return CommandResult({}, silent=True)
