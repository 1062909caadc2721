"""The message: headers written by ourselves, the text part, the HTML part, cut open where a subscriber's values go.

In: two documents in which marks stand for what differs for each subscriber. Out: a `Letter`. It never sees a
subscriber, and draws nothing at random: the boundary comes from the key.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from urllib.parse import quote

from ketapress.mail.mime.base64 import based_segments, based_size
from ketapress.mail.mime.headers import cleaned, list_id_value, mailbox_value, text_value
from ketapress.mail.mime.merge_fields import Marks
from ketapress.mail.mime.quoted_printable import quoted_segments
from ketapress.model.edition import Slot
from ketapress.model.message import ByteSlot, Letter, Place
from ketapress.model.settings import NewsletterSettings, Settings

_LINE_ENDS = re.compile(r"\r\n?")
_SENDER_ID_BYTES = 6  # Google asks for 5 to 15 characters in Feedback-ID's last field
# Base64 where it saves a fifth: filters look askance at it in Latin text (rspamd, MIME_BASE64_TEXT). A digest in Chinese
# shrinks from 251 to 136 KB, one in Arabic hardly, for most of it is markup.
_WORTHWHILE = 0.8

Piece = bytes | ByteSlot


def message(
    key: str,
    slot: Slot,
    settings: Settings,
    newsletter: NewsletterSettings,
    subject: str,
    text: str,
    html: str,
    marks: Marks,
) -> Letter:
    """The whole of it, multipart/alternative (RFC 2046, 5.1.4): the text first, the HTML last and preferred."""
    # `=_` cannot occur in quoted-printable, so that no content ends a part (RFC 2045, 6.7).
    boundary = f"=_{key}".encode()
    delimiter = b"\r\n--" + boundary
    return _cut(
        key,
        [
            *_headers(slot, settings, newsletter, subject),
            b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n',
            delimiter,
            *_part(b"plain", text, marks),
            delimiter,
            *_part(b"html", html, marks),
            delimiter + b"--\r\n",
        ],
    )


def _headers(slot: Slot, settings: Settings, newsletter: NewsletterSettings, subject: str) -> Iterator[Piece]:
    """The lines above `MIME-Version`. List-Unsubscribe is one URI a line, folded nowhere else (RFC 8058, 3.1)."""
    sender = newsletter.sender
    yield _line("From", mailbox_value(sender.name or newsletter.title, sender.address))
    yield from _slotted("To", "to")
    yield _line("Subject", text_value(subject))
    yield from _slotted("Date", "date")
    yield from _slotted("Message-ID", "message_id")
    if newsletter.reply_to:
        yield _line("Reply-To", newsletter.reply_to)
    yield _line("List-Id", list_id_value(newsletter.title, f"{newsletter.name}.{sender.domain}"))
    yield b"List-Unsubscribe: <"
    yield ByteSlot("unsubscribe_url", Place.HEADER)
    mailto = quote(newsletter.unsubscribe_mailto, safe="@+")
    yield (f">,\r\n <mailto:{mailto}?subject=unsubscribe>\r\n" if mailto else ">\r\n").encode("ascii")
    yield _line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    yield _line("Precedence", "bulk")
    yield _line("Feedback-ID", f"{slot.key}:{newsletter.name}:digest:{_sender_id(sender.domain)}")
    yield _line("Content-Language", cleaned(settings.site.language))


def _line(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode("ascii")


def _slotted(name: str, slot: str) -> tuple[Piece, ...]:
    return f"{name}: ".encode("ascii"), ByteSlot(slot, Place.HEADER), b"\r\n"


def _sender_id(domain: str) -> str:
    """The same for all letters of a sender: what Google counts complaints by."""
    return blake2b(domain.encode(), digest_size=_SENDER_ID_BYTES).hexdigest()


def _part(subtype: bytes, document: str, marks: Marks) -> Iterator[Piece]:
    """One part, its document cut at the slots."""
    document = _LINE_ENDS.sub("\n", document)
    names, texts = marks.split(document)
    html = subtype == b"html"
    quoted = quoted_segments(texts)
    based = _is_based(document, quoted)
    segments = based_segments(texts, blank=" " if html else "\n") if based else quoted
    place = (
        (Place.BASE64_HTML if html else Place.BASE64_TEXT) if based else (Place.HTML if html else Place.TEXT)
    )
    yield b"\r\nContent-Type: text/" + subtype + b"; charset=utf-8\r\nContent-Transfer-Encoding: "
    yield (b"base64" if based else b"quoted-printable") + b"\r\n\r\n" + segments[0]
    for name, segment in zip(names, segments[1:], strict=True):
        yield ByteSlot(name, place)
        yield segment


def encoded_size(document: str) -> int:
    """How many octets a part takes on the wire, in the encoding that is chosen for it; about, where that is base64."""
    quoted = quoted_segments([document])
    return based_size(document) if _is_based(document, quoted) else sum(map(len, quoted))


def _is_based(document: str, quoted: list[bytes]) -> bool:
    return based_size(document) < _WORTHWHILE * sum(map(len, quoted))


def _cut(key: str, pieces: list[Piece]) -> Letter:
    """Neighbouring bytes as one segment, the slots between them."""
    segments: list[list[bytes]] = [[]]
    slots: list[ByteSlot] = []
    for piece in pieces:
        if isinstance(piece, ByteSlot):
            slots.append(piece)
            segments.append([])
        else:
            segments[-1].append(piece)
    return Letter(key, tuple(map(b"".join, segments)), tuple(slots))
