"""Turn ketapress.toml into Settings, or into problems that name file, line and key.

`loader` reads the file, `converters` turns each TOML value into a value of the model, `schedule` parses schedules, and
`docs_page` prints docs/settings.md from the same declarations.
"""
