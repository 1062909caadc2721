"""Alembic migrations: one file a change of the schema, each all or nothing, never edited after its release."""
