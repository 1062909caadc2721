"""Act: looking whether everything that Ketapress stands on will hold, and changing nothing.

`examination` puts the findings together; `folder` looks at this machine (rights, room, clock, SQLite, the secret, who is
told, the last backup), `books` at the store, `relay` knocks at the relay, `names` asks the DNS, and `domain` (pure) judges what
it says of the sender's domain: SPF, DKIM, DMARC, and whether they align. Each finding that is not well has its cure.
"""
