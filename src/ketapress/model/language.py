"""Script and text direction of a language, by its BCP 47 tag."""

from functools import lru_cache

_RTL_SCRIPTS = frozenset({"arab", "hebr", "thaa", "syrc", "nkoo", "adlm", "rohg"})
_SCRIPT_ALIASES = {"hans": "hani", "hant": "hani", "kore": "hang"}
LANGUAGES_BY_SCRIPT = {
    "arab": "ar arc ckb fa ks lrc mzn pnb ps sd ug ur",
    "armn": "hy",
    "beng": "bn as",
    "cyrl": "ru ab ba be bg ce cv kk ky mk mn os sah sr tg tt tyv udm uk",
    "deva": "hi bho brx doi kok mai mr ne sa",
    "ethi": "am ti",
    "geor": "ka",
    "grek": "el grc",
    "gujr": "gu",
    "guru": "pa",
    "hang": "ko",
    "hani": "zh lzh wuu yue",
    "hebr": "he iw yi",
    "jpan": "ja",
    "khmr": "km",
    "knda": "kn",
    "laoo": "lo",
    "mlym": "ml",
    "mymr": "my",
    "nkoo": "nqo",
    "sinh": "si",
    "syrc": "syr",
    "taml": "ta",
    "telu": "te",
    "thaa": "dv",
    "thai": "th",
    "tibt": "bo dz",
}
"""The languages of each script, the most common first; all others use Latin. Scripts are ISO 15924 codes in lower case."""
_DEFAULT_SCRIPTS = {
    language: script for script, languages in LANGUAGES_BY_SCRIPT.items() for language in languages.split()
}


@lru_cache(maxsize=64)
def script_code(tag: str) -> str:
    """Return the script of a language: the one in its tag (`az-Arab`), otherwise the language's usual script (`ar-EG`)."""
    language, *subtags = tag.lower().replace("_", "-").split("-")
    script_subtag = next((subtag for subtag in subtags if len(subtag) == 4 and subtag.isalpha()), "")  # noqa: PLR2004 - RFC 5646, 2.2.3
    return _SCRIPT_ALIASES.get(script_subtag, script_subtag) or _DEFAULT_SCRIPTS.get(language, "latn")


def text_direction(tag: str) -> str:
    """Return `rtl` or `ltr`, by the script."""
    return "rtl" if script_code(tag) in _RTL_SCRIPTS else "ltr"
