"""Convert the syntax of other tools to Markdown or HTML."""
