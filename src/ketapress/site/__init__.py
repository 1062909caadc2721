"""Posts and editions become the pages that any web server can serve.

`pages` says which pages there are and which values their templates are rendered with; `indexes` makes the lists of posts
and editions, `html` is what is added to their HTML, `sitemap` lists all pages for search engines. Nothing here reads,
writes or asks for the time; which posts are visible is decided before.
"""
