"""`ketapress build`: feeds and archive only."""

from ketapress.cli.building import built
from ketapress.cli.door import command

build = command("build", "Write feeds and archive only.", asks_time=True, writes=True)(built)
