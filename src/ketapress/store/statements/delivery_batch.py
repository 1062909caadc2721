"""The statements for every message: claim it, commit the intent before end of data, write the result after the reply.

Plain SQL on the driver, the same for both databases except for lists. All rows of a batch are one JSON parameter of
one statement, because a call of the driver costs more than a row. As in `transitions`, each statement checks that the
transition is allowed.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from ketapress.model.delivery import TRANSITIONS, DeliveryResult, DeliveryState, Recipient
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.db.codes import delivery_code, from_microseconds, to_microseconds
from ketapress.store.statements.transitions import ALLOWED_FROM, DUE_NOW

_ATTEMPT_STATES = frozenset(TRANSITIONS[DeliveryState.SENDING])  # results that count as an attempt
_RETRY_STATES = frozenset({DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.IN_DOUBT})

# The plus signs disable an index that is slower than the primary key. Values are looked up in `:rows` and not joined,
# because SQLite would read the whole edition for a join.
_RESULTS_SQL = """
    UPDATE deliveries SET state = {state}, next_at = {next_at}, worker_id = {worker}, dated = {dated},
        attempts = attempts + {attempt},
        reply = CASE WHEN EXISTS (SELECT 1 FROM subscriptions WHERE id = deliveries.subscription_id)
            THEN {reply} END
    WHERE edition_id = :edition AND subscription_id {in_ids}
        AND +worker_id IN ({workers}) AND +state IN ({sources})
"""
_INTENTS_SQL = """
    UPDATE deliveries SET state = {state}, next_at = NULL, dated = coalesce(dated, :moment)
    WHERE edition_id = :edition AND subscription_id {in_ids}
        AND +worker_id IN ({workers}) AND +state IN ({sources})
        AND EXISTS (SELECT 1 FROM subscriptions WHERE id = deliveries.subscription_id AND state = :active)
    RETURNING subscription_id
"""
# New deliveries come before deferred ones. On PostgreSQL rows that another worker is claiming are skipped.
_CLAIMABLE_SQL = """
    SELECT deliveries.subscription_id, subscribers.address, subscribers.name, attempts, dated,
        subscriptions.state = :active
    FROM deliveries LEFT JOIN subscriptions ON subscriptions.id = deliveries.subscription_id
        LEFT JOIN subscribers ON subscribers.id = subscriptions.subscriber_id
    WHERE edition_id = :edition AND next_at <= :now
    ORDER BY next_at, deliveries.subscription_id LIMIT :limit {row_lock}
"""
_CLAIMS_SQL = """
    UPDATE deliveries SET state = {state}, next_at = NULL, worker_id = :worker
    WHERE edition_id = :edition AND subscription_id {in_ids} AND +state IN ({sources})
"""
_EDITION_SQL = "SELECT state FROM editions WHERE id = :edition"
_DIALECT_SQL = {
    "sqlite": {
        "row_lock": "",
        "in_ids": "IN (SELECT value FROM json_each(:ids))",
        "reply": """json_extract(:rows, '$."' || subscription_id || '"[0]')""",
        "next_at": """json_extract(:rows, '$."' || subscription_id || '"[1]')""",
    },
    "postgresql": {
        "row_lock": "FOR UPDATE OF deliveries SKIP LOCKED",
        # An array: for a list in JSON, PostgreSQL's plan before ANALYZE reads the whole edition.
        "in_ids": "= ANY(CAST(translate(:ids, '[]', '{}') AS BIGINT[]))",
        "reply": "CAST(:rows AS JSONB) -> CAST(subscription_id AS TEXT) ->> 0",
        "next_at": "CAST(CAST(:rows AS JSONB) -> CAST(subscription_id AS TEXT) ->> 1 AS BIGINT)",
    },
}


def locked_state(connection: Connection, edition_id: int) -> EditionState | None:
    """Return the edition's state, and lock it until the transaction ends."""
    dialect = connection.dialect.name
    statement = _driver_statement(
        dialect, _EDITION_SQL if dialect == "sqlite" else f"{_EDITION_SQL} FOR SHARE"
    )
    row = _execute(connection, statement, {"edition": edition_id}).fetchone()
    return EditionState(row[0]) if row and row[0] else None


def claimable(
    connection: Connection, edition_id: int, limit: int, now: datetime
) -> tuple[list[Recipient], list[int]]:
    """Return the next deliveries to claim, and the subscriptions among them that are no longer active."""
    dialect = connection.dialect.name
    values = {
        "edition": edition_id,
        "active": SubscriptionState.ACTIVE.value,
        "now": to_microseconds(now),
        "limit": limit,
    }
    recipients, unwanted_ids = [], []
    statement = _driver_statement(dialect, _CLAIMABLE_SQL.format(row_lock=_DIALECT_SQL[dialect]["row_lock"]))
    for subscription_id, address, name, attempts, message_date, is_active in _execute(
        connection, statement, values
    ).fetchall():
        if is_active:
            moment = None if message_date is None else from_microseconds(message_date)
            recipients.append(Recipient(subscription_id, address, name, attempts, moment))
        else:
            unwanted_ids.append(subscription_id)
    return recipients, unwanted_ids


def write_claims(
    connection: Connection, edition_id: int, subscription_ids: Sequence[int], worker_id: int
) -> None:
    """Claim deliveries for a worker."""
    statement = _claim_statement(connection.dialect.name)
    _execute(
        connection,
        statement,
        {"edition": edition_id, "ids": json.dumps(subscription_ids), "worker": worker_id},
    )


def write_results(
    connection: Connection, edition_id: int, results: Sequence[DeliveryResult], worker_ids: Sequence[int]
) -> None:
    """Write results of deliveries that these workers still hold."""
    for target in {result.state for result in results}:
        rows = {
            result.subscription_id: (result.reply or None, _next_attempt_at(result))
            for result in results
            if result.state is target
        }
        statement = _result_statement(connection.dialect.name, target, tuple(worker_ids))
        values = {"edition": edition_id, "ids": json.dumps(list(rows)), "rows": json.dumps(rows)}
        _execute(connection, statement, values)


def write_intents(
    connection: Connection,
    edition_id: int,
    intents: Collection[int],
    worker_ids: Sequence[int],
    now: datetime,
) -> frozenset[int]:
    """Set claimed deliveries of these workers to SENDING if their subscriptions are active. Return which."""
    values = {
        "edition": edition_id,
        "ids": json.dumps(list(intents)),
        "moment": to_microseconds(now),
        "active": SubscriptionState.ACTIVE.value,
    }
    statement = _intent_statement(connection.dialect.name, tuple(worker_ids))
    return frozenset(row[0] for row in _execute(connection, statement, values).fetchall())


def _next_attempt_at(result: DeliveryResult) -> int | None:
    if result.next_at is not None:
        return to_microseconds(result.next_at)
    return None if result.state is DeliveryState.IN_DOUBT else to_microseconds(DUE_NOW)


@lru_cache(maxsize=64)
def _result_statement(dialect: str, target: DeliveryState, worker_ids: tuple[int, ...]) -> str:
    """Return the statement for results of one state.

    A deferred message gets a new date with the next attempt. One in doubt keeps its date, and its worker.
    """
    if target in {DeliveryState.CLAIMED, DeliveryState.SENDING}:
        raise ValueError(f"{target} is not a result: only `claim` and `commit` check consent")
    return _format_statement(
        dialect,
        _RESULTS_SQL,
        target,
        worker_ids,
        next_at=_DIALECT_SQL[dialect]["next_at"] if target in _RETRY_STATES else "NULL",
        worker="worker_id" if target is DeliveryState.IN_DOUBT else "NULL",
        dated="NULL" if target is DeliveryState.DEFERRED else "dated",
        attempt=str(int(target in _ATTEMPT_STATES)),
    )


@lru_cache(maxsize=2)
def _claim_statement(dialect: str) -> str:
    return _format_statement(dialect, _CLAIMS_SQL, DeliveryState.CLAIMED, ())


@lru_cache(maxsize=64)
def _intent_statement(dialect: str, worker_ids: tuple[int, ...]) -> str:
    return _format_statement(dialect, _INTENTS_SQL, DeliveryState.SENDING, worker_ids)


def _format_statement(
    dialect: str, template: str, target: DeliveryState, worker_ids: tuple[int, ...], **parts: str
) -> str:
    dialect_sql = _DIALECT_SQL[dialect]
    statement = template.format(
        state=delivery_code(target),
        sources=", ".join(str(delivery_code(source)) for source in ALLOWED_FROM[target]),
        workers=", ".join(map(str, worker_ids)) or "NULL",
        in_ids=dialect_sql["in_ids"],
        reply=dialect_sql["reply"],
        **parts,
    )
    return _driver_statement(dialect, statement)


@lru_cache(maxsize=64)
def _driver_statement(dialect: str, statement: str) -> str:
    """Return the statement with its parameters in the driver's style."""
    return statement if dialect == "sqlite" else re.sub(r":(\w+)", r"%(\1)s", statement)


def _execute(connection: Connection, statement: str, values: Mapping[str, object]) -> Any:
    """Return the driver's cursor after a statement. SQLAlchemy would take forty times as long as the statement."""
    return connection.connection.cursor().execute(statement, values)
