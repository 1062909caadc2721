"""Files, locks and the event log. Standard library and `model` only."""
