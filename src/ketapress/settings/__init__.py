"""ketapress.toml becomes Settings, or errors that name file, line and key.

`file` reads (the only edge), `fields` turns each TOML value into what the model holds, `schedule` understands
when a newsletter is due, `page` prints docs/settings.md from the same declarations. Nothing here decides anything.
"""
