"""Act: an older copy of the database is known, sends nothing, and is brought up to what the outbox knows.

In: what composing needs, the posts, now. Out: what became of each edition. The outbox remembers how often sending was
started, and which editions went out (`outbox/record.py`): a store that remembers less is an older copy, and would
send them again. Nobody is mailed twice by what is done here; where it is not known who got an edition, a person says.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ketapress.compose import Press, rendered
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.errors import RefusedError
from ketapress.model.message import Digest
from ketapress.model.post import Post
from ketapress.outbox.sent_log import Noted, behind, noted, outbox_generation, raise_outbox_generation
from ketapress.store.store import Store, restore

_OPEN = frozenset(EditionState) - {EditionState.DONE, EditionState.CANCELLED}
_WENT_OUT = "it went out after this copy of the database was made, as outbox/ has it"
_BEGAN = "it began to go out after this copy of the database was made, and who got it is not known here"
_RESTORED = "the database was restored from an older copy"


class Accepted(NamedTuple):
    """What becomes of one edition of an older copy: its state, why, and how many deliveries that settles."""

    edition: str
    state: EditionState
    why: str
    settled: int = 0
    in_doubt: bool = False


def refuse_behind(store: Store, root: Path) -> None:
    """Raises RefusedError where the outbox knows of more starts of sending than the store: it is an older copy."""
    if problem := behind(root, store.generation):
        raise RefusedError(problem)


def raise_generation(store: Store, root: Path) -> None:
    """A copy of the database that was made before this is an older one from here on."""
    raise_outbox_generation(root, store.raise_generation())


def restore_database(file: Path, url: str, root: Path, now: datetime) -> Path | None:
    """Puts a backup in the place of the database, and marks it as an older copy; where the replaced one is now.

    The caller keeps all others out. Raises RefusedError and StoreError, as `store.restore` does.
    """
    aside, generation = restore(file, url, root, now)
    raise_outbox_generation(root, generation + 1)
    return aside


def accept(
    press: Press, posts: Sequence[Post], now: datetime, *, dry_run: bool = False
) -> tuple[Accepted, ...]:
    """Brings an older copy up to what the outbox knows; from then on it may compose and send.

    What went out since is done, and its posts are taken. Where an edition was under way, everybody whose message was
    not settled in the copy is in doubt. What had not begun is held. Doing it twice changes nothing more.
    """
    known = {each.slot.edition: each for each in noted(press.root) if each.left}
    here = press.store.editions.all()
    missing = [each for name, each in known.items() if name not in {one.slot.edition for one in here}]
    open_ones = [each for each in reversed(here) if each.state in _OPEN]
    accepted = [_adopted(press, posts, each, now, dry_run=dry_run) for each in missing]
    accepted += [
        _settled(press.store, each, known.get(each.slot.edition), now, dry_run=dry_run) for each in open_ones
    ]
    if not dry_run:
        press.store.leave_numbers_free()
        press.store.raise_generation(outbox_generation(press.root))
    return tuple(accepted)


def _adopted(press: Press, posts: Sequence[Post], known: Noted, now: datetime, *, dry_run: bool) -> Accepted:
    """An edition that the copy has never heard of."""
    if not dry_run:
        press.store.editions.adopt(
            known.slot,
            window=known.window,
            subject=known.subject,
            post_ids=known.post_ids,
            digest=_remade(press, posts, known),
            why=_WENT_OUT,
            now=now,
        )
    return Accepted(known.slot.edition, EditionState.DONE, _WENT_OUT)


def _remade(press: Press, posts: Sequence[Post], known: Noted) -> Digest | None:
    """Its letter and page, where newsletter and posts are still there: the same posts make the same letter."""
    newsletter = press.settings.newsletters.get(known.slot.newsletter)
    by_id = {post.id: post for post in posts}
    found = [by_id[post_id] for post_id in known.post_ids if post_id in by_id]
    if newsletter is None or known.window is None or len(found) < len(known.post_ids):
        return None
    _, digest = rendered(press, newsletter, known.slot, known.window, found)
    return digest


def _settled(
    store: Store, found: StoredEdition, known: Noted | None, now: datetime, *, dry_run: bool
) -> Accepted:
    """An edition that was not over when the copy was made."""
    begun = found.state is EditionState.SENDING or any(store.deliveries.counts(found.id).values())
    state, why = _standing(found, known, begun=begun)
    settled = 0
    if begun and not dry_run:
        store.deliveries.freeze(
            found.id, found.slot.newsletter, now
        )  # whom a freeze in the copy had not come to
        settled = store.settle_copy(found.id, over=state is EditionState.DONE, evidence=_WENT_OUT)
    if not dry_run and state is not found.state:
        store.editions.move(found.id, _OPEN, state, why=why, now=now)
    return Accepted(found.slot.edition, state, why, settled, begun and state is not EditionState.DONE)


def _standing(found: StoredEdition, known: Noted | None, *, begun: bool) -> tuple[EditionState, str]:
    """Where an open edition of the copy stands, after what the outbox knows of it."""
    if known is not None and known.over:
        return EditionState.DONE, _WENT_OUT
    if known is not None and not begun:
        return EditionState.HELD, _BEGAN
    if found.state is EditionState.READY:
        return EditionState.HELD, _RESTORED
    return found.state or EditionState.BUILDING, found.why
