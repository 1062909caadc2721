"""Build the message template of an edition: headers, text part and HTML part, split at the merge fields.

Nothing is random: the MIME boundary is derived from the key.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from urllib.parse import quote

from ketapress.mail.mime.base64 import base64_segments, base64_size
from ketapress.mail.mime.headers import clean_line, list_id_value, mailbox_value, unstructured_value
from ketapress.mail.mime.merge_fields import MergeFieldMarkers
from ketapress.mail.mime.quoted_printable import quoted_printable_segments
from ketapress.model.edition import Slot
from ketapress.model.message import FieldEncoding, MergeField, MessageTemplate
from ketapress.model.settings import NewsletterSettings, Settings

_LINE_ENDS = re.compile(r"\r\n?")
_SENDER_ID_BYTES = 6  # 12 characters; Google asks for 5 to 15 in the last field of Feedback-ID
# Base64 only where it saves a fifth: filters distrust it in Latin text (rspamd, MIME_BASE64_TEXT). A Chinese digest shrinks
# from 251 to 136 KB, an Arabic one hardly, because most of it is markup.
_BASE64_THRESHOLD = 0.8

Chunk = bytes | MergeField


def build_message_template(
    key: str,
    slot: Slot,
    settings: Settings,
    newsletter: NewsletterSettings,
    subject: str,
    text: str,
    html: str,
    markers: MergeFieldMarkers,
) -> MessageTemplate:
    """Build a multipart/alternative message (RFC 2046, 5.1.4): text first, HTML last, because clients prefer the last."""
    # `=_` cannot occur in quoted-printable, so no content contains the boundary (RFC 2045, 6.7).
    boundary = f"=_{key}".encode()
    delimiter = b"\r\n--" + boundary
    return _join_chunks(
        key,
        [
            *_header_chunks(slot, settings, newsletter, subject),
            b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n',
            delimiter,
            *_part_chunks(b"plain", text, markers),
            delimiter,
            *_part_chunks(b"html", html, markers),
            delimiter + b"--\r\n",
        ],
    )


def _header_chunks(
    slot: Slot, settings: Settings, newsletter: NewsletterSettings, subject: str
) -> Iterator[Chunk]:
    """Yield the headers above `MIME-Version`. List-Unsubscribe has one URI a line and no other folds (RFC 8058, 3.1)."""
    sender = newsletter.sender
    yield _header_line("From", mailbox_value(sender.name or newsletter.title, sender.address))
    yield from _merge_header("To", "to")
    yield _header_line("Subject", unstructured_value(subject))
    yield from _merge_header("Date", "date")
    yield from _merge_header("Message-ID", "message_id")
    if newsletter.reply_to:
        yield _header_line("Reply-To", newsletter.reply_to)
    yield _header_line("List-Id", list_id_value(newsletter.title, f"{newsletter.name}.{sender.domain}"))
    yield b"List-Unsubscribe: <"
    yield MergeField("unsubscribe_url", FieldEncoding.HEADER)
    mailto = quote(newsletter.unsubscribe_mailto, safe="@+")
    yield (f">,\r\n <mailto:{mailto}?subject=unsubscribe>\r\n" if mailto else ">\r\n").encode("ascii")
    yield _header_line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    yield _header_line("Precedence", "bulk")
    yield _header_line("Feedback-ID", f"{slot.key}:{newsletter.name}:digest:{_sender_id(sender.domain)}")
    yield _header_line("Content-Language", clean_line(settings.site.language))


def _header_line(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode("ascii")


def _merge_header(name: str, field: str) -> tuple[Chunk, ...]:
    return f"{name}: ".encode("ascii"), MergeField(field, FieldEncoding.HEADER), b"\r\n"


def _sender_id(domain: str) -> str:
    """Return an id that all messages of a sender share: Google counts complaints by it."""
    return blake2b(domain.encode(), digest_size=_SENDER_ID_BYTES).hexdigest()


def _part_chunks(subtype: bytes, document: str, markers: MergeFieldMarkers) -> Iterator[Chunk]:
    """Yield the headers and the encoded document of one part, split at the merge fields."""
    document = _LINE_ENDS.sub("\n", document)
    field_names, texts = markers.split(document)
    is_html = subtype == b"html"
    encoded_segments = quoted_printable_segments(texts)
    uses_base64 = _prefers_base64(document, encoded_segments)
    segments = (
        base64_segments(texts, pad_before=" " if is_html else "\n") if uses_base64 else encoded_segments
    )
    encoding = (
        (FieldEncoding.BASE64_HTML if is_html else FieldEncoding.BASE64_TEXT)
        if uses_base64
        else (FieldEncoding.HTML if is_html else FieldEncoding.TEXT)
    )
    yield b"\r\nContent-Type: text/" + subtype + b"; charset=utf-8\r\nContent-Transfer-Encoding: "
    yield (b"base64" if uses_base64 else b"quoted-printable") + b"\r\n\r\n" + segments[0]
    for field_name, segment in zip(field_names, segments[1:], strict=True):
        yield MergeField(field_name, encoding)
        yield segment


def encoded_size(document: str) -> int:
    """Return how many octets a part takes in the encoding that is chosen for it; approximate for base64."""
    encoded_segments = quoted_printable_segments([document])
    return (
        base64_size(document)
        if _prefers_base64(document, encoded_segments)
        else sum(map(len, encoded_segments))
    )


def _prefers_base64(document: str, encoded_segments: list[bytes]) -> bool:
    return base64_size(document) < _BASE64_THRESHOLD * sum(map(len, encoded_segments))


def _join_chunks(key: str, chunks: list[Chunk]) -> MessageTemplate:
    """Join neighboring bytes to segments, with merge fields between them."""
    segments: list[list[bytes]] = [[]]
    merge_fields: list[MergeField] = []
    for chunk in chunks:
        if isinstance(chunk, MergeField):
            merge_fields.append(chunk)
            segments.append([])
        else:
            segments[-1].append(chunk)
    return MessageTemplate(key, tuple(map(b"".join, segments)), tuple(merge_fields))
