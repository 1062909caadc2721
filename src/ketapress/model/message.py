"""An edition rendered once: bytes with gaps, and what goes into the gaps for one subscriber."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

_SENDER_DOMAIN = re.compile(rb"From: (?:[^\r]|\r\n[ \t])*@([A-Za-z0-9.-]+)>?\r\n")


class FieldEncoding(StrEnum):
    """Where a slot stands, which decides how its value is encoded before it is filled in.

    Text and HTML are quoted-printable; the `base64` ones are for scripts in which that would be much longer.
    """

    HEADER = "header"
    TEXT = "text"
    HTML = "html"
    BASE64_TEXT = "base64 text"
    BASE64_HTML = "base64 html"


class MergeField(NamedTuple):
    """A gap in a letter: what is filled in (`unsubscribe_url`, `to`, …) and where."""

    name: str
    encoding: FieldEncoding


class MessageTemplate(NamedTuple):
    """A whole RFC 5322 message with CRLF line ends, cut at its slots: `segments[0] slots[0] segments[1] … `.

    There is one more segment than there are slots. No line of a segment begins with a full stop, and a slot
    value never makes one: what is filled needs no dot-stuffing (RFC 5321, 4.5.2).
    `key` is hexadecimal and the root of what has to be unique and repeatable: Message-IDs and boundary.
    """

    key: str
    segments: tuple[bytes, ...]
    merge_fields: tuple[MergeField, ...]

    @property
    def sender_domain(self) -> str:
        """The domain of the From header, which is the first header; empty where there is none."""
        match = _SENDER_DOMAIN.match(self.segments[0])
        return match[1].decode("ascii") if match else ""


class Digest(NamedTuple):
    """What the mail room makes of an edition: for people to read, and for the relay to send.

    `html` and `text` are the parts with the specimen's values in the slots, `web` is the page of the archive
    (neutral values), `letter` is what is stamped. `sizes` are bytes: html, text, message.
    """

    subject: str
    html: str
    text: str
    web_html: str
    message_template: MessageTemplate
    sizes: Mapping[str, int]
