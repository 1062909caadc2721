"""Posts without `lang`: their language is detected if their script is not that of the site's language."""

from pathlib import Path

import pytest

from ketapress.posts.text.script_language import detect_language
from support.factories import SITE, settings
from support.posts_folder import load_single_post

ENGLISH = "The letter is sent to the people on the list, and that is the end of it for this week."


@pytest.mark.parametrize(
    ("text", "lang", "direction"),
    [
        ("هذه رسالة قصيرة إلى القراء في المدينة القديمة.", "ar", "rtl"),
        ("این یک نامهٔ کوتاه برای خوانندگان ماست که می‌گوید چه گذشت.", "fa", "rtl"),
        ("یہ ہمارے پڑھنے والوں کے لیے ایک چھوٹا سا خط ہے۔", "ur", "rtl"),
        ("זה מכתב קצר לקוראים שלנו בעיר העתיקה.", "he", "rtl"),
        ("这是写给我们读者的一封短信，说说这个星期发生了什么。", "zh-Hans", "ltr"),
        ("這是寫給我們讀者的一封短信，說說這個星期發生了什麼。", "zh-Hant", "ltr"),
        ("これは読者のみなさんへの短い手紙です。今週の出来事を書きます。", "ja", "ltr"),
        ("우리 독자에게 보내는 짧은 편지입니다.", "ko", "ltr"),
        ("Это короткое письмо нашим читателям, мы пишем его вечером.", "ru", "ltr"),
        ("Це короткий лист нашим читачам, і ми пишемо його ввечері.", "uk", "ltr"),
        ("Това е кратко писмо до нашите читатели за външния свят.", "bg", "ltr"),
        ("Αυτό είναι ένα σύντομο γράμμα προς τους αναγνώστες μας.", "el", "ltr"),
        ("यह हमारे पाठकों के लिए एक छोटा पत्र है।", "hi", "ltr"),
        ("นี่คือจดหมายสั้น ๆ ถึงผู้อ่านของเรา", "th", "ltr"),
    ],
)
def test_letters_that_contradict_an_english_site(
    tmp_path: Path, text: str, lang: str, direction: str
) -> None:
    post = load_single_post(tmp_path, "2023-06-07-a-slug-in-latin-letters.md", text)
    assert (post.lang, post.dir) == (lang, direction)


@pytest.mark.parametrize(
    "text",
    [
        ENGLISH,
        "Une lettre brève à nos lecteurs, qui dit où nous étions cet été.",
        "The word is written مكتب and read from the right, and 电子邮件 means electronic mail to most people there.",
        "Let α and β and γ be angles of the triangle that we look at in this letter to the readers.",
        "12345 ☀ 🎉",
        "`это код` and a sentence around it that is English",
    ],
)
def test_what_contradicts_nothing_speaks_as_the_site_does(tmp_path: Path, text: str) -> None:
    post = load_single_post(tmp_path, "2023-06-07-x.md", text)
    assert (post.lang, post.dir) == (None, None)


@pytest.mark.parametrize(
    ("site", "text", "expected"),
    [
        ("ar", "هذه رسالة قصيرة إلى القراء.", (None, None)),
        ("fa", "هذه رسالة قصيرة إلى القراء.", (None, None)),
        ("ar", ENGLISH, ("en", "ltr")),
        ("he", "Un mensaje breve.", (None, "ltr")),
        ("zh-CN", "这是写给读者的一封信，里面有 Debian 和 Linux。", (None, None)),
        ("ja", "短い手紙です。", (None, None)),
        ("ja", ENGLISH, ("en", "ltr")),
        ("sr", "Ovo je pismo.", (None, "ltr")),
        ("sr-Latn", "Ovo je pismo.", (None, None)),
        ("uk", "Это письмо, и мы пишем его вечером.", (None, None)),
    ],
)
def test_sites_in_other_letters(site: str, text: str, expected: tuple[str | None, str | None]) -> None:
    assert detect_language("", text, site) == expected


def test_what_the_author_says_comes_first(tmp_path: Path) -> None:
    post = load_single_post(tmp_path, "2023-06-07-x.md", "---\nlang: en\n---\nهذه رسالة قصيرة إلى القراء.")
    assert (post.lang, post.dir) == ("en", "ltr")
    post = load_single_post(tmp_path, "2023-06-07-x.md", "---\ndir: ltr\n---\nهذه رسالة قصيرة إلى القراء.")
    assert (post.lang, post.dir) == ("ar", "ltr")


def test_on_a_site_of_the_same_letters_a_post_says_nothing(tmp_path: Path) -> None:
    arabic = settings(site=SITE._replace(language="ar"))
    post = load_single_post(tmp_path, "2023-06-07-x.md", "هذه رسالة قصيرة إلى القراء.", arabic)
    assert (post.lang, post.dir) == (None, None)
