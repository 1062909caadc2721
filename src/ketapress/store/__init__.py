"""The store: subscribers, editions and deliveries in a database, SQLite or PostgreSQL.

`store` opens it, with one repository each in `subscribers`, `editions` and `deliveries`. `statements/` holds their SQL,
`db/` the tables, transactions and driver errors, `migrations/` the schema changes, `maintenance/` backup and restore.
The only clock that it reads is the database's, for leases.
"""
