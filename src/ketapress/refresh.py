"""Act: an edition that nobody has got yet is rendered anew, after its posts, settings or templates were mended.

In: what composing needs, the posts, an edition's name, now. Out: the edition as it stands then. It keeps its posts;
one that is gone, or became a draft, leaves it and is free for the next. What a person held stays held, and what was
approved is approved again: somebody said yes to other words.
"""

from collections.abc import Sequence
from datetime import datetime

from ketapress.compose import Composed, Press, composed, rendered, specimen_files
from ketapress.editions.planner import send_by
from ketapress.editions.selection import exclusion
from ketapress.model.edition import EditionState, StoredEdition, Window
from ketapress.model.errors import Problem, RefusedError
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings
from ketapress.outbox.writer import write_edition

_WAITING = (EditionState.READY, EditionState.HELD, EditionState.AWAITING_APPROVAL)
_UNDER_WAY = "it is being made anew; if nobody is at it, `outbox refresh` again"


def refresh(
    press: Press, posts: Sequence[Post], found: StoredEdition, now: datetime, *, dry_run: bool = False
) -> Composed:
    """Replaces its letter and its folder in the outbox. Raises RefusedError where it is too late, or no post is left."""
    newsletter = press.settings.newsletters.get(found.slot.newsletter)
    if newsletter is None or found.window is None or found.state not in _WAITING:
        raise RefusedError(_too_late(found))
    kept = _kept(newsletter, found, found.window, posts)
    made = rendered(press, newsletter, found.slot, found.window, kept)
    until = found.send_by or send_by(newsletter, press.settings.zone(newsletter), found.slot)
    fresh = composed(press, newsletter, made, until, now)
    if found.held_by_person:
        fresh = fresh._replace(state=EditionState.HELD, why=found.why)
    if not dry_run:
        _replace(press, newsletter, found, fresh, now)
    return fresh


def _kept(
    newsletter: NewsletterSettings, found: StoredEdition, window: Window, posts: Sequence[Post]
) -> list[Post]:
    by_id = {post.id: post for post in posts}
    there = [by_id[post_id] for post_id in found.post_ids if post_id in by_id]
    kept = [post for post in there if exclusion(post, window, (), newsletter.tags) is None]
    if not kept:
        raise RefusedError(_empty(found))
    return kept


def _replace(
    press: Press, newsletter: NewsletterSettings, found: StoredEdition, fresh: Composed, now: datetime
) -> None:
    """Held while folder and row are not the same: nobody begins to send in between, wherever this is killed."""
    held = found.why if found.held_by_person else _UNDER_WAY
    store = press.store.editions
    if not store.move(found.id, _WAITING, EditionState.HELD, why=held, now=now):
        raise RefusedError(_too_late(found))
    write_edition(press.root, found.slot, specimen_files(press.settings, newsletter, fresh))
    replaced = store.finish(
        found.id,
        fresh.state,
        frm=(EditionState.HELD,),
        subject=fresh.digest.subject,
        digest=fresh.digest,
        post_ids=[post.id for post in fresh.edition.posts],
        why=fresh.why,
        now=now,
    )
    if not replaced:
        raise RefusedError(_too_late(found))


def _too_late(found: StoredEdition) -> Problem:
    return Problem(
        code="edition.refresh",
        message=f"{found.slot.edition} is {found.state}; only an edition that nobody was frozen into is rendered anew.",
        cure="What went out cannot be mended; write a post about it for the next edition.",
    )


def _empty(found: StoredEdition) -> Problem:
    return Problem(
        code="edition.empty",
        message=f"none of the posts of {found.slot.edition} is there any more, or they are drafts, on hold or expired.",
        cure=f"`ketapress outbox cancel {found.slot.edition}` ends it; or bring a post back, and refresh again.",
    )
