"""A message rendered once per edition, with merge fields for what differs per subscriber."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class FieldEncoding(StrEnum):
    """The encoding of a merge field's value, which depends on its position in the message.

    Text and HTML are quoted-printable; the `base64` ones are for scripts in which that would be much longer.
    """

    HEADER = "header"
    TEXT = "text"
    HTML = "html"
    BASE64_TEXT = "base64 text"
    BASE64_HTML = "base64 html"


class MergeField(NamedTuple):
    """A placeholder in a message template: the name of its value (`unsubscribe_url`, `to`, …), and its encoding."""

    name: str
    encoding: FieldEncoding


class MessageTemplate(NamedTuple):
    """A complete RFC 5322 message with CRLF line ends: `segments[0] merge_fields[0] segments[1] …`.

    There is one more segment than there are merge fields. No line of a segment begins with a period, and no value makes
    one, so a personalized message needs no dot-stuffing (RFC 5321, 4.5.2).
    `key` is hexadecimal; Message-IDs and the boundary are derived from it, so that they are unique and repeatable.
    """

    key: str
    segments: tuple[bytes, ...]
    merge_fields: tuple[MergeField, ...]


class Digest(NamedTuple):
    """A rendered edition, for people to read and for the relay to send.

    `html` and `text` are the parts with the sample recipient's values, `web_html` is the page for the site (neutral
    values), `message_template` is personalized per subscriber. `sizes` in bytes: html, text, message.
    """

    subject: str
    html: str
    text: str
    web_html: str
    message_template: MessageTemplate
    sizes: Mapping[str, int]
