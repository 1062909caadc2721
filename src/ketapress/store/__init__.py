"""Who wants what, and who got what: people, editions and deliveries in a database, SQLite or PostgreSQL.

`database` opens it; `subscribers`, `editions` and `deliveries` are the three books that acts write in; `tables` says
what is stored, `transactions` how (one border for begin, commit and faults), `faults` puts a broken database into
words, `letters` packs a letter into bytes, `backup` copies a whole database, `migrate` and `migrations/` bring a
schema up to date, `lock` keeps other processes out of a folder. `persons`, `intake`, `freeze`, `ledger`,
`recovery` and `counts` hold the statements of the books. It never reads a clock but the database's own for leases, never renders, never sends.
"""
