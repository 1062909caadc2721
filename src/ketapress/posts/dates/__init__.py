"""Text to a date: one row of names a language."""
