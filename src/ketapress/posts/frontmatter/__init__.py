"""The header of a post: how it is written, and the fields, dates and status in it."""
