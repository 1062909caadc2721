"""Build the digest of an edition: render, inline styles, write the text part, assemble the message template.

The same input gives the same bytes. Nothing is sent or stored here, and no subscriber's value is known.
"""

import html
from collections.abc import Mapping, Sequence
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
from ketapress.model.post import Post
from ketapress.model.renderer import Renderer
from ketapress.model.settings import NewsletterSettings, Settings

SAMPLE_ADDRESS = "reader@example.com"  # reserved for examples (RFC 2606, 3)

# Sources differ on whether Gmail counts its 102 KiB before or after decoding: a message that fills the 90 KiB of
# `max_bytes` stays below both. Base64 adds a third, quoted-printable triples text in other scripts than Latin.
_ENCODED_SIZE_FACTOR = 90 / 102


def build_digest(
    edition: Edition,
    settings: Settings,
    newsletter: NewsletterSettings,
    subject: str,
    render_template: Renderer,
) -> Digest:
    """Build the parts, the archive page and the message template of an edition.

    Raises ConfigurationError where a template cannot be used.
    """
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
    sample_values = _sample_values(settings)
    sample_html = markers.substitute(html_part, _escape_values(sample_values))
    sample_text = markers.substitute(text_part, sample_values)
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
    """Return the size in bytes by which Gmail clips the HTML part: the larger of plain and scaled encoded size."""
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
    """Build a complete message (RFC 5322) with a sample recipient, the slot as its date and links without effect."""
    values = {
        "to": SAMPLE_ADDRESS,
        "date": format_date(slot.at),
        "message_id": message_id(message_template.key, 0, newsletter.sender.domain),
        **_sample_values(settings),
    }
    return message_bytes(message_template, values)


def _subject_line(subject: str, newsletter: NewsletterSettings) -> str:
    """Return the subject on one line, or the newsletter's title where the subject is empty."""
    return clean_line(subject) or clean_line(newsletter.title)


def _create_markers(context: DigestContext) -> MergeFieldMarkers:
    return MergeFieldMarkers(f"{context.subject}\n{_edition_identity(context.edition)}")


def _edition_identity(edition: Edition) -> str:
    """Return a text that two editions share only if their content is the same.

    Template keys, and with them Message-IDs, derive from it. Its words are those of the first release, so that an
    edition keeps its Message-IDs when Ketapress is upgraded.
    """
    window = f"Window(after={edition.window.start!r}, until={edition.window.end!r})"
    items = [f"Item(post={_post_identity(item.post)}, display={item.display!r})" for item in edition.items]
    more = [_post_identity(post) for post in edition.overflow]
    return f"Edition(slot={edition.slot!r}, window={window}, items={_tuple_text(items)}, more={_tuple_text(more)})"


def _post_identity(post: Post) -> str:
    """Return a text of everything that an edition may show of a post. `edition_date` decides only whether it does."""
    fields = (f"{name}={value!r}" for name, value in post._asdict().items() if name != "edition_date")
    return f"Post({', '.join(fields)})"


def _tuple_text(items: Sequence[str]) -> str:
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _template_key(slot: Slot, *content: str) -> str:
    """Return 32 hexadecimal digits that identify this message template."""
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


def _require_unsubscribe_links(markers: MergeFieldMarkers, documents: Mapping[str, str]) -> None:
    """Raise ConfigurationError for a part without the link to unsubscribe: editors can override the templates."""
    for name, document in documents.items():
        if "unsubscribe_url" not in markers.field_names(document):
            raise ConfigurationError(
                Problem(
                    code="template.unsubscribe",
                    message="The template has no unsubscribe link; no message is sent without one.",
                    cure="Add {{ reader.unsubscribe_url }} to it.",
                    path=f"templates/mail/{name}",
                )
            )
