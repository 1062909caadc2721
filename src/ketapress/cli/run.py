"""`ketapress run`: stay up."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from ketapress.cli.door import Answer, Door, command
from ketapress.daemon.run import PARTS, Daemon


@command("run", "Stay up: publish and deliver on schedule until SIGTERM.")
@click.option(
    "--only",
    "only",
    type=click.Choice(PARTS),
    multiple=True,
    help="Only that part; may be given more than once.",
)
def run(door: Door, only: tuple[str, ...]) -> Answer:
    publication = door.publication  # a wrong setting ends the start here, with exit code 78
    parts = only or PARTS
    with publication.alone("run"):
        daemon = Daemon(door.root, os.environ, _json_line if door.as_json else _text_line)
        _say(
            door,
            "started",
            f"Up: {' and '.join(parts)} of {publication.settings.site.title}. SIGTERM ends it.",
        )
        daemon.run(parts)
        _say(door, "stopped", "Down: what was in flight is finished.")
    return Answer({}, silent=True)


def _say(door: Door, event: str, message: str) -> None:
    (_json_line if door.as_json else _text_line)(event, {"message": message})


def _text_line(event: str, fields: Mapping[str, Any]) -> None:
    click.echo(f"{event}: {fields['message']}", err=True)


def _json_line(event: str, fields: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}, ensure_ascii=False) + "\n")
    sys.stdout.flush()
