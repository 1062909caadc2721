"""Convert plain text, Markdown and HTML files to HTML fragments."""
