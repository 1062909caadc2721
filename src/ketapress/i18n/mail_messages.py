"""The phrases of digest messages, by language. To add a language, add a row."""

from typing import NamedTuple

from ketapress.i18n.translation import find_translation


class MailMessages(NamedTuple):
    """The phrases of a digest message in one language. `mail.render` fills in the `{…}`."""

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


_ENGLISH = MailMessages(
    in_this_issue="In this issue",
    continue_reading="Continue reading",
    more="And {count} more online",
    all_online="Read the whole issue online",
    web_version="Web version",
    this_is_web="This is the web version of an issue of {newsletter}.",
    because="You are receiving this e-mail because {address} is subscribed to {newsletter}.",
    preferences="Preferences",
    unsubscribe="Unsubscribe",
    picture="Picture",
    video="Video",
    sound="Sound",
    links="Links",
)
_ARABIC = MailMessages(
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
)
_CHINESE = MailMessages(
    in_this_issue="本期内容",
    continue_reading="继续阅读",
    more="网站上还有 {count} 篇",
    all_online="在线阅读本期全文",
    web_version="网页版",
    this_is_web="这是 {newsletter} 其中一期的网页版。",
    because="您收到这封信，是因为 {address} 订阅了 {newsletter}。",
    preferences="偏好设置",
    unsubscribe="退订",
    picture="图片",
    video="视频",
    sound="音频",
    links="链接",
)
_FRENCH = MailMessages(
    in_this_issue="Dans ce numéro",
    continue_reading="Lire la suite",
    more="Et {count} de plus en ligne",
    all_online="Lire tout le numéro en ligne",
    web_version="Version en ligne",
    this_is_web="Ceci est la version en ligne d’un numéro de {newsletter}.",
    because="Vous recevez cette lettre parce que {address} est abonné à {newsletter}.",
    preferences="Préférences",
    unsubscribe="Se désabonner",
    picture="Image",
    video="Vidéo",
    sound="Son",
    links="Liens",
)
_GERMAN = MailMessages(
    in_this_issue="In dieser Ausgabe",
    continue_reading="Weiterlesen",
    more="Und {count} mehr im Netz",
    all_online="Die ganze Ausgabe im Netz lesen",
    web_version="Webansicht",
    this_is_web="Dies ist die Webansicht einer Ausgabe von {newsletter}.",
    because="Dieser Brief kommt zu Ihnen, weil {address} {newsletter} abonniert hat.",
    preferences="Einstellungen",
    unsubscribe="Abbestellen",
    picture="Bild",
    video="Video",
    sound="Ton",
    links="Verweise",
)
_SPANISH = MailMessages(
    in_this_issue="En este número",
    continue_reading="Seguir leyendo",
    more="Y {count} más en línea",
    all_online="Leer el número completo en línea",
    web_version="Versión web",
    this_is_web="Esta es la versión web de un número de {newsletter}.",
    because="Recibe esta carta porque {address} está suscrito a {newsletter}.",
    preferences="Preferencias",
    unsubscribe="Darse de baja",
    picture="Imagen",
    video="Vídeo",
    sound="Audio",
    links="Enlaces",
)
TRANSLATIONS = {"ar": _ARABIC, "de": _GERMAN, "en": _ENGLISH, "es": _SPANISH, "fr": _FRENCH, "zh": _CHINESE}
"""By the primary subtag of a BCP 47 tag."""


def mail_messages(language: str) -> MailMessages:
    """Return the phrases of a language; English where there are none."""
    return find_translation(TRANSLATIONS, language)
