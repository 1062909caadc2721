"""The command line. `commands` knows their names and sentences; each stands in a file of its own, loaded when it is called.

`door` is what all share: options and how a command is answered (`answers`). Nothing here decides what the work is.
"""
