"""Check the environment of a publication, and change nothing.

`run` collects the findings. `system` checks this machine (permissions, disk space, clock, SQLite, the secret, alerts, the
last backup), `database` the store, `relay` the connection to the relay. `resolver` queries the DNS, and `mail_dns` judges
the records of the sender's domain: SPF, DKIM, DMARC and their alignment. Every finding that is not ok has a cure.
"""
