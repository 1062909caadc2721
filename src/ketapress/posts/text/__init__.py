"""Titles, excerpts and languages of texts."""
