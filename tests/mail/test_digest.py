"""Digests: golden files of the seed, and properties of every edition."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import example, given, settings, strategies as st

from ketapress.mail.digest import build_digest, build_sample_message, html_size
from ketapress.mail.lint.size import GMAIL_CLIP_SIZE
from ketapress.mail.theme import theme_colors
from ketapress.model.color import contrast_ratio
from ketapress.model.edition import Display, EditionItem, Slot
from ketapress.model.errors import ConfigurationError
from ketapress.model.message import Digest
from ketapress.model.post import Image, Post
from ketapress.templates.environment import Templates
from support.factories import REPOSITORY, WEEKLY, edition, post
from support.golden import assert_golden
from support.sample_posts import (
    ARABIC,
    MAILTO_NEWSLETTER,
    RENDERER,
    SETTINGS,
    arabic_post,
    build_posts_digest,
    build_sample_digest,
    chinese_post,
    hostile_post,
    rich_post,
    seed_post,
)

# html5lib warns that `xmlns:o`, which Outlook needs, is not a valid XML name
pytestmark = pytest.mark.filterwarnings("ignore::html5lib.constants.DataLossWarning")

ANY_TEXT = st.text(st.one_of(st.characters(), st.sampled_from("<>&\"'{}\r\n\u2028 aé中م😀")), max_size=60)
GOLDEN_FOLDER = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def seed() -> Digest:
    return build_posts_digest(seed_post(), newsletter=MAILTO_NEWSLETTER)


@pytest.mark.parametrize("part", ["html", "text", "web_html"])
def test_the_seed_becomes_the_parts_that_were_looked_at(seed: Digest, part: str) -> None:
    name = {"html": "digest.html", "text": "digest.txt", "web_html": "web.html"}[part]

    assert_golden(GOLDEN_FOLDER / "seed" / name, getattr(seed, part).encode())


def test_the_seed_becomes_the_message_that_was_looked_at(seed: Digest) -> None:
    message = build_sample_message(seed.message_template, SETTINGS, MAILTO_NEWSLETTER, edition().slot)

    assert_golden(GOLDEN_FOLDER / "seed" / "message.eml", message)


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("rich", lambda: build_posts_digest(rich_post(), seed_post(), chinese_post(), post("short"))),
        ("arabic", lambda: build_posts_digest(arabic_post(), settings=ARABIC)),
        ("hostile", lambda: build_posts_digest(hostile_post())),
    ],
)
def test_other_editions_become_the_parts_that_were_looked_at(name: str, build: Callable[[], Digest]) -> None:
    edition_digest = build()

    assert_golden(GOLDEN_FOLDER / name / "digest.html", edition_digest.html.encode())
    assert_golden(GOLDEN_FOLDER / name / "digest.txt", edition_digest.text.encode())


def test_the_same_edition_makes_the_same_letter(seed: Digest) -> None:
    assert build_posts_digest(seed_post(), newsletter=MAILTO_NEWSLETTER) == seed


def test_any_change_makes_another_key(seed: Digest) -> None:
    other_digests = [
        build_posts_digest(seed_post(), newsletter=MAILTO_NEWSLETTER, subject="Another"),
        build_posts_digest(seed_post()._replace(html="<p>Other</p>"), newsletter=MAILTO_NEWSLETTER),
        build_posts_digest(seed_post(), newsletter=MAILTO_NEWSLETTER._replace(name="daily")),
        build_sample_digest(edition(seed_post(), newsletter="daily"), newsletter=MAILTO_NEWSLETTER),
    ]

    assert len({digest.message_template.key for digest in [seed, *other_digests]}) >= 4
    assert re.fullmatch(r"[0-9a-f]{32}", seed.message_template.key)


def test_sizes_are_those_of_what_is_sent(seed: Digest) -> None:
    message = build_sample_message(seed.message_template, SETTINGS, MAILTO_NEWSLETTER, edition().slot)

    assert seed.sizes == {
        "html": len(seed.html.encode()),
        "text": len(seed.text.encode()),
        "message": len(message),
    }
    assert (
        html_size(edition(seed_post()), SETTINGS, MAILTO_NEWSLETTER, "Ketamine therapy", RENDERER)
        == seed.sizes["html"]
    )


def test_what_gmail_may_cut_off_is_measured_before_and_after_decoding() -> None:
    chinese_edition = edition(*(chinese_post(f"c{number}") for number in range(20)))
    newsletter = MAILTO_NEWSLETTER._replace(max_bytes=WEEKLY.max_bytes)
    digest = build_sample_digest(chinese_edition, newsletter=newsletter)
    message = build_sample_message(digest.message_template, SETTINGS, newsletter, chinese_edition.slot)
    encoded_size = len(message.rpartition(b"text/html")[2])

    size = html_size(chinese_edition, SETTINGS, newsletter, digest.subject, RENDERER)

    assert digest.sizes["html"] < encoded_size
    assert size / WEEKLY.max_bytes == pytest.approx(encoded_size / GMAIL_CLIP_SIZE, rel=0.02)


def test_a_title_that_reads_as_a_host_is_no_host_to_a_filter() -> None:
    digest = build_sample_digest(
        edition(post(title="Next.js"))._replace(overflow=(post(title="Vue.js"),)), subject="x"
    )

    assert ">Next.\u2060js</a>" in digest.html
    assert ">Vue.\u2060js</a>" in digest.web_html
    assert "Next.js" in digest.text


def test_a_post_is_shown_in_full_as_an_excerpt_or_as_a_headline() -> None:
    pages = _digests_by_display(rich_post(), Display.FULL, Display.EXCERPT, Display.HEADLINE)

    assert [
        ("Lists" in page, "A summary of rich." in _article_html(page), "Continue reading" in page)
        for page in pages
    ] == [
        (True, False, False),
        (False, True, True),
        (False, False, False),
    ]


def test_contents_stand_above_more_than_three_posts() -> None:
    posts = [post(f"number-{number}") for number in range(4)]

    assert "In this issue" in build_posts_digest(*posts).html
    assert "In this issue" in build_posts_digest(*posts).text
    assert "In this issue" not in build_posts_digest(*posts[:3]).html


def test_posts_without_room_are_counted_and_linked_and_listed_on_the_web() -> None:
    digest = build_sample_digest(edition(post("first"))._replace(overflow=(post("second"), post("third"))))

    assert ">And 2 more online</a>" in digest.html
    assert "And 2 more online: https://example.org/archive/weekly/2023-06-12T0800.html" in digest.text
    assert 'href="https://example.org/2023/third.html">Third</a>' in digest.web_html


def test_the_web_version_has_nobodys_links() -> None:
    web = build_posts_digest(seed_post()).web_html

    assert "unsubscribe" not in web.lower()
    assert "reader@example.com" not in web
    assert "specimen" not in web
    assert "This is the web version of an issue of The Example Weekly." in web


def test_an_arabic_letter_runs_from_right_to_left() -> None:
    tree = _parse_html(build_posts_digest(arabic_post(), settings=ARABIC).html)

    assert tree.get("dir") == "rtl"
    cells = tree.xpath("//td[contains(@class, 'cell')][not(@align='center')]")
    assert {(cell.get("dir"), cell.get("align")) for cell in cells} == {("rtl", "right")}
    assert "إلغاء الاشتراك" in "".join(tree.itertext())


def test_a_post_in_another_direction_keeps_its_own() -> None:
    tree = _parse_html(build_posts_digest(arabic_post(), seed_post()).html)

    assert [cell.get("dir") for cell in tree.xpath("//td[contains(@class, 'post')]")] == ["rtl", "ltr"]


def test_a_picture_is_shown_once_and_never_nameless() -> None:
    image = Image(url="https://example.org/cover.png", width=2208, height=1000)
    lead_image_html = build_posts_digest(post(title="A title", image=image)).html
    body_image_html = build_posts_digest(
        post(image=image, html='<p><img src="https://example.org/cover.png" alt="x"></p>')
    ).html

    (picture,) = _parse_html(lead_image_html).xpath("//img")
    assert (picture.get("alt"), picture.get("width"), picture.get("height")) == ("A title", "520", "236")
    assert body_image_html.count("cover.png") == 1
    assert "<img" not in build_posts_digest(post(image=Image(url="https://example.org/cover.webp"))).html


@pytest.mark.parametrize("theme", ["magazine", "bulletin", "letter"])
@pytest.mark.parametrize("accent", ["#ffffff", "#000000", "#ffee00", "#8a3b12", "#00ff00", "#808080"])
def test_any_accent_is_readable_by_day_and_by_night(accent: str, theme: str) -> None:
    colors = theme_colors(accent, theme)

    for background in ("sheet", "panel", "foot"):
        assert contrast_ratio(colors["accent"].light, colors[background].light) >= 4.5
        assert contrast_ratio(colors["accent"].dark, colors[background].dark) >= 4.5
        for foreground in ("ink", "faint"):
            assert contrast_ratio(colors[foreground].light, colors[background].light) >= 4.5
            assert contrast_ratio(colors[foreground].dark, colors[background].dark) >= 4.5
    assert contrast_ratio(colors["on_accent"].light, colors["accent"].light) >= 4.5
    assert contrast_ratio(colors["on_accent"].dark, colors["accent"].dark) >= 4.5


def test_the_day_of_an_issue_is_counted_where_the_newsletter_is() -> None:
    site_settings = SETTINGS._replace(site=SETTINGS.site._replace(timezone="America/New_York"))
    newsletter = WEEKLY._replace(timezone="Asia/Tokyo")
    utc_edition = edition()
    tokyo_edition = utc_edition._replace(
        slot=Slot("weekly", "2023-06-13T0700", datetime(2023, 6, 12, 22, tzinfo=UTC))
    )

    assert "13 June 2023" in build_sample_digest(tokyo_edition, site_settings, newsletter).html


def test_the_preheader_is_one_line_of_the_right_length() -> None:
    for digest in (
        build_posts_digest(seed_post()),
        build_posts_digest(rich_post(), seed_post()),
        build_posts_digest(hostile_post(), seed_post()),
    ):
        text = _parse_html(digest.html).xpath("//div[@class='preheader']")[0].text
        preheader = text.rstrip("\u00a0\u200c\u034f")
        assert 35 <= len(preheader) <= 150
        assert preheader == " ".join(preheader.split())


def test_an_empty_subject_is_the_newsletters_title() -> None:
    assert build_digest(edition(), SETTINGS, WEEKLY, " \n ", RENDERER).subject == "The Example Weekly"


def test_a_hostile_post_stays_inside_its_place() -> None:
    digest = build_posts_digest(hostile_post(), seed_post())
    message = build_sample_message(digest.message_template, SETTINGS, WEEKLY, edition().slot)
    tree = _parse_html(digest.html)

    assert b"\r\nBcc:" not in message.partition(b"\r\n\r\n")[0]
    assert not tree.xpath("//script | //*[starts-with(name(@*), 'on')]")
    assert [cell.get("class") for cell in tree.xpath("//td[contains(@class, 'foot')]")] == ["cell foot ltr"]
    assert "49" not in "".join(tree.xpath("//div[contains(@class, 'body')]")[0].itertext())


@settings(max_examples=30, deadline=None)
@given(title=ANY_TEXT, summary=ANY_TEXT, body=ANY_TEXT, name=ANY_TEXT)
@example(title="\ud800\x00\x0b\ufffe", summary="\ud800", body="\x00<p>\x0b\ud800\ufffe</p>", name="\x1b[0m")
def test_any_text_makes_a_whole_letter(title: str, summary: str, body: str, name: str) -> None:
    image = Image(url="https://example.org/a.png", alt=name)
    digest = build_posts_digest(
        post(title=title, summary=summary, html=body, authors=(name,), tags=(name,), image=image),
        subject=title,
    )
    tree = _parse_html(digest.html)

    assert build_sample_message(digest.message_template, SETTINGS, WEEKLY, edition().slot).isascii()
    assert "".join(tree.xpath("//title")[0].itertext()) == digest.subject
    assert len(tree.xpath("//a[@data-unsubscribe]")) == 1
    assert "\nUnsubscribe: https://" in digest.text


@pytest.mark.parametrize("name", ["digest.html", "digest.txt"])
def test_a_template_without_the_link_to_leave_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "templates" / "mail").mkdir(parents=True)
    shipped_template = (REPOSITORY / "templates" / "mail" / name).read_text()
    (tmp_path / "templates" / "mail" / name).write_text(
        shipped_template.replace("reader.unsubscribe_url", "site.url")
    )

    with pytest.raises(ConfigurationError) as error_info:
        build_digest(edition(), SETTINGS, WEEKLY, "x", Templates(tmp_path))

    assert error_info.value.problems[0].path == f"templates/mail/{name}"


def _digests_by_display(post: Post, *displays: Display) -> list[str]:
    full_edition = edition(post)
    return [
        build_sample_digest(full_edition._replace(items=(EditionItem(post, display),))).html
        for display in displays
    ]


def _article_html(page: str) -> str:
    return page[page.index('role="article"') :]


def _parse_html(page: str) -> Any:
    return html5lib.parse(page, treebuilder="lxml", namespaceHTMLElements=False).getroot()
