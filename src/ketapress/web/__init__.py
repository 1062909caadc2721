"""The doors on the web: what browsers, feed readers and mail programs ask for over HTTP.

`door` puts the public one together, `server` listens. `public` serves files (`files` opens them, `conditional` decides
what a request's headers ask for, `media` says what they are); `links` are the pages that mail leads to, which change a
consent through the act; `pages` fills their templates in the reader's language (`words`); `metrics` is for ops; `site` is
the publication as it is set now. `preview*` is the page that `ketapress preview` shows its editor on this machine alone.

No session, no cookie, no script on a public page; nothing here renders a letter, or decides what an act would not decide.
"""
