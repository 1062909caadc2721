"""The relay: the SMTP server that takes our messages.

`smtp` opens a conversation and carries messages; beneath it `line` is the socket (these two are the edges),
`transactions` the order of commands, `wire` the bytes of replies and messages. `verdict` says what a reply means.
Nothing here knows editions, subscribers or the store, and nothing here decides to try again.
"""
