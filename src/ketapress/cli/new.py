"""`ketapress new TITLE`: a draft to begin from."""

import click

from ketapress.cli.decorators import Answer, Door, command
from ketapress.model.errors import Problem, UsageError


@command("new", "Begin a post with that title, as a draft.", asks_time=True)
@click.argument("title")
def new(door: Door, title: str) -> Answer:
    if not title.strip():
        raise UsageError(
            Problem(
                code="usage.title", message="the title is empty.", cure='Name one: ketapress new "A title".'
            )
        )
    path = door.publication.create_draft(title, door.now)
    return Answer({"path": str(path)}, [f"Write on in {path}; remove `draft: true` when it may go out."])
