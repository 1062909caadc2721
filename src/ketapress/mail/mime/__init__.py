"""Headers, transfer encodings and merge fields of a message."""
