"""Render templates: a name and values to text. `environment.Templates` is the renderer that `mail` and `site` get.

`environment` loads the publication's own templates before the shipped ones, `sources` finds and fingerprints them. The
filters are in `filters` (dates and schedules), `post_lists` (lists of posts) and `lang_attributes` (language and direction).
"""
