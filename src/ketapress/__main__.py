"""`python -m ketapress`: the command line."""

from ketapress.cli import main

main()
