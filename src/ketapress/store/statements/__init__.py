"""SQL on an open connection: no transaction begins here."""
