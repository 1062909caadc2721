"""Files of `posts/` become `Post` values, and keep their ids. Other packages call `loader`.

| package | what it does |
|---|---|
| `source` | find files, read their text, find attachments |
| `frontmatter` | split header from body; read the fields of the header |
| `dates`, `text` | read dates; titles, excerpts, languages |
| `markup`, `dialects` | make HTML of Markdown, plain text and HTML; expand the shortcodes of other tools |
| `parsing` | join these: the text of a file becomes a parsed post, before it has an id |
| `identity` | find the post that a parsed post is; assign ids, addresses and times; keep `.published.jsonl` |
| `rendering` | sanitize HTML, resolve links, build the `Post` |
| `cache` | parsed files and bodies in the build cache |

`reader` reads and renders what changed, and takes the rest from the cache; `loader` joins all of this. What few posts
need is imported when a post needs it. Reading never writes.
"""
