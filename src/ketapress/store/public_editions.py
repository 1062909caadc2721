"""Edge: the editions that everybody may read, for the archive; by the driver alone, so that a build loads nothing else.

In: a cursor, or `database.url` and the folder. Out: editions with their pages, newest first.
"""

import json
from pathlib import Path
from typing import Any

from ketapress.model.edition import PUBLIC_STATES, Decision, EditionState, Slot, StoredEdition, Window
from ketapress.store.db.codes import moment_of
from ketapress.store.db.read_only import by_driver

_STATES = ", ".join(f"'{state}'" for state in sorted(PUBLIC_STATES))
_QUERY = f"""
    SELECT id, newsletter, slot_key, slot_at, decision, state, window_after, window_until, send_by, subject, post_ids,
        sizes, why, left_out, web
    FROM editions WHERE state IN ({_STATES}) AND web IS NOT NULL ORDER BY slot_at DESC, newsletter, id
"""  # noqa: S608 - of our own words


def quick_public(url: str, root: Path) -> tuple[StoredEdition, ...] | None:
    """The public editions without opening the store; None where it has to be opened (`by_driver`)."""
    return by_driver(url, root, public)


def public(cursor: Any, _dialect: str) -> tuple[StoredEdition, ...]:
    """What the driver's cursor shows, in a transaction that somebody else opened."""
    return tuple(_edition(*row) for row in cursor.execute(_QUERY).fetchall())


def _edition(
    number: int, newsletter: str, key: str, at: int, decision: str, state: str, *more: Any
) -> StoredEdition:
    after, until, send_by, subject, post_ids, sizes, why, left_out, web = more
    return StoredEdition(
        id=number,
        slot=Slot(newsletter, key, moment_of(at)),
        decision=Decision(decision),
        state=EditionState(state),
        window=Window(moment_of(after), moment_of(until)) if until else None,
        send_by=None if send_by is None else moment_of(send_by),
        subject=subject or "",
        post_ids=tuple(_of_json(post_ids) or ()),
        sizes=_of_json(sizes),
        why=why or "",
        left_out=_of_json(left_out),
        web=web,
    )


def _of_json(value: Any) -> Any:
    """SQLite's driver gives the text, PostgreSQL's what it says."""
    return json.loads(value) if isinstance(value, str) else value
