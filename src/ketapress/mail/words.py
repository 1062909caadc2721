"""The phrases of a letter, by language. A language gets its own by one more row."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the letter itself says, in one language. `{…}` are filled in by `render`."""

    in_this_issue: str
    continue_reading: str
    more: str
    all_online: str
    web_version: str
    this_is_web: str
    because: str
    preferences: str
    unsubscribe: str
    picture: str
    video: str
    sound: str
    links: str
    footnote: str


_ENGLISH = Words(
    in_this_issue="In this issue",
    continue_reading="Continue reading",
    more="And {count} more online",
    all_online="Read the whole issue online",
    web_version="Web version",
    this_is_web="This is the web version of an issue of {newsletter}.",
    because="You get this letter because {address} is subscribed to {newsletter}.",
    preferences="Preferences",
    unsubscribe="Unsubscribe",
    picture="Picture",
    video="Video",
    sound="Sound",
    links="Links",
    footnote="Note",
)
_ARABIC = Words(
    in_this_issue="في هذا العدد",
    continue_reading="تابع القراءة",
    more="المزيد على الموقع ({count})",
    all_online="اقرأ العدد كاملاً على الموقع",
    web_version="نسخة الويب",
    this_is_web="هذه نسخة الويب من أحد أعداد {newsletter}.",
    because="تصلك هذه الرسالة لأن {address} مشترك في {newsletter}.",
    preferences="التفضيلات",
    unsubscribe="إلغاء الاشتراك",
    picture="صورة",
    video="مقطع مرئي",
    sound="مقطع صوتي",
    links="روابط",
    footnote="حاشية",
)
LANGUAGES = {"en": _ENGLISH, "ar": _ARABIC}
"""By the primary subtag of a BCP 47 tag."""


def words(language: str) -> Words:
    """The phrases of a language; English where it has none."""
    return LANGUAGES.get(language.partition("-")[0].lower(), _ENGLISH)
