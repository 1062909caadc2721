"""The posts room: files of `posts/` become `Post` values, and their ids stay what they were.

A file goes this way: `files` lists and reads it, unless `shelf` finds it in the `cache` as it is; `frontmatter` splits
header from body (`yamlheader` where it takes a YAML loader, `unfenced` where no fence opens the header); `manuscript`
says what the author wrote (`fields` the values, `withheld` what keeps it back, `misspelled` their names, `dating` and
`dates` with `dategrammar`, `calendars` and `otherdates` the date, `titles` and `prose` the title, `letters` the language where nothing else tells) and makes
HTML of it (`article`, `markdown` with `boxes` and `mdx`, `html`; `leftovers` keeps the marks of other tools out of the way, and
`shortcodes`, `pairs` and `around` know what they mean); `matching` finds the post it is, `pinning` the id, address and instants that it keeps; `rendering` makes it a
`Post` (`sanitize`, `links`). `folder` walks the whole way and is
what other rooms call; `ids` keeps `.published.jsonl`.

What only few posts need is imported when one comes: `yamlheader`, `opening` and `dategrammar` with `calendars` (dates
that are not in the header, or in words), `html`, `article`, `mdx`. And their patterns are compiled then.

It never decides what goes into a feed, a page or an edition, and reading never writes.
"""
