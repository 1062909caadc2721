"""Post HTML to HTML and text that mail programs show."""
