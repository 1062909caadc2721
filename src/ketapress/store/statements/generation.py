"""How often sending was started, as the store remembers it; and numbers that an older copy must not give out again.

Part of the edge: works on a connection, inside a transaction that somebody else opened.
"""

from sqlalchemy import BigInteger, Connection, Text, cast, func, literal, select, text

from ketapress.store.db.schema import properties, subscribers, subscriptions, upsert

_NAME = "generation"
_GAP = 100_000  # people who may have signed up after a copy was made, and whose links are in mail


def generation(connection: Connection) -> int:
    """How often sending was started on this store; 0 before the first time."""
    return int(connection.scalar(select(properties.c.value).where(properties.c.name == _NAME)) or 0)


def raised_generation(connection: Connection, at_least: int = 0) -> int:
    """One more than before, and at least so many; what it is now. Of two who raise at once, both do."""
    number = cast(properties.c.value, BigInteger) + 1
    statement = upsert(connection.dialect.name, properties).values(name=_NAME, value=str(max(1, at_least)))
    greater = func.max if connection.dialect.name == "sqlite" else func.greatest
    statement = statement.on_conflict_do_update(
        index_elements=["name"], set_={"value": cast(greater(number, literal(at_least)), Text)}
    )
    return int(connection.execute(statement.returning(properties.c.value)).scalar_one())


def leave_numbers_free(connection: Connection) -> None:
    """New people and subscriptions get numbers that no copy has given out: links in mail are made from them."""
    for name in (subscribers.name, subscriptions.name):
        connection.execute(_SKIP[connection.dialect.name], {"name": name, "gap": _GAP})


_SKIP = {
    "sqlite": text("UPDATE sqlite_sequence SET seq = seq + :gap WHERE name = :name"),
    "postgresql": text("SELECT setval(s, nextval(s) + :gap) FROM pg_get_serial_sequence(:name, 'id') AS s"),
}
