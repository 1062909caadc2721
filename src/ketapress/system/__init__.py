"""Files, locks, the state in `.ketapress/` and the event log. Standard library and `model` only."""
