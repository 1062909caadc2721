"""In which language a text is written, where its letters contradict the site's language.

In comes text and the site's language, out goes a language tag and a direction, or None for both: then nothing
contradicts, and the post speaks as its site does. A post of Arabic letters on an English site is no English; a post in
French may well be, as far as its letters go. More than half of the text has to be in other letters, so that a
quotation does not change a post's language. Why these rules: docs/notes/languages-of-posts.md.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import repeat

from ketapress.model.language import LANGUAGES, direction, script
from ketapress.model.lazy_regex import pattern

_LOOK_AT = 1_000  # characters tell what the rest is in
_GLANCE = 300  # and so few, where it is what is expected
_NO_WORDS = pattern(
    r"```.*?```|~~~.*?~~~|`[^`\n]*`|<pre.*?</pre>|<code.*?</code>|<[^<>]*>|\]\([^()\n]*\)|https?://[^\s<>]+",
    re.DOTALL,
)  # code, tags, addresses
_NOT_LATIN = "\u0370-\u1c8f\u1cd0-\u1cff\u2c00-\u2c5f\u2d00-\u2dff\u2e80-\ua4ff\ua840-\uab2f\uabc0-\ufaff\ufb13-\ufdff\ufe70-\ufefc\uff66-\uffdc"
_OTHER_LETTER = pattern(f"[{_NOT_LATIN}]")

_LETTERS = {
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
"""The letters of each script, as ranges of a pattern's set; of Japanese those that Chinese has not."""
_RANGES = sorted(
    (start, end, script)
    for script, ranges in _LETTERS.items()
    for start, end in re.findall("(.)-(.)", ranges)
)
_STARTS = [start for start, _, _ in _RANGES]

# Letters that only one of the languages has, in the order in which they decide: Kurdish has Persian ones, too
_TELLING = {
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
_FEWEST_OTHERS = 3  # letters; fewer are a sign in a formula
_TELLING_SHARE = 100  # one letter of so many; names from elsewhere bring fewer
_LETTERS_OF_AN_IDEOGRAPH = 2.5  # a word of two says what one of five letters says
_KANA_SHARE = 10  # one letter of so many is kana in any Japanese text
_TRADITIONAL = "這個們來時說對會為國學後發點過還進麼沒樣與關電"
_SIMPLIFIED = "这个们来时说对会为国学后发点过还进么没样与关电"
_ENGLISH = pattern(r"\b(?:the|and|of|to|in|is|for|with|that|on)\b", re.IGNORECASE)
_ENGLISH_SHARE = 40  # letters, in which one of those ten words comes in nearly any English text


def contradiction(title: str, body: str, site_language: str) -> tuple[str | None, str | None]:
    """The language and the direction of a post, where its letters are not those of the site's language."""
    expected = script(site_language)
    head = f"{title}\n{body[:_LOOK_AT]}"
    if _is_clearly(expected, head):
        return None, None
    seen = Counter(_NO_WORDS.sub(" ", head))
    weights = _weights(seen)
    found = max(weights, key=lambda each: weights[each], default=expected)
    if found == expected or weights[found] * 2 <= sum(weights.values()):
        return None, None
    language = _language(found, head, seen, weights[found])
    return language, direction(language or "en")


def _is_clearly(expected: str, text: str) -> bool:
    """Whether a quick look shows that a text is in the expected script, as nearly all are."""
    if expected == "latn":
        return text.isascii() or len(_OTHER_LETTER.findall(text)) < _FEWEST_OTHERS
    glance = text[:_GLANCE]
    return sum(map(len, _runs(expected).findall(glance))) * 2 > len(glance)


@lru_cache(maxsize=64)
def _runs(name: str) -> re.Pattern[str]:
    return pattern(f"[{_LETTERS[name]}]+")


def _weights(seen: Mapping[str, int]) -> dict[str, float]:
    """How much of the text is in each script: letters, of which an ideograph counts for several."""
    found: Counter[str] = Counter()
    for letter, count in seen.items():
        if name := _script(letter):
            found[name] += count
    kana, han = found.pop("jpan", 0), found.pop("hani", 0)
    name = "jpan" if kana * _KANA_SHARE > kana + han else "hani"
    return found | {name: (kana + han) * _LETTERS_OF_AN_IDEOGRAPH}


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """The script of a character; empty where it is no letter, or of a script that is not known here."""
    at = bisect_right(_STARTS, letter) - 1
    return _RANGES[at][2] if at >= 0 and letter <= _RANGES[at][1] else ""


def _language(written_in: str, text: str, seen: Mapping[str, int], letters: float) -> str | None:
    """The language of a text in that script; None where several have it and no letter tells."""
    if written_in == "latn":
        return "en" if len(_ENGLISH.findall(text)) * _ENGLISH_SHARE > letters else None
    if written_in == "hani":
        traditional, simplified = (sum(map(text.count, each)) for each in (_TRADITIONAL, _SIMPLIFIED))
        return "zh" if traditional == simplified else "zh-Hant" if traditional > simplified else "zh-Hans"
    if written_in not in _TELLING:
        return LANGUAGES[written_in].partition(" ")[0]
    shares = (
        (sum(map(seen.get, telling, repeat(0))), language)
        for language, telling in _TELLING[written_in].items()
    )
    return next((language for found, language in shares if found * _TELLING_SHARE > letters), None)
