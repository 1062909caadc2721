"""Read the public editions with their web pages, newest first, with the driver alone: a build loads nothing else."""

import json
from pathlib import Path
from typing import Any

from ketapress.model.edition import PUBLIC_STATES, Decision, EditionState, Slot, StoredEdition, Window
from ketapress.store.db.codes import from_microseconds
from ketapress.store.db.read_only import read_with_driver

_STATES = ", ".join(f"'{state}'" for state in sorted(PUBLIC_STATES))
_QUERY = f"""
    SELECT id, newsletter, slot_key, slot_at, decision, state, window_after, window_until, send_by, subject, post_ids,
        sizes, why, left_out, web
    FROM editions WHERE state IN ({_STATES}) AND web IS NOT NULL ORDER BY slot_at DESC, newsletter, id
"""  # noqa: S608 - built from constants


def read_public_editions(url: str, root: Path) -> tuple[StoredEdition, ...] | None:
    """Return the public editions without opening the store; None if it has to be opened (see `read_with_driver`)."""
    return read_with_driver(url, root, select_public_editions)


def select_public_editions(cursor: Any, _dialect: str) -> tuple[StoredEdition, ...]:
    """Return the public editions in the transaction of a driver's cursor."""
    return tuple(_to_edition(*row) for row in cursor.execute(_QUERY).fetchall())


def _to_edition(
    edition_id: int, newsletter: str, key: str, slot_at: int, decision: str, state: str, *columns: Any
) -> StoredEdition:
    window_start, window_end, send_deadline, subject, post_ids, sizes, reason, skipped_counts, web_html = (
        columns
    )
    return StoredEdition(
        id=edition_id,
        slot=Slot(newsletter, key, from_microseconds(slot_at)),
        decision=Decision(decision),
        state=EditionState(state),
        window=Window(from_microseconds(window_start), from_microseconds(window_end)) if window_end else None,
        send_deadline=None if send_deadline is None else from_microseconds(send_deadline),
        subject=subject or "",
        post_ids=tuple(_parse_json(post_ids) or ()),
        sizes=_parse_json(sizes),
        reason=reason or "",
        skipped_counts=_parse_json(skipped_counts),
        web_html=web_html,
    )


def _parse_json(value: Any) -> Any:
    """Return the value of a JSON column: SQLite's driver returns text, PostgreSQL's returns objects."""
    return json.loads(value) if isinstance(value, str) else value
