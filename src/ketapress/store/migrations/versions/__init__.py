"""The schema changes by number, as `codes.REVISIONS` lists them."""
