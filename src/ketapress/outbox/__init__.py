"""One folder an edition, readable by a person and by any mail program.

`files` says what is in it, as bytes; `folder` is the edge that writes it, whole or not at all, and tells whether somebody
has changed it since. What is sent is the letter in the store: these files are its copy for people.
"""
