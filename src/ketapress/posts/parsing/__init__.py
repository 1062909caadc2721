"""The text of a file to a parsed post."""
