"""The files of `posts/`: which are posts, what they contain, and their attachments."""
