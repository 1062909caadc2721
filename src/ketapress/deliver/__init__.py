"""Delivering: each letter to each subscriber, once. An act: it joins the store, the mail room and the relay.

`leave` says whether sending may begin; `sender` decides what becomes of each edition; `round` carries its due deliveries
over open connections, drawn from what it has in `hand`; `turns` commits for all of them together before any dot goes
out; `road` is what a round is handed, `signing` makes
DKIM signatures beside it; `settle` is the rules, `report` what people are told, `ledger` the part of the store that is needed. `trial` sends
one message as a test. Nothing here opens a database, renders, or reads a clock by itself.
"""
