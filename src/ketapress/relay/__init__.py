"""The relay: the SMTP server that takes our messages.

`smtp` (the edge) speaks to it and returns what it said; `wire` cuts bytes into replies and makes ours
safe; `verdict` says what a reply means. Nothing here knows editions, subscribers or the store, and nothing here decides to try again.
"""
