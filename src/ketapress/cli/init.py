"""`ketapress init FOLDER`: create a publication folder."""

import click

from ketapress.cli.context import CommandContext, CommandResult, parse_time
from ketapress.cli.decorators import command


@command("init", "Create a publication in FOLDER (default: the current folder).", asks_time=True)
@click.argument("folder", required=False)
def init(context: CommandContext, folder: str | None) -> CommandResult:
    from ketapress.settings.scaffold import create_publication

    root = context.root / folder if folder else context.root
    paths = create_publication(root, parse_time(context.at, "--at") if context.at else context.start_time)
    lines = [
        f"Created a publication in {root}:",
        *(f"  {path.relative_to(root)}" for path in paths),
        "Next, set the title, the URL, and the sender in ketapress.toml, add posts to posts/, and run `ketapress publish`.",
    ]
    return CommandResult({"made": [str(path) for path in paths]}, lines)
