"""The letter's own phrases, in every language that has some."""

import re

import pytest

from ketapress.i18n.mail_messages import LANGUAGES, words
from support.sample_posts import SETTINGS, letter_of, seed_post


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_has_its_places(language: str) -> None:
    phrases, english = words(language)._asdict(), words("en")._asdict()

    assert all(phrases.values())
    assert {name: set(re.findall(r"\{\w+\}", text)) for name, text in phrases.items()} == {
        name: set(re.findall(r"\{\w+\}", text)) for name, text in english.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_speaks_its_newsletters_language(language: str) -> None:
    whole = SETTINGS._replace(site=SETTINGS.site._replace(language=language))
    made = letter_of(seed_post(), whole=whole)

    for part in (made.html, made.text):
        assert words(language).unsubscribe in part
        assert words(language).preferences in part


def test_regions_speak_their_language_and_others_english() -> None:
    assert words("de-CH") is words("de")
    assert words("zh-Hant-TW") is words("zh")
    assert words("tlh") is words("en")
