"""The phrases of the pages behind links in mail, by language. To add a language, add a row."""

from typing import NamedTuple

from ketapress.i18n.translation import find_translation


class WebMessages(NamedTuple):
    """The phrases of these pages in one language. `subscription_pages` fills in `{newsletter}` and `{address}`."""

    language: str
    leave_title: str
    leave_text: str
    leave: str
    left_title: str
    left_text: str
    preferences_title: str
    preferences_text: str
    subscribed: str
    not_subscribed: str
    leave_all: str
    nothing: str
    broken_title: str
    broken_text: str
    lost_title: str
    lost_text: str
    busy_title: str
    busy_text: str
    home: str


_ENGLISH = WebMessages(
    language="en",
    leave_title="Unsubscribe?",
    leave_text="{address} will receive no more mail from {newsletter}.",
    leave="Unsubscribe",
    left_title="You are unsubscribed",
    left_text="You will receive no more mail from {newsletter}.",
    preferences_title="Your subscriptions",
    preferences_text="These are the newsletters that {address} is subscribed to.",
    subscribed="Subscribed",
    not_subscribed="Not subscribed",
    leave_all="Unsubscribe from all",
    nothing="This address has no subscriptions.",
    broken_title="This link does not work",
    broken_text="The link is incomplete, or it comes from a sample that was not sent to a subscriber. Use the whole link "
    "at the end of a message that you received, or reply to that message and we will do it for you.",
    lost_title="Page not found",
    lost_text="There is no page at this address.",
    busy_title="Please try again",
    busy_text="Something went wrong on our side, and nothing was changed. Please try again in a few minutes.",
    home="Go to the front page",
)
_ARABIC = WebMessages(
    language="ar",
    leave_title="إلغاء الاشتراك؟",
    leave_text="لن تصل إلى {address} أي رسائل أخرى من {newsletter}.",
    leave="إلغاء الاشتراك",
    left_title="تم إلغاء اشتراكك",
    left_text="لن تصلك أي رسائل أخرى من {newsletter}.",
    preferences_title="اشتراكاتك",
    preferences_text="هذه هي النشرات التي يشترك فيها {address}.",
    subscribed="مشترك",
    not_subscribed="غير مشترك",
    leave_all="إلغاء الاشتراك في الكل",
    nothing="هذا العنوان غير مشترك في أي نشرة.",
    broken_title="هذا الرابط لا يعمل",
    broken_text="الرابط غير مكتمل، أو هو من نموذج ولم يكن موجهاً إلى قارئ. استخدم الرابط الكامل في أسفل رسالة وصلتك، "
    "أو أجب عن الرسالة وسنقوم بذلك نيابة عنك.",
    lost_title="الصفحة غير موجودة",
    lost_text="لا يوجد شيء في هذا العنوان.",
    busy_title="يرجى المحاولة مرة أخرى",
    busy_text="حدث خلل لدينا الآن ولم يتغير شيء. حاول مرة أخرى بعد بضع دقائق.",
    home="إلى الصفحة الأولى",
)
_CHINESE = WebMessages(
    language="zh",
    leave_title="要退订吗？",
    leave_text="{address} 将不再收到 {newsletter} 的邮件。",
    leave="退订",
    left_title="您已退订",
    left_text="您将不再收到 {newsletter} 的邮件。",
    preferences_title="您的订阅",
    preferences_text="{address} 订阅了以下通讯。",
    subscribed="已订阅",
    not_subscribed="未订阅",
    leave_all="全部退订",
    nothing="此地址没有任何订阅。",
    broken_title="此链接无效",
    broken_text="链接不完整，或来自样本而并非发给读者。请使用您所收邮件底部的完整链接；您也可以直接回复邮件，由我们代为办理。",
    lost_title="找不到页面",
    lost_text="此地址没有内容。",
    busy_title="请再试一次",
    busy_text="我们这边刚才出了问题，没有任何改动。请过几分钟再试。",
    home="返回首页",
)
_FRENCH = WebMessages(
    language="fr",
    leave_title="Se désabonner ?",
    leave_text="{address} ne recevra plus de courrier de {newsletter}.",
    leave="Se désabonner",
    left_title="Vous êtes désabonné",
    left_text="Vous ne recevrez plus de courrier de {newsletter}.",
    preferences_title="Vos abonnements",
    preferences_text="Voici les lettres auxquelles {address} est abonné.",
    subscribed="Abonné",
    not_subscribed="Non abonné",
    leave_all="Se désabonner de tout",
    nothing="Cette adresse n’est abonnée à rien.",
    broken_title="Ce lien ne fonctionne pas",
    broken_text="Il est incomplet, ou il vient d’un spécimen qui n’était destiné à personne. Prenez le lien entier au pied "
    "d’une lettre reçue ; ou répondez à la lettre, et nous le ferons pour vous.",
    lost_title="Page introuvable",
    lost_text="Il n’y a rien à cette adresse.",
    busy_title="Veuillez réessayer",
    busy_text="Quelque chose n’a pas fonctionné chez nous, et rien n’a été changé. Réessayez dans quelques minutes.",
    home="Vers la page d’accueil",
)
_GERMAN = WebMessages(
    language="de",
    leave_title="Abbestellen?",
    leave_text="An {address} geht dann keine Post von {newsletter} mehr.",
    leave="Abbestellen",
    left_title="Sie sind abgemeldet",
    left_text="Sie bekommen keine Post von {newsletter} mehr.",
    preferences_title="Ihre Abonnements",
    preferences_text="Diese Rundbriefe hat {address} abonniert.",
    subscribed="Abonniert",
    not_subscribed="Nicht abonniert",
    leave_all="Alle abbestellen",
    nothing="Diese Adresse hat nichts abonniert.",
    broken_title="Dieser Verweis führt nirgendwohin",
    broken_text="Er ist unvollständig, oder er stammt aus einem Muster, das für niemanden gedacht war. Nehmen Sie den "
    "ganzen Verweis am Fuß eines Briefes, den Sie bekommen haben; oder antworten Sie auf den Brief, und wir erledigen es.",
    lost_title="Seite nicht gefunden",
    lost_text="Unter dieser Adresse gibt es nichts.",
    busy_title="Bitte noch einmal",
    busy_text="Bei uns ist gerade etwas schiefgegangen, und nichts wurde geändert. Versuchen Sie es in ein paar Minuten.",
    home="Zur Startseite",
)
_SPANISH = WebMessages(
    language="es",
    leave_title="¿Darse de baja?",
    leave_text="{address} no recibirá más correo de {newsletter}.",
    leave="Darse de baja",
    left_title="Se ha dado de baja",
    left_text="No recibirá más correo de {newsletter}.",
    preferences_title="Sus suscripciones",
    preferences_text="Estos son los boletines a los que {address} está suscrito.",
    subscribed="Suscrito",
    not_subscribed="No suscrito",
    leave_all="Darse de baja de todos",
    nothing="Esta dirección no está suscrita a nada.",
    broken_title="Este enlace no funciona",
    broken_text="No está completo, o es de una muestra que no era para ningún lector. Use el enlace entero al pie de una "
    "carta que haya recibido; o responda a la carta, y lo haremos por usted.",
    lost_title="Página no encontrada",
    lost_text="No hay nada en esta dirección.",
    busy_title="Inténtelo de nuevo",
    busy_text="Algo no ha funcionado aquí ahora mismo, y no se ha cambiado nada. Inténtelo dentro de unos minutos.",
    home="A la portada",
)
TRANSLATIONS = {
    messages.language: messages for messages in (_ARABIC, _CHINESE, _ENGLISH, _FRENCH, _GERMAN, _SPANISH)
}
"""By the primary subtag of a BCP 47 tag."""


def web_messages(language: str) -> WebMessages:
    """Return the phrases of a language; English where there are none."""
    return find_translation(TRANSLATIONS, language)
