"""Check a finished message as mail clients and filters will: Problems, of which errors hold the edition.

`run` calls the rules: `size`, `content` (headings, tables, template tags), `images`, `links`, `contrast` in both schemes,
`styles` and `clients` (what Gmail and Outlook drop), `headers`. `document` maps an element to its post, `source_line` to a
line of the post's file. Nothing here changes the message or raises an error for one.
"""
