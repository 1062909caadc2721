"""Syntax of other tools to Markdown or HTML."""
