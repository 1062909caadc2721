"""Tokens in links: signed, opaque, valid for one purpose."""

import re

import pytest
from hypothesis import given, settings, strategies as st

from ketapress.mail.tokens import (
    SAMPLE_TOKEN,
    Purpose,
    create_token,
    edition_url,
    preferences_url,
    read_token,
    sample_url,
    unsubscribe_url,
)
from support.factories import edition
from support.sample_posts import SETTINGS

SECRET = "a secret of the publication's own, long enough"
SUBSCRIPTION_IDS = st.integers(0, 2**64 - 1)


@settings(max_examples=100, deadline=None)
@given(secret=st.text(min_size=1), number=SUBSCRIPTION_IDS, purpose=st.sampled_from(Purpose))
def test_a_token_gives_back_its_subscription(secret: str, number: int, purpose: Purpose) -> None:
    assert read_token([secret], purpose, create_token(secret, purpose, number)) == number


def test_a_token_is_short_and_safe_in_an_address() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{36}", create_token(SECRET, Purpose.UNSUBSCRIBE, 2**63))


def test_an_earlier_secret_still_opens_its_links() -> None:
    old_token = create_token("an earlier secret", Purpose.UNSUBSCRIBE, 7)

    assert read_token([SECRET, "an earlier secret"], Purpose.UNSUBSCRIBE, old_token) == 7
    with pytest.raises(ValueError, match="not genuine"):
        read_token([SECRET], Purpose.UNSUBSCRIBE, old_token)


def test_a_token_is_refused_for_another_purpose() -> None:
    with pytest.raises(ValueError, match="not genuine"):
        read_token([SECRET], Purpose.PREFERENCES, create_token(SECRET, Purpose.UNSUBSCRIBE, 7))


@settings(max_examples=100, deadline=None)
@given(number=SUBSCRIPTION_IDS, index=st.integers(0, 35), character=st.sampled_from("AZaz09-_=./+ é"))
def test_a_token_changed_anywhere_is_refused(number: int, index: int, character: str) -> None:
    genuine_token = create_token(SECRET, Purpose.UNSUBSCRIBE, number)
    changed_token = genuine_token[:index] + character + genuine_token[index + 1 :]
    if changed_token == genuine_token:
        return
    with pytest.raises(ValueError, match=r"not (?:genuine|complete)"):
        read_token([SECRET], Purpose.UNSUBSCRIBE, changed_token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        SAMPLE_TOKEN,
        SAMPLE_TOKEN + "\n",
        create_token(SECRET, Purpose.UNSUBSCRIBE, 7) + "=",
        "😀" * 36,
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not (?:genuine|complete)"):
        read_token([SECRET], Purpose.UNSUBSCRIBE, text)


def test_the_dead_token_is_as_long_as_a_real_one() -> None:
    assert len(sample_url("https://example.org", Purpose.UNSUBSCRIBE)) == len(
        unsubscribe_url("https://example.org", SECRET, 7)
    )


def test_links_lead_to_the_door_wherever_it_stands() -> None:
    assert unsubscribe_url("https://example.org/news/", SECRET, 7).startswith(
        "https://example.org/news/unsubscribe/"
    )
    assert preferences_url("https://example.org", SECRET, 7).startswith("https://example.org/preferences/")


def test_the_web_version_is_a_page_of_the_archive() -> None:
    assert edition_url(SETTINGS, edition().slot) == "https://example.org/archive/weekly/2023-06-12T0800.html"
