"""Headers, encodings and merge fields of a message."""
