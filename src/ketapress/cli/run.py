"""`ketapress run`: stay up."""

import os

import click

from ketapress.cli.decorators import Answer, Door, command
from ketapress.system.lock import PARTS


@command("run", "Stay up: publish and deliver on schedule, and answer on the web, until SIGTERM.")
@click.option(
    "--only",
    "only",
    type=click.Choice(PARTS),
    multiple=True,
    help="Only that part; may be given more than once.",
)
@click.option(
    "--drain",
    type=click.FloatRange(0, 3600),
    default=25.0,
    show_default=True,
    metavar="SECONDS",
    help="How long what is in flight may take at the end.",
)
def run(door: Door, only: tuple[str, ...], drain: float) -> Answer:
    from ketapress.daemon.daemon import Daemon
    from ketapress.system.event_log import standard_log

    log = standard_log(door.clock, as_json=door.as_json)
    log.capture("uvicorn.error", "watchfiles")
    daemon = Daemon(door.root, os.environ, log, drain_seconds=drain)
    daemon.run(only or PARTS)
    return Answer({}, silent=True)
