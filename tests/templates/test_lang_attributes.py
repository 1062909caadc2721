"""Language and direction of posts in pages and mail."""

import pytest

from ketapress.model.language import text_direction
from ketapress.templates.lang_attributes import speech_filter
from support.factories import post


@pytest.mark.parametrize(
    ("values", "attributes"),
    [
        ({}, ""),
        ({"lang": "de"}, ' lang="de" dir="ltr"'),
        ({"lang": "ar"}, ' lang="ar" dir="rtl"'),
        ({"dir": "rtl"}, ' dir="rtl"'),
        ({"lang": "ar", "dir": "ltr"}, ' lang="ar" dir="ltr"'),
        ({"lang": '"><b>'}, ' lang="&#34;&gt;&lt;b&gt;" dir="ltr"'),
    ],
)
def test_a_post_says_what_it_speaks(values: dict[str, str], attributes: str) -> None:
    assert speech_filter(post("first", **values)) == attributes


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("ar", "rtl"),
        ("he-IL", "rtl"),
        ("fa_IR", "rtl"),
        ("az-Arab", "rtl"),
        ("ar-Latn", "ltr"),
        ("en", "ltr"),
        ("", "ltr"),
    ],
)
def test_the_direction_of_a_language(tag: str, expected: str) -> None:
    assert text_direction(tag) == expected
