"""Act: telling a person, once, of what needs one.

`due` (pure) says which problems are to be told now and which were told already; `memory` keeps that over a restart;
`letter` makes the mail; `ways` runs the command or hands the mail to the relay. It mends nothing, and nothing that
goes wrong here stops the work: it comes back as a Problem for the log.
"""
