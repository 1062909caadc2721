"""The outbox: one folder per edition, which people and mail programs can read, and the log of what was sent.

`manifest` builds the files, `writer` writes them atomically and detects changed ones, `sent_log` protects against an
older copy of the database. The store sends its own message template; these files are a copy for people.
"""
