"""The SMTP client: sends messages to a relay and classifies its replies.

`client` opens connections and sends messages; `transaction` has the order of commands, `stream` the socket, `protocol`
the bytes. `classify` turns a reply into a verdict; `rate_limit` and `dkim` are pure. Nothing here knows editions,
subscribers or the store, and nothing here retries.
"""
