"""Fill the merge fields of a message template for one subscriber.

This is all that runs once for each subscriber, so it imports nothing heavy (no lxml, jinja2 or premailer).
"""

import html
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import blake2b

from ketapress.mail.mime.base64 import base64_value
from ketapress.mail.mime.headers import mailbox_value
from ketapress.mail.mime.quoted_printable import quoted_printable_line
from ketapress.mail.tokens import preferences_url, unsubscribe_url
from ketapress.model.delivery import Recipient
from ketapress.model.message import FieldEncoding, MessageTemplate


def merge_values(
    message_template: MessageTemplate,
    recipient: Recipient,
    *,
    sender_domain: str,
    web_base_url: str,
    secret: str,
    date: datetime,
) -> dict[str, str]:
    """Return the value of each merge field as text.

    A resend keeps the Date of the first attempt, which the relay may have accepted: the bytes are the same.
    """
    return {
        "to": mailbox_value(recipient.name, recipient.address),
        "date": format_date((recipient.message_date or date).replace(microsecond=0)),
        "message_id": message_id(message_template.key, recipient.subscription_id, sender_domain),
        "unsubscribe_url": unsubscribe_url(web_base_url, secret, recipient.subscription_id),
        "preferences_url": preferences_url(web_base_url, secret, recipient.subscription_id),
        "address": recipient.address,
    }


@lru_cache(maxsize=64)
def format_date(moment: datetime) -> str:
    """Format a moment as RFC 5322, 3.3. Cached, because the messages of one second share it."""
    return format_datetime(moment)


def message_id(key: str, subscription_id: int, domain: str) -> str:
    """Return the Message-ID of a delivery: the same for every attempt, so that receivers detect a repeat.

    It is a keyed hash, so it does not reveal the number of the subscription.
    """
    hasher = _message_id_hasher(key).copy()
    hasher.update(b"%d" % subscription_id)
    return f"<{hasher.hexdigest()}@{domain}>"


@lru_cache(maxsize=16)
def _message_id_hasher(key: str) -> blake2b:
    return blake2b(digest_size=16, key=bytes.fromhex(key), person=b"message-id")


def message_bytes(message_template: MessageTemplate, values: Mapping[str, str]) -> bytes:
    """Return the message for one subscriber: CRLF line ends, lines of at most 998 octets, nothing to dot-stuff."""
    return b"".join(message_chunks(message_template, values))


def message_chunks(message_template: MessageTemplate, values: Mapping[str, str]) -> Sequence[bytes]:
    """Return the message as chunks: the segments of the template, with encoded values between them."""
    first, *segments = message_template.segments
    chunks = [first]
    for (name, encoding), segment in zip(message_template.merge_fields, segments, strict=True):
        chunks.append(_ENCODERS[encoding](values[name]))
        chunks.append(segment)
    return chunks


def _escape_html(value: str) -> bytes:
    return html.escape(value).encode()


_ENCODERS: dict[FieldEncoding, Callable[[str], bytes]] = {
    FieldEncoding.HEADER: lambda value: value.encode("ascii"),
    FieldEncoding.TEXT: lambda value: quoted_printable_line(value.encode()),
    FieldEncoding.HTML: lambda value: quoted_printable_line(_escape_html(value)),
    FieldEncoding.BASE64_TEXT: lambda value: base64_value(value.encode()),
    FieldEncoding.BASE64_HTML: lambda value: base64_value(_escape_html(value)),
}
