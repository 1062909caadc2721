"""The phrases of mail in every language."""

import re

import pytest

from ketapress.i18n.mail_messages import TRANSLATIONS, mail_messages
from support.sample_posts import SETTINGS, build_posts_digest, seed_post


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_phrase_has_its_places(language: str) -> None:
    phrases, english_phrases = mail_messages(language)._asdict(), mail_messages("en")._asdict()

    assert all(phrases.values())
    assert {name: set(re.findall(r"\{\w+\}", text)) for name, text in phrases.items()} == {
        name: set(re.findall(r"\{\w+\}", text)) for name, text in english_phrases.items()
    }


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_letter_speaks_its_newsletters_language(language: str) -> None:
    site_settings = SETTINGS._replace(site=SETTINGS.site._replace(language=language))
    digest = build_posts_digest(seed_post(), settings=site_settings)

    for part in (digest.html, digest.text):
        assert mail_messages(language).unsubscribe in part
        assert mail_messages(language).preferences in part


def test_regions_speak_their_language_and_others_english() -> None:
    assert mail_messages("de-CH") is mail_messages("de")
    assert mail_messages("zh-Hant-TW") is mail_messages("zh")
    assert mail_messages("tlh") is mail_messages("en")
