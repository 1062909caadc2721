"""Measure what subscribers cost in space and time on a sample, and extrapolate to millions.

    python benchmarks/scale/simulate.py --people 200000

Prints two tables in Markdown: what was measured on each database (bytes a row, seconds to freeze, deliveries a second
through the ledger without a relay), and the costs of 1, 10 and 100 million. The time of the relay is not measured: it
follows from `--relay` messages a second.
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

_INSERTS = (
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
class Measurement:
    """The figures of one database. Bytes are those of a subscriber or of a delivery, including all indexes."""

    database: str
    subscriber_bytes: float
    frozen_bytes: float
    sent_bytes: float
    freeze_seconds: float
    ledger_rate: float
    check_seconds: float


def measure(database: str, url: str, root: Path, people: int, sample: int) -> Measurement:
    with open_store(url, root) as store:
        engine = create_engine(url.replace("sqlite:///", f"sqlite:///{root}/"))
        empty = read_size(engine)
        add_subscribers(engine, people)
        full = read_size(engine)
        edition = create_edition(store)
        start = perf_counter()
        assert store.deliveries.freeze(edition, "weekly", NOW) == people
        freeze_seconds = perf_counter() - start
        frozen = read_size(engine)
        rate = sample / time_ledger(store, edition, sample)
        start = perf_counter()
        assert not store.find_invariant_violations()
        check_seconds = perf_counter() - start
        growth = read_size(engine) - frozen
        engine.dispose()
    return Measurement(
        database,
        (full - empty) / people,
        (frozen - full) / people,
        (frozen - full) / people + max(0, growth) / sample,
        freeze_seconds / people * 1e6,
        rate,
        check_seconds,
    )


def add_subscribers(engine: Engine, people: int) -> None:
    """Insert this many active subscribers of `weekly`, and update the statistics of the database."""
    numbers = _NUMBERS[engine.dialect.name].format(people=people)
    with engine.begin() as connection:
        for statement in _INSERTS:
            connection.execute(text(statement.format(numbers=numbers)))
        connection.execute(text("ANALYZE"))


def time_ledger(store: Store, edition: int, sample: int) -> float:
    """Claim and commit deliveries as 32 connections do, without a relay; return seconds."""
    start = perf_counter()
    results: list[DeliveryResult] = []
    for _ in range(sample // 500):
        ids = [
            recipient.subscription_id for recipient in store.deliveries.claim(edition, 500, "simulation", NOW)
        ]
        for at in range(0, len(ids), 32):
            allowed_ids = store.deliveries.commit(
                edition, results=results, intents=ids[at : at + 32], now=NOW
            )
            results = [
                DeliveryResult(
                    subscription_id=subscription_id,
                    state=DeliveryState.SENT,
                    reply="250 2.0.0 Ok: queued as 4F2A91C0D3",
                )
                for subscription_id in allowed_ids
            ]
    store.deliveries.commit(edition, results=results, intents=[], now=NOW)
    return perf_counter() - start


def read_size(engine: Engine) -> int:
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


def format_measurements(measurements: list[Measurement], people: int) -> Iterator[str]:
    yield f"Measured with {people:,} subscribers; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n"
    yield "| | " + " | ".join(measurement.database for measurement in measurements) + " |"
    yield "|---|" + "--:|" * len(measurements)
    for name, values in (
        (
            "bytes a subscriber: address, subscription, consent",
            [f"{measurement.subscriber_bytes:,.0f}" for measurement in measurements],
        ),
        (
            "bytes a delivery when frozen",
            [f"{measurement.frozen_bytes:,.0f}" for measurement in measurements],
        ),
        (
            "bytes a delivery when sent, before vacuum",
            [f"{measurement.sent_bytes:,.0f}" for measurement in measurements],
        ),
        (
            "seconds to freeze a million",
            [f"{measurement.freeze_seconds:,.1f}" for measurement in measurements],
        ),
        (
            "deliveries a second through the ledger",
            [f"{measurement.ledger_rate:,.0f}" for measurement in measurements],
        ),
        (
            "seconds to count and check the ledger",
            [f"{measurement.check_seconds:,.2f}" for measurement in measurements],
        ),
    ):
        yield f"| {name} | {' | '.join(values)} |"


def format_costs(measurements: list[Measurement], relay: int) -> Iterator[str]:
    """Yield the lines of the second table. All costs grow linearly with the number of subscribers."""
    yield "\n| subscribers | database | rows in a year | subscribers' data | a year of deliveries | freeze | ledger alone | relay |"
    yield "|--:|---|--:|--:|--:|--:|--:|--:|"
    for millions in MILLIONS:
        count = millions * 1_000_000
        for measurement in measurements:
            rows = count * (3 + EDITIONS)
            yield (
                f"| {millions} million | {measurement.database} | {rows / 1e6:,.0f} million | {count * measurement.subscriber_bytes / 1e9:,.1f} GB | "
                f"{count * measurement.sent_bytes * EDITIONS / 1e9:,.0f} GB | {millions * measurement.freeze_seconds / 60:,.1f} min | "
                f"{count / measurement.ledger_rate / 60:,.0f} min | {count / relay / 60:,.0f} min |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--sample", type=int, default=20_000, help="deliveries that go through the ledger")
    parser.add_argument("--relay", type=int, default=1000, help="messages a second that the relay takes")
    parser.add_argument("--databases", nargs="+", choices=tuple(_SIZE), default=tuple(_SIZE))
    options = parser.parse_args()
    measurements = []
    for database in options.databases:
        with tempfile.TemporaryDirectory() as folder, database_url(database) as url:
            measurements.append(measure(database, url, Path(folder), options.people, options.sample))
    for line in (
        *format_measurements(measurements, options.people),
        *format_costs(measurements, options.relay),
    ):
        print(line)


if __name__ == "__main__":
    main()
