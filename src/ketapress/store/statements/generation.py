"""How often sending was started, as the store remembers it; and numbers that an older copy must not give out again.

Part of the edge: works on a connection, inside a transaction that somebody else opened.
"""

from sqlalchemy import BigInteger, Connection, Text, cast, func, literal, select, text

from ketapress.store.db.schema import properties, subscribers, subscriptions, upsert

_PROPERTY = "generation"
_ID_GAP = 100_000  # people who may have signed up after a copy was made, and whose links are in mail


def read_generation(connection: Connection) -> int:
    """How often sending was started on this store; 0 before the first time."""
    return int(connection.scalar(select(properties.c.value).where(properties.c.name == _PROPERTY)) or 0)


def raise_generation(connection: Connection, minimum: int = 0) -> int:
    """One more than before, and at least so many; what it is now. Of two who raise at once, both do."""
    next_value = cast(properties.c.value, BigInteger) + 1
    statement = upsert(connection.dialect.name, properties).values(name=_PROPERTY, value=str(max(1, minimum)))
    greatest = func.max if connection.dialect.name == "sqlite" else func.greatest
    statement = statement.on_conflict_do_update(
        index_elements=["name"], set_={"value": cast(greatest(next_value, literal(minimum)), Text)}
    )
    return int(connection.execute(statement.returning(properties.c.value)).scalar_one())


def skip_ids(connection: Connection) -> None:
    """New people and subscriptions get numbers that no copy has given out: links in mail are made from them."""
    for table_name in (subscribers.name, subscriptions.name):
        connection.execute(_SKIP_IDS[connection.dialect.name], {"name": table_name, "gap": _ID_GAP})


_SKIP_IDS = {
    "sqlite": text("UPDATE sqlite_sequence SET seq = seq + :gap WHERE name = :name"),
    "postgresql": text("SELECT setval(s, nextval(s) + :gap) FROM pg_get_serial_sequence(:name, 'id') AS s"),
}
