"""`ketapress new TITLE`: a draft to begin from."""

import click

from ketapress.cli.door import Answer, Door, command


@command("new", "Begin a post with that title, as a draft.", asks_time=True)
@click.argument("title")
def new(door: Door, title: str) -> Answer:
    path = door.publication.new_post(title, door.now)
    return Answer({"path": str(path)}, [f"Write on in {path}; remove `draft: true` when it may go out."])
