"""One letter, many readers: each message is whole, and only its reader's."""

import email
import email.policy
import html
import re
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, settings, strategies as st

from ketapress.mail.personalize import slot_values, stamped
from ketapress.mail.tokens import Purpose, read_token
from ketapress.model.delivery import Recipient
from ketapress.model.message import Digest
from support.sample_posts import (
    ARABIC,
    CHINESE_HTML,
    LEAVING_BY_MAIL,
    SENT,
    arabic_post,
    chinese_post,
    hostile_post,
    letter_of,
    rich_post,
    seed_post,
)

SECRET = "a secret of the publication's own, long enough"
LETTERS = [
    letter_of(seed_post()),
    letter_of(rich_post(), hostile_post(), chinese_post(), seed_post(), newsletter=LEAVING_BY_MAIL),
    letter_of(arabic_post(), whole=ARABIC),
    letter_of(chinese_post()._replace(html=CHINESE_HTML * 12)),
]
LOCAL_PARTS = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,40}(\.[A-Za-z0-9]{1,10})?", fullmatch=True)
DOORS = st.sampled_from(
    [
        "https://example.org",
        "https://example.org/" + "long/" * 30,
        "https://example.org/?a=1&b=",
        "https://e.org",
    ]
)
READERS = st.builds(
    Recipient,
    subscription_id=st.integers(1, 2**63),
    address=LOCAL_PARTS.map(lambda local: f"{local}@example.com"),
    name=st.one_of(
        st.just(""),
        st.text(max_size=40),
        st.sampled_from(["a\r\nBcc: x@example.com", "Jörg 😀", '"q" <x@y.z>']),
    ),
    attempts=st.just(0),
    dated=st.none(),
)


@settings(max_examples=150, deadline=None)
@given(which=st.integers(0, len(LETTERS) - 1), reader=READERS, door=DOORS)
def test_a_stamped_message_is_read_as_the_one_built_slowly(which: int, reader: Recipient, door: str) -> None:
    digest = LETTERS[which]
    values = slot_values(
        digest.letter, reader, sender_domain="example.org", door=door, secret=SECRET, date=SENT
    )
    message = stamped(digest.letter, values)

    _assert_wire(message)
    read = _parsed(message)
    slow = _slow(digest, values)
    assert _unpadded(_content(read, "plain")) == _unpadded(slow["text"])
    assert _unpadded(_content(read, "html")) == _unpadded(slow["html"])
    assert read["To"].addresses[0].addr_spec == reader.address
    assert read["List-Unsubscribe"].split(",")[0] == f"<{values['unsubscribe_url']}>"
    assert read["Date"].datetime == SENT
    assert read["Bcc"] is None
    assert set(_tokens(message)) == {reader.subscription_id}


def test_a_message_has_the_headers_of_a_newsletter_and_each_once() -> None:
    read = _parsed(
        _message(Recipient(subscription_id=7, address="reader@example.com", name="A Reader"), LETTERS[1])
    )

    assert list(read) == [
        *("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "List-Id", "List-Unsubscribe"),
        *(
            "List-Unsubscribe-Post",
            "Precedence",
            "Feedback-ID",
            "Content-Language",
            "MIME-Version",
            "Content-Type",
        ),
    ]
    assert read["From"] == "The Example Weekly <digest@example.org>"
    assert read["To"] == "A Reader <reader@example.com>"
    assert read["Reply-To"] == "editor@example.org"
    assert read["List-Id"] == "The Example Weekly <weekly.example.org>"
    assert read["List-Unsubscribe"].endswith(", <mailto:leave@example.org?subject=unsubscribe>")
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert read["Precedence"] == "bulk"


def test_without_an_address_for_it_leaving_is_by_link_alone() -> None:
    read = _parsed(_message(Recipient(subscription_id=7, address="reader@example.com"), LETTERS[0]))

    assert re.fullmatch(r"<https://example\.org/unsubscribe/[\w-]{36}>", read["List-Unsubscribe"])
    assert read["Reply-To"] is None


def test_a_long_link_to_leave_is_never_folded_or_encoded() -> None:
    door = "https://example.org/" + "long/" * 60
    reader = Recipient(subscription_id=7, address="reader@example.com")
    message = _message(reader, LETTERS[0], door)

    (line,) = re.findall(rb"^List-Unsubscribe: (.*)\r\n", message, re.MULTILINE)
    assert line.startswith(b"<https://")
    assert line.endswith(b">")


@pytest.mark.parametrize(("which", "encodings"), [(0, {"quoted-printable"}), (3, {"base64"})])
def test_each_part_is_encoded_as_it_is_shorter_by_much(which: int, encodings: set[str]) -> None:
    read = _parsed(_message(Recipient(subscription_id=7, address="reader@example.com"), LETTERS[which]))

    assert {part["Content-Transfer-Encoding"] for part in read.iter_parts()} == encodings


def test_every_try_at_a_delivery_has_the_same_message_id_and_no_other_has() -> None:
    ids = {
        _parsed(_message(Recipient(subscription_id=number, address="reader@example.com"), letter))[
            "Message-ID"
        ]
        for number in range(50)
        for letter in LETTERS
        for _ in range(2)
    }

    assert len(ids) == 50 * len(LETTERS)
    assert all(re.fullmatch(r"<[0-9a-f]{32}@example\.org>", each) for each in ids)


def test_a_resend_keeps_the_bytes_of_the_message_that_may_have_arrived() -> None:
    first = datetime(2023, 6, 12, 7, 0, 1, 500, tzinfo=UTC)
    before = _message(Recipient(subscription_id=7, address="reader@example.com"), LETTERS[0], date=first)

    again = _message(Recipient(subscription_id=7, address="reader@example.com", dated=first), LETTERS[0])

    assert again == before


def test_a_letter_waits_for_every_value() -> None:
    with pytest.raises(KeyError):
        stamped(LETTERS[0].letter, {})


def _message(
    reader: Recipient, digest: Digest, door: str = "https://example.org", date: datetime = SENT
) -> bytes:
    values = slot_values(
        digest.letter, reader, sender_domain="example.org", door=door, secret=SECRET, date=date
    )
    return stamped(digest.letter, values)


def _slow(digest: Digest, values: dict[str, str]) -> dict[str, str]:
    """Both parts with the specimen's values exchanged for this reader's."""
    parts = {"html": digest.html, "text": digest.text}
    for name, dead in {
        "address": "reader@example.com",
        "unsubscribe_url": "https://example.org/unsubscribe/specimen-this-link-leads-nowhere-000",
        "preferences_url": "https://example.org/preferences/specimen-this-link-leads-nowhere-000",
    }.items():
        parts["html"] = parts["html"].replace(html.escape(dead), html.escape(values[name]))
        parts["text"] = parts["text"].replace(dead, values[name])
    return parts


def _parsed(message: bytes) -> EmailMessage:
    read = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    assert not [part.defects for part in read.walk() if part.defects]
    return read


def _content(read: EmailMessage, subtype: str) -> str:
    part = read.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _unpadded(text: str) -> str:
    """Without the blanks that base64 is filled up with: in runs, at the end of a line, or of an attribute's value."""
    return re.sub(r" +(?=[\n\" ])", "", text)


def _tokens(message: bytes) -> list[int]:
    """The subscriptions that the links of a message are for, all over the message."""
    read = _parsed(message)
    everything = read["List-Unsubscribe"] + _content(read, "plain") + _content(read, "html")
    found = re.findall(r"/(unsubscribe|preferences)/([\w-]{36})", everything)
    assert len(found) >= 4
    return [read_token([SECRET], Purpose(purpose), text) for purpose, text in found]


def _assert_wire(message: bytes) -> None:
    """RFC 5321, 4.5.2 and 4.5.3.1.6; RFC 5322, 2.1.1; RFC 2045, 6.7."""
    assert message.isascii()
    assert b"\0" not in message
    assert message.endswith(b"\r\n")
    lines = message.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert not any(line.startswith(b".") for line in lines)
    head, _, body = message.partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76
