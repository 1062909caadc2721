"""Normalize what word lists cannot hold: years of eras, month names of two words, AM and PM before the time.

The years of Japanese eras, of the Republic of China and of the Buddhist calendar are converted. Those of lunar
calendars are not certain, and the grammar rejects them.
"""

import re

_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "民國": 1911, "民国": 1911}
"""The Gregorian year before the first of the era."""
_YEAR_OF_ERA = re.compile(rf"({'|'.join(_ERAS)})\s*(\d{{1,3}}|元)\s*年")
_DAY_PERIOD = re.compile(r"(上午|오전|午前|下午|오후|午後)\s*(\d{1,2}:\d{2}(?::\d{2})?)")
_MORNING_NAMES = frozenset({"上午", "오전", "午前"})
_ENGLISH_MONTHS = [
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
_THAI_MONTHS = [
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
_HINDI_MONTHS = [
    "जनवरी",
    "फ़रवरी",
    "मार्च",
    "अप्रैल",
    "मई",
    "जून",
    "जुलाई",
    "अगस्त",
    "सितंबर",
    "अक्टूबर",
    "नवंबर",
    "दिसंबर",
]
_ENGLISH_BY_NAME = {
    **dict(zip(_THAI_MONTHS, _ENGLISH_MONTHS, strict=True)),
    **dict(zip(_HINDI_MONTHS, _ENGLISH_MONTHS, strict=True)),
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
_MONTH_NAME = re.compile("|".join(sorted(map(re.escape, _ENGLISH_BY_NAME), key=len, reverse=True)))
_BUDDHIST_YEAR = re.compile(r"(?<!\d)2[45]\d\d(?!\d)")
_BUDDHIST_OFFSET = 543  # years


def normalize_date(text: str) -> str:
    """Return the text with its era, month name and day period in the form that the grammar of dates reads."""
    if match := _MONTH_NAME.search(text):
        text = text.replace(match[0], f" {_ENGLISH_BY_NAME[match[0]]} ", 1)
        if match[0] in _THAI_MONTHS:
            text = _BUDDHIST_YEAR.sub(
                lambda year: str(int(year[0]) - _BUDDHIST_OFFSET), text.replace("พ.ศ.", " ")
            )
    text = _DAY_PERIOD.sub(
        lambda period: f"{period[2]} {'am' if period[1] in _MORNING_NAMES else 'pm'}", text
    )
    return _YEAR_OF_ERA.sub(_gregorian_year, text)


def _gregorian_year(match: re.Match[str]) -> str:
    return f"{_ERAS[match[1]] + (1 if match[2] == '元' else int(match[2]))}年"
