"""The slots of a letter filled for one subscriber: all that is done a million times.

In: a letter, a recipient, what links are made with, a moment. Out: the bytes of one message. It imports nothing heavy,
and knows no more of the letter than its gaps.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import blake2b

from ketapress.mail.mime.base64 import based_value
from ketapress.mail.mime.headers import mailbox_value
from ketapress.mail.mime.quoted_printable import quoted_line
from ketapress.mail.tokens import preferences_url, unsubscribe_url
from ketapress.model.delivery import Recipient
from ketapress.model.message import Letter, Place


def slot_values(
    letter: Letter, recipient: Recipient, *, sender_domain: str, door: str, secret: str, date: datetime
) -> dict[str, str]:
    """By slot, the value as text. A resend keeps the Date of the message that may have been taken already."""
    return {
        "to": mailbox_value(recipient.name, recipient.address),
        "date": dated((recipient.dated or date).replace(microsecond=0)),
        "message_id": message_id(letter.key, recipient.subscription_id, sender_domain),
        "unsubscribe_url": unsubscribe_url(door, secret, recipient.subscription_id),
        "preferences_url": preferences_url(door, secret, recipient.subscription_id),
        "address": recipient.address,
    }


@lru_cache(maxsize=64)
def dated(moment: datetime) -> str:
    """A Date as RFC 5322, 3.3, has it; one second's messages share it."""
    return format_datetime(moment)


def message_id(key: str, subscription_id: int, domain: str) -> str:
    """The same for every attempt at this delivery, so that a receiver knows a repeat; nobody's number can be read off."""
    digest = _keyed(key).copy()
    digest.update(b"%d" % subscription_id)
    return f"<{digest.hexdigest()}@{domain}>"


@lru_cache(maxsize=16)
def _keyed(key: str) -> blake2b:
    return blake2b(digest_size=16, key=bytes.fromhex(key), person=b"message-id")


def stamped(letter: Letter, values: Mapping[str, str]) -> bytes:
    """The message for one subscriber, ready for the relay: CRLF, lines of at most 998 octets, nothing to dot-stuff."""
    return b"".join(filled(letter, values))


def filled(letter: Letter, values: Mapping[str, str]) -> Sequence[bytes]:
    """The same in its pieces: the letter's own segments, and between them what was filled in."""
    first, *others = letter.segments
    pieces = [first]
    for (name, place), segment in zip(letter.slots, others, strict=True):
        pieces.append(_WRITTEN[place](values[name]))
        pieces.append(segment)
    return pieces


def _escaped(value: str) -> bytes:
    return html.escape(value).encode()


_WRITTEN: dict[Place, Callable[[str], bytes]] = {
    Place.HEADER: lambda value: value.encode("ascii"),
    Place.TEXT: lambda value: quoted_line(value.encode()),
    Place.HTML: lambda value: quoted_line(_escaped(value)),
    Place.BASE64_TEXT: lambda value: based_value(value.encode()),
    Place.BASE64_HTML: lambda value: based_value(_escaped(value)),
}
