"""Posts become feeds: values in, bytes out, the same bytes for the same posts.

`document` says what a feed holds, whatever its format; `rss`, `atom` and `jsonfeed` write it, one file a format and one
shape of function; `generator` is the one place that knows feedgen, and `moulded` fills what it printed; `formats` is the table of them all, light to import.
Nothing here reads, writes or asks for the time.
"""
