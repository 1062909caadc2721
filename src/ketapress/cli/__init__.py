"""The command line: one module per command, imported when the command is called.

`main` lists the commands, `decorators` declares their shared options, and `context` runs a command and prints its result.
"""
