"""`ketapress init FOLDER`: a publication folder to begin with."""

import click

from ketapress.cli.decorators import Answer, Door, command, parsed_moment


@command("init", "Make a publication folder in FOLDER (this folder by default).", asks_time=True)
@click.argument("folder", required=False)
def init(door: Door, folder: str | None) -> Answer:
    from ketapress.settings.scaffold import create_publication

    root = door.root / folder if folder else door.root
    made = create_publication(root, parsed_moment(door.at, "--at") if door.at else door.started)
    return Answer(
        {"made": [str(path) for path in made]},
        [
            f"{root} is a publication now:",
            *(f"  {path.relative_to(root)}" for path in made),
            "Next: set title, url and the sender in ketapress.toml, write into posts/, then run `ketapress preview`.",
        ],
    )
