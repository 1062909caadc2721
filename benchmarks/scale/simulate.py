"""What many subscribers cost: measured on a part of them, here and now, and worked out for millions.

    python benchmarks/scale/simulate.py --people 200000

Prints two tables in Markdown: what was measured on each database (bytes a row, seconds to freeze, deliveries a second
through the ledger with nothing to wait for), and what that comes to for 1, 10 and 100 million. The relay is left out:
how long it takes is for `--relay` messages a second to say.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from sqlalchemy import Engine, create_engine, text

from ketapress.model.delivery import DeliveryResult, DeliveryState
from ketapress.store.store import Store, open_store
from support.factories import NOW
from support.postgresql import administer, postgresql
from support.store_fixture import create_edition

MILLIONS = (1, 10, 100)
EDITIONS = 52
"""A year of a weekly newsletter."""

_PEOPLE = (
    (
        "INSERT INTO subscribers (address, address_key, name, created_at) "
        "SELECT 'reader' || n || '@example.net', 'reader' || n || '@example.net', 'Reader ' || n, 0 FROM {numbers}"
    ),
    (
        "INSERT INTO subscriptions (subscriber_id, newsletter, state, since) "
        "SELECT id, 'weekly', 'active', 0 FROM subscribers ORDER BY id"
    ),
    (
        "INSERT INTO consents (subscriber_id, newsletter, event, at, by) "
        "SELECT id, 'weekly', 'added', 0, 'operator' FROM subscribers ORDER BY id"
    ),
)
_NUMBERS = {
    "sqlite": "(WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {people}) SELECT n FROM g)",
    "postgresql": "generate_series(1, {people}) AS g(n)",
}
_SIZE = {
    "sqlite": "SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)",
    "postgresql": "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = "
    "'public'::regnamespace",
}


@dataclass(frozen=True)
class Measured:
    """One database with so many people. Bytes are a person's or a delivery's, with all indexes."""

    database: str
    person: float
    frozen: float
    sent: float
    freeze: float
    deliveries: float
    status: float


def measured(database: str, url: str, root: Path, people: int, sample: int) -> Measured:
    with open_store(url, root) as store:
        engine = create_engine(url.replace("sqlite:///", f"sqlite:///{root}/"))
        empty = size(engine)
        settle_people(engine, people)
        filled = size(engine)
        edition = create_edition(store)
        began = perf_counter()
        assert store.deliveries.freeze(edition, "weekly", NOW) == people
        froze = perf_counter() - began
        frozen = size(engine)
        rate = sample / through_the_ledger(store, edition, sample)
        began = perf_counter()
        assert not store.find_invariant_violations()
        status = perf_counter() - began
        grown = size(engine) - frozen
        engine.dispose()
    return Measured(
        database,
        (filled - empty) / people,
        (frozen - filled) / people,
        (frozen - filled) / people + max(0, grown) / sample,
        froze / people * 1e6,
        rate,
        status,
    )


def settle_people(engine: Engine, people: int) -> None:
    """So many subscribers of `weekly`, all active, as if they had been there for long."""
    numbers = _NUMBERS[engine.dialect.name].format(people=people)
    with engine.begin() as connection:
        for statement in _PEOPLE:
            connection.execute(text(statement.format(numbers=numbers)))
        connection.execute(text("ANALYZE"))


def through_the_ledger(store: Store, edition: int, sample: int) -> float:
    """Claims and commits as 32 connections do that never wait for a relay; seconds."""
    began = perf_counter()
    done: list[DeliveryResult] = []
    for _ in range(sample // 500):
        ids = [
            recipient.subscription_id for recipient in store.deliveries.claim(edition, 500, "simulation", NOW)
        ]
        for at in range(0, len(ids), 32):
            allowed_ids = store.deliveries.commit(edition, results=done, intents=ids[at : at + 32], now=NOW)
            done = [
                DeliveryResult(
                    subscription_id=subscription_id,
                    state=DeliveryState.SENT,
                    reply="250 2.0.0 Ok: queued as 4F2A91C0D3",
                )
                for subscription_id in allowed_ids
            ]
    store.deliveries.commit(edition, results=done, intents=[], now=NOW)
    return perf_counter() - began


def size(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text(_SIZE[engine.dialect.name])).scalar_one())


@contextmanager
def database_url(database: str) -> Iterator[str]:
    if database == "sqlite":
        yield "sqlite:///scale.db"
        return
    with postgresql() as server:
        administer(server, "ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()")
        yield server.render_as_string(hide_password=False)


def measurements(found: list[Measured], people: int) -> Iterator[str]:
    yield f"Measured with {people:,} people; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n"
    yield "| | " + " | ".join(each.database for each in found) + " |"
    yield "|---|" + "--:|" * len(found)
    for name, values in (
        ("bytes a person: address, subscription, consent", [f"{each.person:,.0f}" for each in found]),
        ("bytes a delivery when frozen", [f"{each.frozen:,.0f}" for each in found]),
        ("bytes a delivery when sent, before vacuum", [f"{each.sent:,.0f}" for each in found]),
        ("seconds to freeze a million", [f"{each.freeze:,.1f}" for each in found]),
        ("deliveries a second through the ledger", [f"{each.deliveries:,.0f}" for each in found]),
        ("seconds to count and check the ledger", [f"{each.status:,.2f}" for each in found]),
    ):
        yield f"| {name} | {' | '.join(values)} |"


def costs(found: list[Measured], relay: int) -> Iterator[str]:
    """The second table: everything but the relay grows with the number of people, and nothing faster."""
    yield "\n| subscribers | database | rows in a year | people | a year of deliveries | freeze | ledger alone | relay |"
    yield "|--:|---|--:|--:|--:|--:|--:|--:|"
    for millions in MILLIONS:
        count = millions * 1_000_000
        for each in found:
            rows = count * (3 + EDITIONS)
            yield (
                f"| {millions} million | {each.database} | {rows / 1e6:,.0f} million | {count * each.person / 1e9:,.1f} GB | "
                f"{count * each.sent * EDITIONS / 1e9:,.0f} GB | {millions * each.freeze / 60:,.1f} min | "
                f"{count / each.deliveries / 60:,.0f} min | {count / relay / 60:,.0f} min |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--sample", type=int, default=20_000, help="deliveries that go through the ledger")
    parser.add_argument("--relay", type=int, default=1000, help="messages a second that the relay takes")
    parser.add_argument("--databases", nargs="+", choices=tuple(_SIZE), default=tuple(_SIZE))
    options = parser.parse_args()
    found = []
    for database in options.databases:
        with tempfile.TemporaryDirectory() as folder, database_url(database) as url:
            found.append(measured(database, url, Path(folder), options.people, options.sample))
    for line in (*measurements(found, options.people), *costs(found, options.relay)):
        print(line)


if __name__ == "__main__":
    main()
