"""What a newsletter sends next, whole: its letter as bytes, why each post is in or out, when it goes and in what state."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ketapress.check.explain import EditionExplanation, explain_edition
from ketapress.check.queue import compose_next_edition
from ketapress.compose import ComposeContext, ComposedEdition
from ketapress.editions.planner import send_deadline
from ketapress.mail.digest import build_sample_message
from ketapress.model.edition import WAITING_STATES, EditionState, StoredEdition
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings

_UNSENT_STATES = WAITING_STATES | {EditionState.READY}


class UpcomingEdition(NamedTuple):
    """An edition that nothing was decided about yet. `message` is the specimen of the letter that is stamped for each."""

    composed_edition: ComposedEdition
    sample_message: bytes
    send_deadline: datetime
    explanation: EditionExplanation


class Preview(NamedTuple):
    """One newsletter: what comes next, if anything does, and the editions that were composed and have not begun to go out."""

    newsletter: NewsletterSettings
    zone: str
    upcoming: UpcomingEdition | None
    unsent_editions: tuple[StoredEdition, ...]


def preview_newsletter(
    context: ComposeContext, newsletter: NewsletterSettings, posts: Sequence[Post], now: datetime
) -> Preview:
    """Made by the code that composes and sends. Raises ConfigurationError where a template cannot be used."""
    composed_edition = compose_next_edition(context, newsletter, posts, now)
    return Preview(
        newsletter=newsletter,
        zone=context.settings.newsletter_zone(newsletter),
        upcoming=_upcoming_edition(context, newsletter, composed_edition, posts)
        if composed_edition
        else None,
        unsent_editions=tuple(
            edition
            for edition in context.store.editions.list_all(newsletter.name)
            if edition.state in _UNSENT_STATES
        ),
    )


def _upcoming_edition(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    composed_edition: ComposedEdition,
    posts: Sequence[Post],
) -> UpcomingEdition:
    slot = composed_edition.edition.slot
    return UpcomingEdition(
        composed_edition=composed_edition,
        sample_message=build_sample_message(
            composed_edition.digest.message_template, context.settings, newsletter, slot
        ),
        send_deadline=send_deadline(newsletter, context.settings.newsletter_zone(newsletter), slot),
        explanation=explain_edition(context, newsletter, slot, posts),
    )
