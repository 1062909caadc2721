"""The changes of the schema, oldest first by their numbers; `tables.REVISIONS` lists them."""
