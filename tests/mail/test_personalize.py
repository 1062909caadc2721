"""One message template, many subscribers: each message is complete, and has only its subscriber's values."""

import email
import email.policy
import html
import re
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, settings, strategies as st

from ketapress.mail.personalize import merge_values, message_bytes
from ketapress.mail.tokens import Purpose, read_token
from ketapress.model.delivery import Recipient
from ketapress.model.message import Digest
from support.sample_posts import (
    ARABIC,
    CHINESE_HTML,
    MAILTO_NEWSLETTER,
    SENT,
    arabic_post,
    build_posts_digest,
    chinese_post,
    hostile_post,
    rich_post,
    seed_post,
)

SECRET = "a secret of the publication's own, long enough"
DIGESTS = [
    build_posts_digest(seed_post()),
    build_posts_digest(
        rich_post(), hostile_post(), chinese_post(), seed_post(), newsletter=MAILTO_NEWSLETTER
    ),
    build_posts_digest(arabic_post(), settings=ARABIC),
    build_posts_digest(chinese_post()._replace(html=CHINESE_HTML * 12)),
]
LOCAL_PARTS = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,40}(\.[A-Za-z0-9]{1,10})?", fullmatch=True)
BASE_URLS = st.sampled_from(
    [
        "https://example.org",
        "https://example.org/" + "long/" * 30,
        "https://example.org/?a=1&b=",
        "https://e.org",
    ]
)
RECIPIENTS = st.builds(
    Recipient,
    subscription_id=st.integers(1, 2**63),
    address=LOCAL_PARTS.map(lambda local: f"{local}@example.com"),
    name=st.one_of(
        st.just(""),
        st.text(max_size=40),
        st.sampled_from(["a\r\nBcc: x@example.com", "Jörg 😀", '"q" <x@y.z>']),
    ),
    attempts=st.just(0),
    message_date=st.none(),
)


@settings(max_examples=150, deadline=None)
@given(index=st.integers(0, len(DIGESTS) - 1), recipient=RECIPIENTS, web_base_url=BASE_URLS)
def test_a_stamped_message_is_read_as_the_one_built_slowly(
    index: int, recipient: Recipient, web_base_url: str
) -> None:
    digest = DIGESTS[index]
    values = merge_values(
        digest.message_template,
        recipient,
        sender_domain="example.org",
        web_base_url=web_base_url,
        secret=SECRET,
        date=SENT,
    )
    message = message_bytes(digest.message_template, values)

    _assert_wire(message)
    email_message = _parse_message(message)
    expected_parts = _expected_parts(digest, values)
    assert _remove_padding(_content(email_message, "plain")) == _remove_padding(expected_parts["text"])
    assert _remove_padding(_content(email_message, "html")) == _remove_padding(expected_parts["html"])
    assert email_message["To"].addresses[0].addr_spec == recipient.address
    assert email_message["List-Unsubscribe"].split(",")[0] == f"<{values['unsubscribe_url']}>"
    assert email_message["Date"].datetime == SENT
    assert email_message["Bcc"] is None
    assert set(_tokens(message)) == {recipient.subscription_id}


def test_a_message_has_the_headers_of_a_newsletter_and_each_once() -> None:
    email_message = _parse_message(
        _message(Recipient(subscription_id=7, address="reader@example.com", name="A Reader"), DIGESTS[1])
    )

    assert list(email_message) == [
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
    assert email_message["From"] == "The Example Weekly <digest@example.org>"
    assert email_message["To"] == "A Reader <reader@example.com>"
    assert email_message["Reply-To"] == "editor@example.org"
    assert email_message["List-Id"] == "The Example Weekly <weekly.example.org>"
    assert email_message["List-Unsubscribe"].endswith(", <mailto:leave@example.org?subject=unsubscribe>")
    assert email_message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert email_message["Precedence"] == "bulk"


def test_without_an_address_for_it_leaving_is_by_link_alone() -> None:
    email_message = _parse_message(
        _message(Recipient(subscription_id=7, address="reader@example.com"), DIGESTS[0])
    )

    assert re.fullmatch(r"<https://example\.org/unsubscribe/[\w-]{36}>", email_message["List-Unsubscribe"])
    assert email_message["Reply-To"] is None


def test_a_long_link_to_leave_is_never_folded_or_encoded() -> None:
    web_base_url = "https://example.org/" + "long/" * 60
    recipient = Recipient(subscription_id=7, address="reader@example.com")
    message = _message(recipient, DIGESTS[0], web_base_url)

    (line,) = re.findall(rb"^List-Unsubscribe: (.*)\r\n", message, re.MULTILINE)
    assert line.startswith(b"<https://")
    assert line.endswith(b">")


@pytest.mark.parametrize(("index", "encodings"), [(0, {"quoted-printable"}), (3, {"base64"})])
def test_each_part_is_encoded_as_it_is_shorter_by_much(index: int, encodings: set[str]) -> None:
    email_message = _parse_message(
        _message(Recipient(subscription_id=7, address="reader@example.com"), DIGESTS[index])
    )

    assert {part["Content-Transfer-Encoding"] for part in email_message.iter_parts()} == encodings


def test_every_try_at_a_delivery_has_the_same_message_id_and_no_other_has() -> None:
    ids = {
        _parse_message(_message(Recipient(subscription_id=number, address="reader@example.com"), digest))[
            "Message-ID"
        ]
        for number in range(50)
        for digest in DIGESTS
        for _ in range(2)
    }

    assert len(ids) == 50 * len(DIGESTS)
    assert all(re.fullmatch(r"<[0-9a-f]{32}@example\.org>", message_id) for message_id in ids)


def test_a_resend_keeps_the_bytes_of_the_message_that_may_have_arrived() -> None:
    first_date = datetime(2023, 6, 12, 7, 0, 1, 500, tzinfo=UTC)
    first_message = _message(
        Recipient(subscription_id=7, address="reader@example.com"), DIGESTS[0], date=first_date
    )

    second_message = _message(
        Recipient(subscription_id=7, address="reader@example.com", message_date=first_date), DIGESTS[0]
    )

    assert second_message == first_message


def test_a_letter_waits_for_every_value() -> None:
    with pytest.raises(KeyError):
        message_bytes(DIGESTS[0].message_template, {})


def _message(
    recipient: Recipient, digest: Digest, web_base_url: str = "https://example.org", date: datetime = SENT
) -> bytes:
    values = merge_values(
        digest.message_template,
        recipient,
        sender_domain="example.org",
        web_base_url=web_base_url,
        secret=SECRET,
        date=date,
    )
    return message_bytes(digest.message_template, values)


def _expected_parts(digest: Digest, values: dict[str, str]) -> dict[str, str]:
    """Return both parts with the sample values replaced by this subscriber's."""
    parts = {"html": digest.html, "text": digest.text}
    for name, sample_value in {
        "address": "reader@example.com",
        "unsubscribe_url": "https://example.org/unsubscribe/specimen-this-link-leads-nowhere-000",
        "preferences_url": "https://example.org/preferences/specimen-this-link-leads-nowhere-000",
    }.items():
        parts["html"] = parts["html"].replace(html.escape(sample_value), html.escape(values[name]))
        parts["text"] = parts["text"].replace(sample_value, values[name])
    return parts


def _parse_message(message: bytes) -> EmailMessage:
    email_message = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(email_message, EmailMessage)
    assert not [part.defects for part in email_message.walk() if part.defects]
    return email_message


def _content(email_message: EmailMessage, subtype: str) -> str:
    part = email_message.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _remove_padding(text: str) -> str:
    """Remove the padding of base64: spaces in runs, at the end of a line, or of an attribute's value."""
    return re.sub(r" +(?=[\n\" ])", "", text)


def _tokens(message: bytes) -> list[int]:
    """Return the subscription ids of all links in a message."""
    email_message = _parse_message(message)
    all_text = (
        email_message["List-Unsubscribe"] + _content(email_message, "plain") + _content(email_message, "html")
    )
    matches = re.findall(r"/(unsubscribe|preferences)/([\w-]{36})", all_text)
    assert len(matches) >= 4
    return [read_token([SECRET], Purpose(purpose), token) for purpose, token in matches]


def _assert_wire(message: bytes) -> None:
    """Check the limits of RFC 5321, 4.5.2 and 4.5.3.1.6; RFC 5322, 2.1.1; RFC 2045, 6.7."""
    assert message.isascii()
    assert b"\0" not in message
    assert message.endswith(b"\r\n")
    lines = message.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert not any(line.startswith(b".") for line in lines)
    head, _, body = message.partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76
