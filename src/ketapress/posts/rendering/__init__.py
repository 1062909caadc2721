"""A parsed post with its identity to a Post: sanitized, with absolute links."""
