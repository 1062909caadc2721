"""Posts and editions become the pages that any web server can serve.

`pages` says which pages there are and with what values their templates are filled; `lists` gathers posts and editions
for it, `markup` is what it adds to their HTML: all pure. `folder` is the edge that writes `public/`, and touches nothing
that is as it should be or that it did not make; `state` is the edge that remembers what it made, `stamps` the one that
knows whether a file is still the same. What is visible is decided before posts come here.
"""
