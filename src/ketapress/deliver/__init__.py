"""Delivery: send each ready edition to each subscriber once.

`preflight` checks that sending may start; `sender` goes through the editions; `session` sends the due deliveries of one
of them over open connections. `domain_queue` orders claimed deliveries, `group_commit` writes results and intents of all
connections in one transaction, `retry_policy` has the rules. `context` is what a session is given, `report` what people
are told, `protocols` what the store must offer. Nothing here opens a database, renders, or reads the wall clock.
"""
