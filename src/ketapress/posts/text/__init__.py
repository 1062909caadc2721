"""Titles, excerpts and the language of a text."""
