"""What a newsletter sends next, whole: its letter as bytes, why each post is in or out, when it goes and in what state."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ketapress.check.explain import Explanation, explanation
from ketapress.check.queue import coming_edition
from ketapress.compose import Composed, Press
from ketapress.editions.planner import send_by
from ketapress.mail.digest import specimen
from ketapress.model.edition import WAITING_STATES, EditionState, StoredEdition
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings

_UNSENT = WAITING_STATES | {EditionState.READY}


class Coming(NamedTuple):
    """An edition that nothing was decided about yet. `message` is the specimen of the letter that is stamped for each."""

    made: Composed
    message: bytes
    send_by: datetime
    reasons: Explanation


class Preview(NamedTuple):
    """One newsletter: what comes next, if anything does, and the editions that were composed and have not begun to go out."""

    newsletter: NewsletterSettings
    zone: str
    coming: Coming | None
    unsent: tuple[StoredEdition, ...]


def preview(press: Press, newsletter: NewsletterSettings, posts: Sequence[Post], now: datetime) -> Preview:
    """Made by the code that composes and sends. Raises ConfigurationError where a template cannot be used."""
    made = coming_edition(press, newsletter, posts, now)
    return Preview(
        newsletter=newsletter,
        zone=press.settings.zone(newsletter),
        coming=_whole(press, newsletter, made, posts) if made else None,
        unsent=tuple(each for each in press.store.editions.all(newsletter.name) if each.state in _UNSENT),
    )


def _whole(press: Press, newsletter: NewsletterSettings, made: Composed, posts: Sequence[Post]) -> Coming:
    slot = made.edition.slot
    return Coming(
        made=made,
        message=specimen(made.digest.letter, press.settings, newsletter, slot),
        send_by=send_by(newsletter, press.settings.zone(newsletter), slot),
        reasons=explanation(press, newsletter, slot, posts),
    )
