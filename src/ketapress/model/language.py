"""Languages by their BCP 47 tags, as far as pages, feeds and mail have to know them."""

_RTL_SCRIPTS = frozenset({"arab", "hebr", "thaa", "syrc", "nkoo", "adlm", "rohg"})
_RTL_LANGUAGES = frozenset({"ar", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "ug", "ur", "yi"})


def direction(tag: str) -> str:
    """`rtl` or `ltr`: by the script where the tag names one (`az-Arab`), else by the language (`ar-EG`)."""
    language, *subtags = tag.lower().replace("_", "-").split("-")
    script = next((subtag for subtag in subtags if len(subtag) == 4 and subtag.isalpha()), "")  # noqa: PLR2004 - RFC 5646, 2.2.3
    right_to_left = script in _RTL_SCRIPTS if script else language in _RTL_LANGUAGES
    return "rtl" if right_to_left else "ltr"
