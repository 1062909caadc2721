"""Detect the language of a post whose script is not that of the site's language.

A post in Arabic letters on an English site is not in English. A post in French may be in English, as far as its letters
tell: then the site's language is assumed. More than half of the text has to be in another script, so that a quotation does
not change the language of a post. Why these rules: docs/notes/language-detection.md.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import repeat

from ketapress.model.language import LANGUAGES_BY_SCRIPT, script_code, text_direction

_SAMPLE_LENGTH = 1_000  # characters
_SHORT_SAMPLE_LENGTH = 300  # characters; enough to confirm the script of the site's language
_NON_WORDS = re.compile(
    r"```.*?```|~~~.*?~~~|`[^`\n]*`|<pre.*?</pre>|<code.*?</code>|<[^<>]*>|\]\([^()\n]*\)|https?://[^\s<>]+",
    re.DOTALL,
)  # code, tags, addresses
_NON_LATIN = "\u0370-\u1c8f\u1cd0-\u1cff\u2c00-\u2c5f\u2d00-\u2dff\u2e80-\ua4ff\ua840-\uab2f\uabc0-\ufaff\ufb13-\ufdff\ufe70-\ufefc\uff66-\uffdc"
_NON_LATIN_LETTER = re.compile(f"[{_NON_LATIN}]")

_SCRIPT_LETTERS = {
    "latn": "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "arab": "\u0620-\u064a\u066e-\u06d3\u06d5\u06ee-\u06ef\u06fa-\u06ff\u0750-\u077f\u08a0-\u08c9\ufb50-\ufdff\ufe70-\ufefc",
    "hebr": "\u05d0-\u05f2\ufb1d-\ufb4f",
    "syrc": "\u0710-\u074f",
    "thaa": "\u0780-\u07b1",
    "nkoo": "\u07c0-\u07ea",
    "cyrl": "\u0400-\u052f",
    "grek": "\u0370-\u03ff\u1f00-\u1fff",
    "armn": "\u0531-\u0587",
    "geor": "\u10a0-\u10ff",
    "ethi": "\u1200-\u137f",
    "deva": "\u0900-\u0963\u0971-\u097f",
    "beng": "\u0980-\u09ff",
    "guru": "\u0a00-\u0a7f",
    "gujr": "\u0a80-\u0aff",
    "taml": "\u0b80-\u0bff",
    "telu": "\u0c00-\u0c7f",
    "knda": "\u0c80-\u0cff",
    "mlym": "\u0d00-\u0d7f",
    "sinh": "\u0d80-\u0dff",
    "thai": "\u0e00-\u0e4e",
    "laoo": "\u0e80-\u0ece",
    "tibt": "\u0f40-\u0fbc",
    "mymr": "\u1000-\u104f",
    "khmr": "\u1780-\u17d3",
    "hang": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3",
    "jpan": "\u3041-\u30ff\uff66-\uff9d",
    "hani": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",
}
"""The letters of each script as ranges in a character set; those of Japanese are without the ones of Chinese."""
_SCRIPT_RANGES = sorted(
    (start, end, script)
    for script, ranges in _SCRIPT_LETTERS.items()
    for start, end in re.findall("(.)-(.)", ranges)
)
_RANGE_STARTS = [start for start, _, _ in _SCRIPT_RANGES]

# Letters that only one language of a script has. Earlier languages decide first, because Kurdish has Persian letters, too
_DISTINCTIVE_LETTERS = {
    "arab": {
        "ps": "ټډړږښګڼۍې",
        "ug": "ېۈۋۇ",
        "ckb": "ەڕڵێۆ",
        "ur": "ٹڈڑںےہھ",
        "fa": "پچژگیک",
        "ar": "ةىيكأإ",
    },
    "cyrl": {
        "be": "ўЎ",
        "kk": "қңғұәҚҢҒҰӘ",
        "mn": "өүӨҮ",
        "uk": "їєґіЇЄҐІ",
        "mk": "ѓќѕЃЌЅ",
        "sr": "ђћјЂЋЈ",
        "ru": "ыэёЫЭЁ",
        "bg": "ъЪ",
    },
    "deva": {"mr": "ळ", "hi": "हैंकेमें"},
    "beng": {"as": "ৰৱ", "bn": "র"},
}
_MIN_NON_LATIN_LETTERS = 3  # fewer are symbols in formulas
_DISTINCTIVE_SHARE = 100  # one letter in so many; names from other languages have fewer
_IDEOGRAPH_WEIGHT = 2.5  # letters; a word of two ideographs is as long as one of five letters
_KANA_SHARE = 10  # one letter in so many is kana in any Japanese text
_TRADITIONAL_CHARACTERS = "這個們來時說對會為國學後發點過還進麼沒樣與關電"
_SIMPLIFIED_CHARACTERS = "这个们来时说对会为国学后发点过还进么没样与关电"
_ENGLISH_WORD = re.compile(r"\b(?:the|and|of|to|in|is|for|with|that|on)\b", re.IGNORECASE)
_ENGLISH_SHARE = 40  # one of those words occurs in so many letters of almost any English text


def detect_language(title: str, body: str, site_language: str) -> tuple[str | None, str | None]:
    """Return the language tag and direction of a post; None for both if its script is that of the site's language."""
    expected_script = script_code(site_language)
    sample = f"{title}\n{body[:_SAMPLE_LENGTH]}"
    if _is_mostly_in_script(expected_script, sample):
        return None, None
    letter_counts = Counter(_NON_WORDS.sub(" ", sample))
    weights = _weigh_scripts(letter_counts)
    main_script = max(weights, key=lambda name: weights[name], default=expected_script)
    if main_script == expected_script or weights[main_script] * 2 <= sum(weights.values()):
        return None, None
    language = _detect_language_of_script(main_script, sample, letter_counts, weights[main_script])
    return language, text_direction(language or "en")


def _is_mostly_in_script(expected_script: str, text: str) -> bool:
    """Whether a sample is clearly in the expected script, as those of most posts are."""
    if expected_script == "latn":
        return text.isascii() or len(_NON_LATIN_LETTER.findall(text)) < _MIN_NON_LATIN_LETTERS
    sample = text[:_SHORT_SAMPLE_LENGTH]
    return sum(map(len, _letters_pattern(expected_script).findall(sample))) * 2 > len(sample)


@lru_cache(maxsize=64)
def _letters_pattern(script_name: str) -> re.Pattern[str]:
    return re.compile(f"[{_SCRIPT_LETTERS[script_name]}]+")


def _weigh_scripts(letter_counts: Mapping[str, int]) -> dict[str, float]:
    """Return how much of the text is in each script, in letters; an ideograph counts for several."""
    weights: Counter[str] = Counter()
    for letter, count in letter_counts.items():
        if script_name := _find_script(letter):
            weights[script_name] += count
    kana, han = weights.pop("jpan", 0), weights.pop("hani", 0)
    script_name = "jpan" if kana * _KANA_SHARE > kana + han else "hani"
    return weights | {script_name: (kana + han) * _IDEOGRAPH_WEIGHT}


@lru_cache(maxsize=4096)
def _find_script(letter: str) -> str:
    """Return the script of a letter; an empty string for other characters and unknown scripts."""
    index = bisect_right(_RANGE_STARTS, letter) - 1
    return _SCRIPT_RANGES[index][2] if index >= 0 and letter <= _SCRIPT_RANGES[index][1] else ""


def _detect_language_of_script(
    script_name: str, text: str, letter_counts: Mapping[str, int], letter_weight: float
) -> str | None:
    """Return the language of a text in a script; None if several languages have it, and no letter tells which."""
    if script_name == "latn":
        return "en" if len(_ENGLISH_WORD.findall(text)) * _ENGLISH_SHARE > letter_weight else None
    if script_name == "hani":
        traditional = sum(map(text.count, _TRADITIONAL_CHARACTERS))
        simplified = sum(map(text.count, _SIMPLIFIED_CHARACTERS))
        return "zh" if traditional == simplified else "zh-Hant" if traditional > simplified else "zh-Hans"
    if script_name not in _DISTINCTIVE_LETTERS:
        return LANGUAGES_BY_SCRIPT[script_name].partition(" ")[0]
    for language, distinctive_letters in _DISTINCTIVE_LETTERS[script_name].items():
        if sum(map(letter_counts.get, distinctive_letters, repeat(0))) * _DISTINCTIVE_SHARE > letter_weight:
            return language
    return None
