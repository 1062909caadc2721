"""Dates as authors write them, in many languages, parsed without guessing."""
