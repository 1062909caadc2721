"""The generation of the database, which counts starts of sending, and ids that an older copy must not reuse."""

from sqlalchemy import BigInteger, Connection, Text, cast, func, literal, select, text

from ketapress.store.db.schema import properties, subscribers, subscriptions, upsert

_PROPERTY = "generation"
_ID_GAP = (
    100_000  # more subscribers than sign up between a backup and its restore; their links are in messages
)


def read_generation(connection: Connection) -> int:
    """Return how often sending was started on this database; 0 before the first time."""
    return int(connection.scalar(select(properties.c.value).where(properties.c.name == _PROPERTY)) or 0)


def raise_generation(connection: Connection, minimum: int = 0) -> int:
    """Add one to the generation, or set it to `minimum` if that is greater. Return it. Concurrent calls all count."""
    next_value = cast(properties.c.value, BigInteger) + 1
    statement = upsert(connection.dialect.name, properties).values(name=_PROPERTY, value=str(max(1, minimum)))
    greatest = func.max if connection.dialect.name == "sqlite" else func.greatest
    statement = statement.on_conflict_do_update(
        index_elements=["name"], set_={"value": cast(greatest(next_value, literal(minimum)), Text)}
    )
    return int(connection.execute(statement.returning(properties.c.value)).scalar_one())


def skip_ids(connection: Connection) -> None:
    """Skip ids of subscribers and subscriptions that a newer copy may have used: links in messages contain them."""
    for table_name in (subscribers.name, subscriptions.name):
        connection.execute(_SKIP_IDS[connection.dialect.name], {"name": table_name, "gap": _ID_GAP})


_SKIP_IDS = {
    "sqlite": text("UPDATE sqlite_sequence SET seq = seq + :gap WHERE name = :name"),
    "postgresql": text("SELECT setval(s, nextval(s) + :gap) FROM pg_get_serial_sequence(:name, 'id') AS s"),
}
