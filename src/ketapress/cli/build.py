"""`ketapress build`: feeds and archive only."""

from ketapress.cli.build_command import built
from ketapress.cli.decorators import command

build = command("build", "Write feeds and archive only.", asks_time=True, writes=True)(built)
