"""Delivering: each letter to each subscriber, once. An act: it joins the store, the mail room and the relay.

`sender` decides what becomes of each edition, `round` carries its due deliveries over open connections, `turns`
commits for all of them together before any dot goes out, `settle` is the rules, `report` what people are told, and
`ledger` the part of the store that is needed. Nothing here opens a database, renders, or reads a clock by itself.
"""
