"""The whole way of an edition through the mail room: rendered, inlined, written as text, joined, cut.

In: an edition and the settings. Out: a `Digest`, the same to the byte for the same input. Nothing is sent or stored
here, and no value of a subscriber is known.
"""

import html
from collections.abc import Mapping
from hashlib import blake2b

from ketapress.mail.css_inline import inlined
from ketapress.mail.mime.headers import cleaned
from ketapress.mail.mime.merge_fields import Marks
from ketapress.mail.mime.message import encoded_size, message
from ketapress.mail.personalize import dated, message_id, stamped
from ketapress.mail.render import Issue, html_document, text_document
from ketapress.mail.tokens import Purpose, dead_url
from ketapress.model.edition import Edition, Slot
from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.message import Digest, Letter
from ketapress.model.renderer import Fill
from ketapress.model.settings import NewsletterSettings, Settings

SPECIMEN_ADDRESS = "reader@example.com"  # reserved for examples (RFC 2606, 3)

# Sources differ on whether Gmail counts its 102 KiB before or after decoding: a letter that fills the 90 KiB of
# `max_bytes` stays below both. In base64 it is a third larger, in quoted-printable three times where nothing is Latin.
_ENCODED_WEIGHT = 90 / 102


def digest(
    edition: Edition, settings: Settings, newsletter: NewsletterSettings, subject: str, fill: Fill
) -> Digest:
    """The edition as people read it and as it is sent. Raises ConfigurationError where a template cannot be used."""
    issue = Issue(
        edition=edition, settings=settings, newsletter=newsletter, subject=_title(subject, newsletter)
    )
    marks = _marks(issue)
    page = inlined(html_document(issue, marks.reader, fill))
    text = text_document(issue, marks.reader, fill)
    _must_hold_links(marks, {"digest.html": page, "digest.txt": text})
    key = _key(edition.slot, issue.subject, text, page)
    letter = message(key, edition.slot, settings, newsletter, issue.subject, text, page, marks)
    shown_html, shown_text = _shown(marks, page, text, settings)
    return Digest(
        subject=issue.subject,
        html=shown_html,
        text=shown_text,
        web=html_document(issue, None, fill),
        letter=letter,
        sizes={
            "html": len(shown_html.encode()),
            "text": len(shown_text.encode()),
            "message": len(specimen(letter, settings, newsletter, edition.slot)),
        },
    )


def measured(
    edition: Edition, settings: Settings, newsletter: NewsletterSettings, subject: str, fill: Fill
) -> int:
    """The size of the HTML part in bytes, as a subscriber gets it: what Gmail may cut off."""
    issue = Issue(
        edition=edition, settings=settings, newsletter=newsletter, subject=_title(subject, newsletter)
    )
    marks = _marks(issue)
    page = inlined(html_document(issue, marks.reader, fill))
    page = marks.filled(page, _escaped(_specimen_reader(settings)))
    return max(len(page.encode()), int(encoded_size(page) * _ENCODED_WEIGHT))


def specimen(letter: Letter, settings: Settings, newsletter: NewsletterSettings, slot: Slot) -> bytes:
    """A complete message (RFC 5322) to nobody, dated at its slot, with links that lead nowhere."""
    values = {
        "to": SPECIMEN_ADDRESS,
        "date": dated(slot.at),
        "message_id": message_id(letter.key, 0, newsletter.sender.domain),
        **_specimen_reader(settings),
    }
    return stamped(letter, values)


def _title(subject: str, newsletter: NewsletterSettings) -> str:
    """The subject on one line; a subject that came out empty is the newsletter's title."""
    return cleaned(subject) or cleaned(newsletter.title)


def _marks(issue: Issue) -> Marks:
    return Marks(f"{issue.subject}\n{issue.edition!r}")


def _key(slot: Slot, *content: str) -> str:
    """What tells this letter from every other, in 32 hexadecimal digits."""
    digest = blake2b(digest_size=16, person=b"ketapress letter")
    for text in (slot.newsletter, slot.key, *content):
        data = text.encode()
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()


def _specimen_reader(settings: Settings) -> dict[str, str]:
    return {
        "unsubscribe_url": dead_url(settings.door, Purpose.UNSUBSCRIBE),
        "preferences_url": dead_url(settings.door, Purpose.PREFERENCES),
        "address": SPECIMEN_ADDRESS,
    }


def _escaped(values: Mapping[str, str]) -> dict[str, str]:
    return {name: html.escape(value) for name, value in values.items()}


def _shown(marks: Marks, page: str, text: str, settings: Settings) -> tuple[str, str]:
    """Both parts with the specimen's values."""
    reader = _specimen_reader(settings)
    return marks.filled(page, _escaped(reader)), marks.filled(text, reader)


def _must_hold_links(marks: Marks, documents: Mapping[str, str]) -> None:
    """A letter without a way out is never made, whatever templates say."""
    for name, document in documents.items():
        if "unsubscribe_url" not in marks.names(document):
            raise ConfigurationError(
                Problem(
                    code="template.unsubscribe",
                    message="The template has no link to unsubscribe: no letter goes out without one.",
                    cure="Write {{ reader.unsubscribe_url }} into it.",
                    path=f"templates/mail/{name}",
                )
            )
