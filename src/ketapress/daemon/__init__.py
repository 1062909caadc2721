"""The door that stays open: ticks, and what a tick does. It decides nothing that a command would not decide."""
