"""What a language tag says about letters and the way they run."""

import pytest

from ketapress.model.language import script_code, text_direction


@pytest.mark.parametrize(
    ("tag", "letters", "way"),
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
def test_script_and_direction(tag: str, letters: str, way: str) -> None:
    assert (script_code(tag), text_direction(tag)) == (letters, way)
