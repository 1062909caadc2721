"""Convert the HTML of a post to HTML and plain text for mail clients."""
