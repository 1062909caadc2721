"""Notify a person, once, of problems that need one.

`policy` decides which problems are due, `state` remembers over a restart what was sent, `message` formats an alert, and
`channels` runs the command or sends the mail. A failure here never stops the work: it comes back as a Problem for the log.
"""
