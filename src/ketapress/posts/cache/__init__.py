"""What was read before, in `.ketapress/posts.db`."""
