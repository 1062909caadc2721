"""The posts room: files of `posts/` become `Post` values, and their ids stay what they were.

One file goes this way: `files` lists and reads it, `frontmatter` splits header from body, `manuscript` says what the
author wrote (with `fields`, `dates`, `calendars`, `titles`), `pinning` gives it the id, the address and the instants
that it keeps, and `rendering` makes HTML of its body (`article`, `markdown` or `html`, always through `sanitise`).
`folder` walks the whole way and is what other rooms call; `ids` keeps `.published.jsonl`.

It never decides what goes into a feed, a page or an edition, and reading never writes.
"""
