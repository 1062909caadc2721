"""SQL statements on an open connection. The callers begin and commit the transactions."""
