"""Names and values become text: the loader that mail and archive are handed as `fill`.

`folder` is the edge: it reads the shipped templates and a publication's own, which win by the same name.
`dates`, `schedules`, `shelves` and `speech` are the filters: instants for people and machines, schedules in words, lists of
posts, languages.
What a template says is never decided here.
"""
