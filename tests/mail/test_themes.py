"""The three themes: golden files, and no problems in any script, length or image."""

import json
import re
from pathlib import Path

import pytest

from ketapress.mail.digest import build_digest, build_sample_message
from ketapress.mail.lint.run import message_problems
from ketapress.mail.theme import font_stacks
from ketapress.model.edition import Display
from ketapress.settings.converters import CONVERTERS
from ketapress.templates.environment import Templates
from support.factories import REPOSITORY, WEEKLY, edition, post
from support.golden import assert_golden
from support.sample_posts import (
    ARABIC,
    LANGUAGES,
    SETTINGS,
    SHAPES,
    THEMES,
    arabic_post,
    build_sample_digest,
    edition_with_display,
    rich_post,
    seed_post,
)

GOLDEN_FOLDER = Path(__file__).parent / "golden"
LOGO_SETTINGS = SETTINGS._replace(site=SETTINGS.site._replace(logo="https://example.org/logo.png"))


@pytest.mark.parametrize("theme", ["bulletin", "letter"])
def test_the_seed_becomes_the_parts_that_were_looked_at(theme: str) -> None:
    theme_digest = build_sample_digest(edition(seed_post()), newsletter=WEEKLY._replace(theme=theme))

    assert_golden(GOLDEN_FOLDER / theme / "digest.html", theme_digest.html.encode())
    assert_golden(GOLDEN_FOLDER / theme / "digest.txt", theme_digest.text.encode())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_is_sound_in_every_script_and_shape(theme: str, language: str, shape: str) -> None:
    make_post, site_settings = LANGUAGES[language]
    shaped_edition, newsletter = SHAPES[shape](make_post), WEEKLY._replace(theme=theme)
    digest = build_sample_digest(shaped_edition, site_settings, newsletter, "A subject")

    problems = message_problems(
        shaped_edition,
        digest,
        build_sample_message(digest.message_template, site_settings, newsletter, shaped_edition.slot),
        newsletter.max_bytes,
    )

    assert problems == ()


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_shows_the_logo_once_and_one_name(theme: str) -> None:
    page = build_sample_digest(edition(seed_post()), LOGO_SETTINGS, WEEKLY._replace(theme=theme)).html

    assert page.count('src="https://example.org/logo.png"') == 1
    assert page.count("<h1") == 1


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_has_a_page_of_the_archive_without_a_reader(theme: str) -> None:
    excerpt_edition = edition_with_display(rich_post, Display.EXCERPT, 3)
    web_html = build_sample_digest(excerpt_edition, newsletter=WEEKLY._replace(theme=theme)).web_html

    assert "unsubscribe" not in web_html.lower()
    assert ">More</a>" in web_html


def test_the_themes_that_settings_name_are_the_templates_that_there_are() -> None:
    folder = REPOSITORY / "templates" / "mail"
    templates = {path.stem for path in folder.glob("*.html")} - {"digest"}

    assert templates == set(THEMES)
    for theme in THEMES:
        assert CONVERTERS["theme"](theme) == theme
    with pytest.raises(ValueError, match="magazine"):
        CONVERTERS["theme"]("tabloid")


def test_a_template_of_its_name_takes_the_place_of_a_theme(tmp_path: Path) -> None:
    template = tmp_path / "templates" / "mail" / "letter.html"
    template.parent.mkdir(parents=True)
    template.write_text(
        '{% extends "mail/digest.html" %}{% block masthead %}<tr><td><h1>Mine</h1></td></tr>{% endblock %}'
    )

    theme_digest = build_digest(
        edition(), SETTINGS, WEEKLY._replace(theme="letter"), "x", Templates(tmp_path)
    )

    assert ">Mine</h1>" in theme_digest.html
    assert 'data-unsubscribe=""' in theme_digest.html


def test_a_phone_is_never_shown_larger_titles_than_a_desk() -> None:
    for theme in THEMES:
        page = build_sample_digest(edition(seed_post()), newsletter=WEEKLY._replace(theme=theme)).html
        desktop_sizes = {
            name: int(size)
            for name, size in re.findall(r'class="(?:title )?(name|first)"[^>]*font-size:(\d+)px', page)
        }
        phone_sizes = {
            name: int(size)
            for name, size in re.findall(r"\.(name|first) { font-size: (\d+)px !important", page)
        }
        assert desktop_sizes.keys() == {"name", "first"}, json.dumps(desktop_sizes)
        assert all(phone_sizes.get(name, 0) <= size for name, size in desktop_sizes.items())


def test_the_face_of_latin_text_is_a_choice_and_other_scripts_have_their_own() -> None:
    assert font_stacks("en", "serif")["text"].startswith("Georgia")
    assert font_stacks("de-CH", "sans")["text"].startswith("Helvetica")
    assert font_stacks("ar", "serif") == font_stacks("ar", "sans")
    assert font_stacks("zh-Hant", "serif")["text"].startswith("PingFang")
    assert all(
        font_stacks("ja", "serif")[style].endswith(("serif", "monospace"))
        for style in ("text", "sans", "mono")
    )
    assert [font_stacks(language, "serif")["slant"] for language in ("en", "ar", "zh")] == [
        "italic",
        "normal",
        "normal",
    ]


@pytest.mark.parametrize("theme", THEMES)
def test_a_logo_of_any_shape_is_drawn_in_its_own(theme: str) -> None:
    page = build_sample_digest(edition(seed_post()), LOGO_SETTINGS, WEEKLY._replace(theme=theme)).html
    style = re.search(r'<img class="logo"[^>]*style="([^"]*)"', page)

    assert style
    assert "width:auto; height:auto; max-width:" in style[1]
    assert "max-height:" in style[1]


def test_a_date_keeps_the_direction_of_its_letter_beside_a_post_of_another() -> None:
    page = build_sample_digest(edition(arabic_post(), post(lang="en", authors=("ليلى",))), ARABIC).html
    english_post = page[page.index('id="p2"') :]

    assert '<span dir="rtl">7 يونيو 2023</span> · <span dir="auto">ليلى</span>' in english_post


def test_a_name_in_another_script_stands_on_the_side_of_its_letter() -> None:
    page = build_sample_digest(edition(arabic_post()), ARABIC, WEEKLY._replace(theme="letter")).html

    assert re.search(r'<td class="cell masthead rtl"[^>]*text-align:right', page)
    assert '<h1 class="name" dir="auto"' in page
