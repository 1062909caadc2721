"""The door that answers HTTP: `public/` as files, and the pages that mail links to.

`door` puts it together, `server` listens. `public` serves files (`files` opens them, `conditional` decides what a
request's headers ask for, `media` says what they are); `unsubscribe` and `preferences` change a consent through the
act, `pages` fills their templates in the reader's language (`words`); `health` and `metrics` are for ops. It keeps no
session, sets no cookie, and decides nothing that an act or a command would not decide.

`preview*` are another door, for an editor on this machine alone: what `ketapress preview` shows.
"""
