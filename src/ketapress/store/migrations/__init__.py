"""Alembic migrations: one file a schema change. Never edit one after its release."""
