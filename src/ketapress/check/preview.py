"""Preview what a newsletter sends next: the message, the reasons of its posts, its send time and its state."""

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
    """An edition that is not composed yet, with a sample of the message that each subscriber would get."""

    composed_edition: ComposedEdition
    sample_message: bytes
    send_deadline: datetime
    explanation: EditionExplanation


class Preview(NamedTuple):
    """The next edition of a newsletter, if there is one, and the composed editions that are not sent yet."""

    newsletter: NewsletterSettings
    zone: str
    upcoming: UpcomingEdition | None
    unsent_editions: tuple[StoredEdition, ...]


def preview_newsletter(
    context: ComposeContext, newsletter: NewsletterSettings, posts: Sequence[Post], now: datetime
) -> Preview:
    """Preview a newsletter with the code that composes and sends.

    Raises ConfigurationError where a template cannot be used.
    """
    zone = context.settings.newsletter_zone(newsletter)
    composed_edition = compose_next_edition(context, newsletter, posts, now)
    upcoming = None
    if composed_edition:
        slot = composed_edition.edition.slot
        upcoming = UpcomingEdition(
            composed_edition=composed_edition,
            sample_message=build_sample_message(
                composed_edition.digest.message_template, context.settings, newsletter, slot
            ),
            send_deadline=send_deadline(newsletter, zone, slot),
            explanation=explain_edition(context, newsletter, slot, posts, now),
        )
    return Preview(
        newsletter=newsletter,
        zone=zone,
        upcoming=upcoming,
        unsent_editions=tuple(
            edition
            for edition in context.store.editions.list_all(newsletter.name)
            if edition.state in _UNSENT_STATES
        ),
    )
