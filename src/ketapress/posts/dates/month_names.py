"""Names of months and weekdays in many languages, and the filler words around dates.

A name may be shortened to any prefix that no other name of its language has: at least three letters for a month, two
for a weekday. Weekdays begin on Monday.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

_IGNORED_CHARACTERS = str.maketrans("", "", "'’ʼ׳״\u200d\u200e\u200f\u0640")


def fold_text(text: str) -> str:
    """Return the text for comparison: in lower case, without accents, apostrophes and joiners."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in letters if not unicodedata.combining(char)).translate(_IGNORED_CHARACTERS)


FILLER_WORDS = frozenset(
    fold_text(
        """
        published posted updated written created date last on at of the
        veröffentlicht aktualisiert geschrieben datum am den dem der vom um uhr
        publié posté écrit mis à jour le du er heures h
        publicado publicada actualizado escrito fecha el de del la las o
        atualizado em feira pubblicato aggiornato scritto data il di alle ore gepubliceerd geplaatst op om
        publicerad kl på udgivet julkaistu klo dnia opublikowano r dne yayın közzétéve data publicat
        опубликовано дата г года году в от оновлено рік року δημοσιεύτηκε στις
        نشر نشرت تاريخ في بتاريخ يوم م منتشر شده تاریخ در פורסם בתאריך ב יום
        发布于 发布 發佈於 發佈 日期 公開日 投稿日 更新日 게시일 작성일 ngày năm
        """
    ).split()
)
"""Words that may stand around a date without changing it."""


class CalendarNames(NamedTuple):
    """The names of one language, in lower case. The `extra` ones are not shortened and have their number."""

    months: tuple[str, ...]
    weekdays: tuple[str, ...]
    extra_months: Mapping[str, int]
    extra_weekdays: Mapping[str, int]


def _calendar_names(
    months: str, weekdays: str, extra_months: str = "", extra_weekdays: str = ""
) -> CalendarNames:
    return CalendarNames(
        tuple(months.split()),
        tuple(weekdays.split()),
        _parse_numbers(extra_months),
        _parse_numbers(extra_weekdays),
    )


def _parse_numbers(pairs: str) -> dict[str, int]:
    return {word: int(number) for word, number in (pair.split("=") for pair in pairs.split())}


CALENDAR_NAMES: Mapping[str, CalendarNames] = {
    "en": _calendar_names(
        "january february march april may june july august september october november december",
        "monday tuesday wednesday thursday friday saturday sunday",
    ),
    "de": _calendar_names(
        "januar februar märz april mai juni juli august september oktober november dezember",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "jänner=1 feber=2 maerz=3 mrz=3",
        "sonnabend=5",
    ),
    "fr": _calendar_names(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
    ),
    "es": _calendar_names(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "lunes martes miércoles jueves viernes sábado domingo",
        "setiembre=9",
    ),
    "pt": _calendar_names(
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "segunda terça quarta quinta sexta sábado domingo",
    ),
    "it": _calendar_names(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    ),
    "ro": _calendar_names(
        "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
        "luni marți miercuri joi vineri sâmbătă duminică",
        "nov=11",
    ),
    "nl": _calendar_names(
        "januari februari maart april mei juni juli augustus september oktober november december",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "mrt=3",
    ),
    "sv": _calendar_names(
        "januari februari mars april maj juni juli augusti september oktober november december",
        "måndag tisdag onsdag torsdag fredag lördag söndag",
    ),
    "da": _calendar_names(
        "januar februar marts april maj juni juli august september oktober november december",
        "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    ),
    "nb": _calendar_names(
        "januar februar mars april mai juni juli august september oktober november desember",
        "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    ),
    "fi": _calendar_names(
        "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta"
        " syyskuuta lokakuuta marraskuuta joulukuuta",
        "maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai",
        extra_weekdays="maanantaina=0 tiistaina=1 keskiviikkona=2 torstaina=3 perjantaina=4 lauantaina=5 sunnuntaina=6",
    ),
    "hu": _calendar_names(
        "január február március április május június július augusztus szeptember október november december",
        "hétfő kedd szerda csütörtök péntek szombat vasárnap",
    ),
    "pl": _calendar_names(
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "poniedziałek wtorek środa czwartek piątek sobota niedziela",
        extra_weekdays="pt=4",
    ),
    "cs": _calendar_names(
        "ledna února března dubna května června července srpna září října listopadu prosince",
        "pondělí úterý středa čtvrtek pátek sobota neděle",
        "čvn=6 čvc=7",
    ),
    "ru": _calendar_names(
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "понедельник вторник среда четверг пятница суббота воскресенье",
        "январь=1 февраль=2 март=3 апрель=4 май=5 июнь=6 июль=7 август=8 сентябрь=9 октябрь=10 ноябрь=11 декабрь=12",
        "пн=0 вт=1 ср=2 чт=3 пт=4 сб=5 вс=6",
    ),
    "uk": _calendar_names(
        "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
        "понеділок вівторок середа четвер п'ятниця субота неділя",
        extra_weekdays="пн=0 вт=1 ср=2 чт=3 пт=4 сб=5 нд=6",
    ),
    "el": _calendar_names(
        "ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου"
        " νοεμβρίου δεκεμβρίου",
        "δευτέρα τρίτη τετάρτη πέμπτη παρασκευή σάββατο κυριακή",
    ),
    "tr": _calendar_names(
        "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
        "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
        extra_weekdays="pzt=0 cum=4 cmt=5 paz=6",
    ),
    "id": _calendar_names(
        "januari februari maret april mei juni juli agustus september oktober november desember",
        "senin selasa rabu kamis jumat sabtu minggu",
    ),
    "ar": _calendar_names(
        "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
        "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
        "يونيه=6 يوليه=7 شباط=2 آذار=3 نيسان=4 أيار=5 حزيران=6 تموز=7 آب=8 أيلول=9 جانفي=1 فيفري=2 أفريل=4 ماي=5"
        " جوان=6 جويلية=7 أوت=8",
    ),
    "fa": _calendar_names(
        "ژانویه فوریه مارس آوریل مه ژوئن ژوئیه اوت سپتامبر اکتبر نوامبر دسامبر",
        "دوشنبه سه‌شنبه چهارشنبه پنجشنبه جمعه شنبه یکشنبه",
        "می=5 جولای=7 آگوست=8",
    ),
    "he": _calendar_names(
        "ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר",
        "שני שלישי רביעי חמישי שישי שבת ראשון",
        "בינואר=1 בפברואר=2 במרץ=3 באפריל=4 במאי=5 ביוני=6 ביולי=7 באוגוסט=8 בספטמבר=9 באוקטובר=10 בנובמבר=11 בדצמבר=12",
    ),
}


SOLAR_HIJRI_MONTHS = frozenset(
    fold_text(
        """
        فروردین اردیبهشت خرداد تیر مرداد شهریور مهر آبان آذر دی بهمن اسفند
        farvardin ordibehesht khordad tir mordad shahrivar mehr aban azar dey bahman esfand
        """
    ).split()
)
"""The months of the Solar Hijri calendar, which are recognized and rejected."""


class Vocabulary(NamedTuple):
    """The folded names of one language with all short forms: months count from 1, weekdays from 0."""

    months: Mapping[str, int]
    weekdays: Mapping[str, int]


@cache
def build_vocabulary(language: str) -> Vocabulary:
    """Return all words of a language that name a month or a weekday."""
    names = CALENDAR_NAMES[language]
    months = _number_prefixes(names.months, 3, first_number=1) | {
        fold_text(name): number for name, number in names.extra_months.items()
    }
    weekdays = _number_prefixes(names.weekdays, 2, first_number=0) | {
        fold_text(name): number for name, number in names.extra_weekdays.items()
    }
    return Vocabulary(months, weekdays)


def _number_prefixes(names: tuple[str, ...], min_length: int, *, first_number: int) -> dict[str, int]:
    """Map each name, and each prefix that it does not share with another name, to its number."""
    numbers: dict[str, int] = {}
    ambiguous = set()
    for number, name in enumerate(map(fold_text, names), first_number):
        for end in range(min_length, len(name)):
            prefix = name[:end]
            if numbers.setdefault(prefix, number) != number:
                ambiguous.add(prefix)
    unique = {word: number for word, number in numbers.items() if word not in ambiguous}
    return unique | {fold_text(name): number for number, name in enumerate(names, first_number)}
