"""Dates that no list of single words can hold are written as one can: years of eras, months of two words, hours of halves.

In comes a text that is not ASCII, out goes the same with what is known of these in numbers, or in English. Years of the
Japanese eras, of the Republic of China and of the Buddhist calendar are certain; those of lunar calendars are not, and
`dategrammar` refuses them.
"""

import re

from ketapress.model.lazy_regex import pattern

_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "民國": 1911, "民国": 1911}
_YEAR_OF_ERA = pattern(rf"({'|'.join(_ERAS)})\s*(\d{{1,3}}|元)\s*年")
_HALF = pattern(r"(上午|오전|午前|下午|오후|午後)\s*(\d{1,2}:\d{2}(?::\d{2})?)")
_MORNINGS = frozenset({"上午", "오전", "午前"})
_ENGLISH = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_THAI = [
    "มกราคม",
    "กุมภาพันธ์",
    "มีนาคม",
    "เมษายน",
    "พฤษภาคม",
    "มิถุนายน",
    "กรกฎาคม",
    "สิงหาคม",
    "กันยายน",
    "ตุลาคม",
    "พฤศจิกายน",
    "ธันวาคม",
]
_HINDI = ["जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"]
_MONTHS = {
    **dict(zip(_THAI, _ENGLISH, strict=True)),
    **dict(zip(_HINDI, _ENGLISH, strict=True)),
    "फरवरी": "february",
    "सितम्बर": "september",
    "अक्तूबर": "october",
    "नवम्बर": "november",
    "दिसम्बर": "december",
    "كانون الثاني": "january",
    "تشرين الأول": "october",
    "تشرين الثاني": "november",
    "كانون الأول": "december",
}
_MONTH = pattern("|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True)))
_BUDDHIST_YEAR = pattern(r"(?<!\d)2[45]\d\d(?!\d)")
_BUDDHA = 543  # years before the first of ours


def in_common_words(text: str) -> str:
    """The text with its eras, months and halves of the day as the grammar of dates knows them."""
    if found := _MONTH.search(text):
        text = text.replace(found[0], f" {_MONTHS[found[0]]} ", 1)
        if found[0] in _THAI:
            text = _BUDDHIST_YEAR.sub(lambda year: str(int(year[0]) - _BUDDHA), text.replace("พ.ศ.", " "))
    text = _HALF.sub(lambda half: f"{half[2]} {'am' if half[1] in _MORNINGS else 'pm'}", text)
    return _YEAR_OF_ERA.sub(_common_year, text)


def _common_year(found: re.Match[str]) -> str:
    return f"{_ERAS[found[1]] + (1 if found[2] == '元' else int(found[2]))}年"
