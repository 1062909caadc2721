"""Which files there are, their text, and their attachments."""
