"""Parse the text of a file into a post."""
