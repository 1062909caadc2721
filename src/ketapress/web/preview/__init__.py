"""The pages of `ketapress preview`."""
