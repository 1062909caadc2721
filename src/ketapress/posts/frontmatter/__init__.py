"""The header of a post to its fields, dates and status."""
