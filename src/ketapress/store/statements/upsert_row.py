"""Insert a row, or replace the one with the same key; and the moment at which posts were last observed."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table

from ketapress.store.db.codes import to_microseconds
from ketapress.store.db.schema import properties, upsert

OBSERVED_AT = "observed_at"
"""The property with the moment at which slots were decided, or the visibility of a post changed, in microseconds."""


def replace_row(connection: Connection, table: Table, values: dict[str, Any], key: str) -> None:
    """Insert a row, or replace the one with the same value in the column `key`."""
    rest = {name: value for name, value in values.items() if name != key}
    statement = upsert(connection.dialect.name, table).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=rest))


def save_observation(connection: Connection, now: datetime) -> None:
    """Store the moment at which slots were decided or records changed."""
    replace_row(connection, properties, {"name": OBSERVED_AT, "value": str(to_microseconds(now))}, "name")
