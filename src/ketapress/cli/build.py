"""`ketapress build`: write feeds and site only."""

from ketapress.cli.build_command import run_build
from ketapress.cli.decorators import command

build = command("build", "Write feeds and site only.", asks_time=True, writes=True)(run_build)
