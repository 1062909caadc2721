"""`ketapress new TITLE`: create a draft post."""

import click

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command
from ketapress.model.errors import Problem, UsageError


@command("new", "Create a draft post with this title.", asks_time=True)
@click.argument("title")
def new(context: CommandContext, title: str) -> CommandResult:
    if not title.strip():
        cure = 'Name one: ketapress new "A title".'
        raise UsageError(Problem(code="usage.title", message="the title is empty.", cure=cure))
    path = context.publication.create_draft(title, context.now)
    line = f"Created {path}. Remove `draft: true` from it when the post is ready to publish."
    return CommandResult({"path": str(path)}, [line])
