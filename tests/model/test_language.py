"""Script and direction of a language tag."""

import pytest

from ketapress.model.language import script_code, text_direction


@pytest.mark.parametrize(
    ("tag", "script", "direction"),
    [
        ("en", "latn", "ltr"),
        ("ar-EG", "arab", "rtl"),
        ("fa", "arab", "rtl"),
        ("az", "latn", "ltr"),
        ("az-Arab", "arab", "rtl"),
        ("sr_Latn", "latn", "ltr"),
        ("he-IL", "hebr", "rtl"),
        ("dv", "thaa", "rtl"),
        ("ff-Adlm", "adlm", "rtl"),
        ("zh-TW", "hani", "ltr"),
        ("zh-Hant-HK", "hani", "ltr"),
        ("ja-JP", "jpan", "ltr"),
        ("xx", "latn", "ltr"),
    ],
)
def test_script_and_direction(tag: str, script: str, direction: str) -> None:
    assert (script_code(tag), text_direction(tag)) == (script, direction)
