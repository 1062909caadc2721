"""Plain text, Markdown and HTML to HTML."""
