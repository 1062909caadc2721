"""Alembic's room: one file a change of the schema, each all or nothing, none ever edited after its release."""
