"""The page of `ketapress preview`."""
