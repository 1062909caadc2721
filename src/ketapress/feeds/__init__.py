"""Posts become feeds: values in, bytes out, the same bytes for the same posts.

`model` says what a feed holds in any format; `rss`, `atom` and `jsonfeed` render it, one module a format, each with one
function `render`; `xml_format` is the one module that knows feedgen; `formats` is the table of them all, quick to import.
Nothing here reads, writes or asks for the time.
"""
