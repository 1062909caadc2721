"""The phrases of the site's pages, by language. To add a language, add a row."""

from collections.abc import Mapping
from typing import NamedTuple

from ketapress.i18n.translation import find_translation


class SiteMessages(NamedTuple):
    """The phrases of the site in one language. Callers fill in the `{…}`; `feeds` are indexed by media type."""

    skip: str
    site: str
    articles: str
    newsletters: str
    subjects: str
    subscribe: str
    by: str
    minutes: str
    older: str
    newer: str
    other_articles: str
    by_year: str
    by_subject: str
    nothing_yet: str
    as_sent: str
    past_issues: str
    subject_feed: str
    invitation: str
    by_mail: str
    by_mail_is: str
    by_feed: str
    by_feed_is: str
    readers: str
    by_subject_is: str
    all_feeds: str
    all_feeds_is: str
    moved: str
    not_found: str
    not_found_is: str
    feeds: Mapping[str, str]


_RSS, _ATOM, _JSON = "application/rss+xml", "application/atom+xml", "application/feed+json"
_ENGLISH = SiteMessages(
    skip="Skip to the text",
    site="Site",
    articles="Articles",
    newsletters="Newsletters",
    subjects="Subjects",
    subscribe="Subscribe",
    by="By",
    minutes="{count} min read",
    older="Earlier",
    newer="Later",
    other_articles="Other articles",
    by_year="All articles by year",
    by_subject="All articles by subject",
    nothing_yet="Nothing has been published yet.",
    as_sent="Every edition as it was sent.",
    past_issues="Past editions",
    subject_feed="Follow only this subject",
    invitation="Get the next one by e-mail, or in a feed reader.",
    by_mail="By e-mail",
    by_mail_is="New articles arrive in your inbox. Every message has an unsubscribe link.",
    by_feed="In a feed reader",
    by_feed_is="A feed reader shows new articles as they appear: no account, no algorithm, no tracking. Copy one of "
    "these addresses into your reader; they all contain the same articles.",
    readers="No reader yet? These are free: {readers}.",
    by_subject_is="Every subject has its own page and feed.",
    all_feeds="All feeds in one file",
    all_feeds_is="An OPML file, which most readers can import: the whole site, and each subject on its own.",
    moved="This page has moved:",
    not_found="Page not found",
    not_found_is="The address may be misspelled, or the page may no longer exist. You can find almost everything here:",
    feeds={
        _RSS: "Every feed reader can read it. If in doubt, use this one.",
        _ATOM: "The same articles in a stricter format.",
        _JSON: "The same articles as JSON, for newer readers and for programs.",
    },
)
_ARABIC = SiteMessages(
    skip="انتقل إلى النص",
    site="الموقع",
    articles="المقالات",
    newsletters="النشرات",
    subjects="المواضيع",
    subscribe="اشترك",
    by="بقلم",
    minutes="مدة القراءة: {count} د",
    older="الأقدم",
    newer="الأحدث",
    other_articles="مقالات أخرى",
    by_year="كل المقالات حسب السنة",
    by_subject="كل المقالات حسب الموضوع",
    nothing_yet="لم يُنشر شيء بعد.",
    as_sent="كل الأعداد كما أُرسلت.",
    past_issues="الأعداد السابقة",
    subject_feed="تابع هذا الموضوع وحده",
    invitation="ليصلك المقال القادم بالبريد الإلكتروني أو في قارئ الخلاصات.",
    by_mail="بالبريد الإلكتروني",
    by_mail_is="تصل المقالات الجديدة إلى بريدك، وفي كل رسالة رابط ينهي الاشتراك.",
    by_feed="في قارئ الخلاصات",
    by_feed_is="يعرض قارئ الخلاصات المقالات الجديدة فور نشرها، دون وسيط: لا حساب ولا خوارزمية ولا تتبّع. انسخ أحد هذه "
    "العناوين إلى قارئك؛ ففيها كلها المقالات نفسها.",
    readers="ليس لديك قارئ بعد؟ هذه مجانية: {readers}.",
    by_subject_is="لكل موضوع صفحة وخلاصة خاصة به.",
    all_feeds="كل الخلاصات في ملف واحد",
    all_feeds_is="بصيغة OPML التي تستوردها معظم القارئات: الموقع كله، وكل موضوع على حدة.",
    moved="انتقلت هذه الصفحة إلى:",
    not_found="لا توجد صفحة بهذا العنوان",
    not_found_is="قد يكون في العنوان خطأ، أو أن الصفحة لم تعد موجودة. ستجد كل شيء تقريبًا هنا:",
    feeds={
        _RSS: "تقرؤها كل قارئات الخلاصات. إن لم تكن متأكدًا فاختر هذه.",
        _ATOM: "المقالات نفسها بصيغة أدق.",
        _JSON: "المقالات نفسها بصيغة JSON، للقارئات الأحدث وللبرامج.",
    },
)
_CHINESE = SiteMessages(
    skip="跳到正文",
    site="网站",
    articles="文章",
    newsletters="电子报",
    subjects="主题",
    subscribe="订阅",
    by="作者：",
    minutes="阅读约 {count} 分钟",
    older="较早",
    newer="较新",
    other_articles="其他文章",
    by_year="按年份浏览全部文章",
    by_subject="按主题浏览全部文章",
    nothing_yet="还没有发布任何文章。",
    as_sent="每一期的原貌。",
    past_issues="往期",
    subject_feed="只订阅这个主题",
    invitation="通过电子邮件或阅读器接收下一篇文章。",
    by_mail="通过电子邮件",
    by_mail_is="新文章会送到您的邮箱。每封信里都有退订链接。",
    by_feed="通过阅读器",
    by_feed_is="阅读器会在新文章发布时显示它们，中间没有任何人：没有账号，没有算法，没有追踪。把下面任意一个地址复制到您的阅读器中，内容完全相同。",
    readers="还没有阅读器？这些都是免费的：{readers}。",
    by_subject_is="每个主题都有自己的页面和订阅源。",
    all_feeds="一个文件包含所有订阅源",
    all_feeds_is="OPML 格式，大多数阅读器都能导入：整个网站，以及每个主题。",
    moved="此页面已移至：",
    not_found="没有这个页面",
    not_found_is="地址可能有误，或者页面已不存在。您可以从这里找到几乎所有内容：",
    feeds={
        _RSS: "所有阅读器都支持。不确定时请选这个。",
        _ATOM: "相同的文章，格式更严格。",
        _JSON: "相同的文章，JSON 格式，适合较新的阅读器和程序。",
    },
)
_FRENCH = SiteMessages(
    skip="Aller au texte",
    site="Site",
    articles="Articles",
    newsletters="Lettres",
    subjects="Sujets",
    subscribe="S’abonner",
    by="Par",
    minutes="{count} min de lecture",
    older="Précédent",
    newer="Suivant",
    other_articles="Autres articles",
    by_year="Tous les articles par année",
    by_subject="Tous les articles par sujet",
    nothing_yet="Rien n’a encore été publié.",
    as_sent="Chaque numéro tel qu’il a été envoyé.",
    past_issues="Anciens numéros",
    subject_feed="Suivre ce seul sujet",
    invitation="Recevez le prochain par courriel ou dans un lecteur de flux.",
    by_mail="Par courriel",
    by_mail_is="Les nouveaux articles arrivent dans votre boîte. Chaque lettre contient un lien pour y mettre fin.",
    by_feed="Dans un lecteur de flux",
    by_feed_is="Un lecteur de flux montre les nouveaux articles dès leur parution, sans intermédiaire : ni compte, ni "
    "algorithme, ni pistage. Copiez l’une de ces adresses dans le vôtre ; toutes contiennent les mêmes articles.",
    readers="Pas encore de lecteur ? Ceux-ci sont gratuits : {readers}.",
    by_subject_is="Chaque sujet a sa page et son propre flux.",
    all_feeds="Tous les flux dans un fichier",
    all_feeds_is="OPML, que la plupart des lecteurs importent : le site entier, et chaque sujet à part.",
    moved="Cette page a changé d’adresse :",
    not_found="Cette page n’existe pas",
    not_found_is="L’adresse contient peut-être une faute, ou la page a disparu. Presque tout se trouve ici :",
    feeds={
        _RSS: "Lu par tous les lecteurs. Dans le doute, prenez celui-ci.",
        _ATOM: "Les mêmes articles, dans un format plus strict.",
        _JSON: "Les mêmes articles en JSON, pour les lecteurs récents et les programmes.",
    },
)
_GERMAN = SiteMessages(
    skip="Zum Text springen",
    site="Seiten",
    articles="Artikel",
    newsletters="Newsletter",
    subjects="Themen",
    subscribe="Abonnieren",
    by="Von",
    minutes="{count} Min. Lesezeit",
    older="Davor",
    newer="Danach",
    other_articles="Weitere Artikel",
    by_year="Alle Artikel nach Jahr",
    by_subject="Alle Artikel nach Thema",
    nothing_yet="Noch ist nichts erschienen.",
    as_sent="Jede Ausgabe, wie sie verschickt wurde.",
    past_issues="Frühere Ausgaben",
    subject_feed="Nur dieses Thema abonnieren",
    invitation="Den nächsten Artikel per E-Mail oder im Feedreader bekommen.",
    by_mail="Per E-Mail",
    by_mail_is="Neue Artikel kommen in Ihr Postfach. Jeder Brief hat einen Link zum Abbestellen.",
    by_feed="Im Feedreader",
    by_feed_is="Ein Feedreader zeigt neue Artikel, sobald sie erscheinen, und niemand steht dazwischen: kein Konto, kein "
    "Algorithmus, keine Verfolgung. Kopieren Sie eine dieser Adressen hinein; alle enthalten dieselben Artikel.",
    readers="Noch kein Feedreader? Diese sind kostenlos: {readers}.",
    by_subject_is="Jedes Thema hat eine Seite und einen eigenen Feed.",
    all_feeds="Alle Feeds in einer Datei",
    all_feeds_is="OPML, das die meisten Feedreader einlesen: die ganze Seite und jedes Thema für sich.",
    moved="Diese Seite ist umgezogen:",
    not_found="Diese Seite gibt es nicht",
    not_found_is="Vielleicht ist die Adresse verschrieben, oder die Seite ist nicht mehr da. Fast alles steht hier:",
    feeds={
        _RSS: "Lesen alle Feedreader. Im Zweifel diesen.",
        _ATOM: "Dieselben Artikel in einem strengeren Format.",
        _JSON: "Dieselben Artikel als JSON, für neuere Feedreader und Programme.",
    },
)
_SPANISH = SiteMessages(
    skip="Ir al texto",
    site="Sitio",
    articles="Artículos",
    newsletters="Boletines",
    subjects="Temas",
    subscribe="Suscribirse",
    by="Por",
    minutes="{count} min de lectura",
    older="Anterior",
    newer="Siguiente",
    other_articles="Otros artículos",
    by_year="Todos los artículos por año",
    by_subject="Todos los artículos por tema",
    nothing_yet="Todavía no se ha publicado nada.",
    as_sent="Cada número tal como se envió.",
    past_issues="Números anteriores",
    subject_feed="Seguir solo este tema",
    invitation="Reciba el próximo por correo electrónico o en un lector de fuentes.",
    by_mail="Por correo electrónico",
    by_mail_is="Los artículos nuevos llegan a su buzón. Cada carta lleva un enlace para darse de baja.",
    by_feed="En un lector de fuentes",
    by_feed_is="Un lector de fuentes muestra los artículos nuevos en cuanto aparecen, sin intermediarios: ni cuenta, ni "
    "algoritmo, ni rastreo. Copie una de estas direcciones en el suyo; todas contienen los mismos artículos.",
    readers="¿Aún no tiene lector? Estos son gratuitos: {readers}.",
    by_subject_is="Cada tema tiene su página y su propia fuente.",
    all_feeds="Todas las fuentes en un archivo",
    all_feeds_is="OPML, que la mayoría de los lectores importa: el sitio entero y cada tema por separado.",
    moved="Esta página se ha mudado:",
    not_found="Esta página no existe",
    not_found_is="Puede que la dirección tenga una errata o que la página ya no esté. Casi todo se encuentra aquí:",
    feeds={
        _RSS: "La leen todos los lectores. En caso de duda, esta.",
        _ATOM: "Los mismos artículos en un formato más estricto.",
        _JSON: "Los mismos artículos en JSON, para lectores recientes y programas.",
    },
)
TRANSLATIONS = {"ar": _ARABIC, "de": _GERMAN, "en": _ENGLISH, "es": _SPANISH, "fr": _FRENCH, "zh": _CHINESE}
"""By the primary subtag of a BCP 47 tag."""


def site_messages(language: str) -> SiteMessages:
    """Return the phrases of a language; English where there are none."""
    return find_translation(TRANSLATIONS, language)
