"""The whole way of an edition through the mail room: rendered, inlined, written as text, joined, cut.

In: an edition and the settings. Out: a `Digest`, the same to the byte for the same input. Nothing is sent or stored
here, and no value of a subscriber is known.
"""

import html
from collections.abc import Mapping
from hashlib import blake2b

from ketapress.mail.css_inline import inline_css
from ketapress.mail.mime.headers import clean_line
from ketapress.mail.mime.merge_fields import MergeFieldMarkers
from ketapress.mail.mime.message import build_message_template, encoded_size
from ketapress.mail.personalize import format_date, message_bytes, message_id
from ketapress.mail.render import DigestContext, render_html, render_text
from ketapress.mail.tokens import Purpose, sample_url
from ketapress.model.edition import Edition, Slot
from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.message import Digest, MessageTemplate
from ketapress.model.renderer import Renderer
from ketapress.model.settings import NewsletterSettings, Settings

SAMPLE_ADDRESS = "reader@example.com"  # reserved for examples (RFC 2606, 3)

# Sources differ on whether Gmail counts its 102 KiB before or after decoding: a letter that fills the 90 KiB of
# `max_bytes` stays below both. In base64 it is a third larger, in quoted-printable three times where nothing is Latin.
_ENCODED_SIZE_FACTOR = 90 / 102


def build_digest(
    edition: Edition,
    settings: Settings,
    newsletter: NewsletterSettings,
    subject: str,
    render_template: Renderer,
) -> Digest:
    """The edition as people read it and as it is sent. Raises ConfigurationError where a template cannot be used."""
    context = DigestContext(
        edition=edition, settings=settings, newsletter=newsletter, subject=_subject_line(subject, newsletter)
    )
    markers = _create_markers(context)
    html_part = inline_css(render_html(context, markers.markers, render_template))
    text_part = render_text(context, markers.markers, render_template)
    _require_unsubscribe_links(markers, {"digest.html": html_part, "digest.txt": text_part})
    key = _template_key(edition.slot, context.subject, text_part, html_part)
    message_template = build_message_template(
        key, edition.slot, settings, newsletter, context.subject, text_part, html_part, markers
    )
    sample_html, sample_text = _sample_parts(markers, html_part, text_part, settings)
    return Digest(
        subject=context.subject,
        html=sample_html,
        text=sample_text,
        web_html=render_html(context, None, render_template),
        message_template=message_template,
        sizes={
            "html": len(sample_html.encode()),
            "text": len(sample_text.encode()),
            "message": len(build_sample_message(message_template, settings, newsletter, edition.slot)),
        },
    )


def html_size(
    edition: Edition,
    settings: Settings,
    newsletter: NewsletterSettings,
    subject: str,
    render_template: Renderer,
) -> int:
    """The size of the HTML part in bytes, as a subscriber gets it: what Gmail may cut off."""
    context = DigestContext(
        edition=edition, settings=settings, newsletter=newsletter, subject=_subject_line(subject, newsletter)
    )
    markers = _create_markers(context)
    html_part = inline_css(render_html(context, markers.markers, render_template))
    html_part = markers.substitute(html_part, _escape_values(_sample_values(settings)))
    return max(len(html_part.encode()), int(encoded_size(html_part) * _ENCODED_SIZE_FACTOR))


def build_sample_message(
    message_template: MessageTemplate, settings: Settings, newsletter: NewsletterSettings, slot: Slot
) -> bytes:
    """A complete message (RFC 5322) to nobody, dated at its slot, with links that lead nowhere."""
    values = {
        "to": SAMPLE_ADDRESS,
        "date": format_date(slot.at),
        "message_id": message_id(message_template.key, 0, newsletter.sender.domain),
        **_sample_values(settings),
    }
    return message_bytes(message_template, values)


def _subject_line(subject: str, newsletter: NewsletterSettings) -> str:
    """The subject on one line; a subject that came out empty is the newsletter's title."""
    return clean_line(subject) or clean_line(newsletter.title)


def _create_markers(context: DigestContext) -> MergeFieldMarkers:
    return MergeFieldMarkers(f"{context.subject}\n{_edition_identity(context.edition)}")


def _edition_identity(edition: Edition) -> str:
    """Return a text that two editions share only if their content is the same.

    Template keys, and with them Message-IDs, derive from it. Its words are those of the first release, so that an
    edition keeps its Message-IDs when Ketapress is upgraded.
    """
    window = f"Window(after={edition.window.start!r}, until={edition.window.end!r})"
    items = ", ".join(f"Item(post={item.post!r}, display={item.display!r})" for item in edition.items)
    comma = "," if len(edition.items) == 1 else ""
    return (
        f"Edition(slot={edition.slot!r}, window={window}, items=({items}{comma}), more={edition.overflow!r})"
    )


def _template_key(slot: Slot, *content: str) -> str:
    """What tells this letter from every other, in 32 hexadecimal digits."""
    hasher = blake2b(digest_size=16, person=b"ketapress letter")
    for text in (slot.newsletter, slot.key, *content):
        data = text.encode()
        hasher.update(b"%d:" % len(data) + data)
    return hasher.hexdigest()


def _sample_values(settings: Settings) -> dict[str, str]:
    return {
        "unsubscribe_url": sample_url(settings.web_base_url, Purpose.UNSUBSCRIBE),
        "preferences_url": sample_url(settings.web_base_url, Purpose.PREFERENCES),
        "address": SAMPLE_ADDRESS,
    }


def _escape_values(values: Mapping[str, str]) -> dict[str, str]:
    return {name: html.escape(value) for name, value in values.items()}


def _sample_parts(
    markers: MergeFieldMarkers, html_part: str, text_part: str, settings: Settings
) -> tuple[str, str]:
    """Both parts with the specimen's values."""
    sample_values = _sample_values(settings)
    return markers.substitute(html_part, _escape_values(sample_values)), markers.substitute(
        text_part, sample_values
    )


def _require_unsubscribe_links(markers: MergeFieldMarkers, documents: Mapping[str, str]) -> None:
    """A letter without a way out is never made, whatever templates say."""
    for name, document in documents.items():
        if "unsubscribe_url" not in markers.field_names(document):
            raise ConfigurationError(
                Problem(
                    code="template.unsubscribe",
                    message="The template has no link to unsubscribe: no letter goes out without one.",
                    cure="Write {{ reader.unsubscribe_url }} into it.",
                    path=f"templates/mail/{name}",
                )
            )
