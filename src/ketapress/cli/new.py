"""`ketapress new TITLE`: create a draft post."""

import click

from ketapress.cli.context import CommandContext, CommandResult, usage_error
from ketapress.cli.decorators import command


@command("new", "Create a draft post with this title.", asks_time=True)
@click.argument("title")
def new(context: CommandContext, title: str) -> CommandResult:
    if not title.strip():
        raise usage_error("usage.title", "the title is empty.", 'Name one: ketapress new "A title".')
    path = context.publication.create_draft(title, context.now)
    line = f"Created {path}. Remove `draft: true` from it when the post is ready to publish."
    return CommandResult({"path": str(path)}, [line])
