"""Names and values become text: the loader that mail and archive are handed as `fill`.

`folder` is the edge: it reads the shipped templates and a publication's own, which win by the same name.
`dates` are the filters that write instants for people and for machines. What a template says is never decided here.
"""
