"""What mail clients and their users require of every digest, whatever its posts contain."""

import re
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import html5lib
import pytest

from ketapress.model.edition import Display, EditionItem
from ketapress.model.message import Digest
from support.factories import edition, post
from support.sample_posts import (
    ARABIC,
    SETTINGS,
    arabic_post,
    build_posts_digest,
    build_sample_digest,
    chinese_post,
    hostile_post,
    rich_post,
    seed_post,
)

pytestmark = pytest.mark.filterwarnings("ignore::html5lib.constants.DataLossWarning")

_LOGO_SETTINGS = SETTINGS._replace(site=SETTINGS.site._replace(logo="https://example.org/logo.png"))
_CHINESE_SETTINGS = SETTINGS._replace(site=SETTINGS.site._replace(language="zh"))


def _digest_with_display(display: Display, count: int) -> Digest:
    posts = [rich_post(f"rich-{number}") for number in range(count)]
    return build_sample_digest(
        edition()._replace(
            items=tuple(EditionItem(item, display) for item in posts), overflow=(post("more"),)
        )
    )


DIGESTS = {
    "seed": build_posts_digest(seed_post()),
    "everything": build_posts_digest(rich_post(), hostile_post(), arabic_post(), chinese_post(), seed_post()),
    "arabic": build_posts_digest(*(arabic_post(f"arabic-{number}") for number in range(5)), settings=ARABIC),
    "chinese": build_posts_digest(
        *(chinese_post(f"chinese-{number}") for number in range(5)), settings=_CHINESE_SETTINGS
    ),
    "twelve excerpts": _digest_with_display(Display.EXCERPT, 12),
    "forty headlines": _digest_with_display(Display.HEADLINE, 40),
    "long titles and a logo": build_posts_digest(
        post(title="A long title " * 20), post(title="W" * 200), settings=_LOGO_SETTINGS
    ),
    "an empty post": build_posts_digest(post(html="", summary="")),
}
FORBIDDEN_TAGS = [
    "script",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "button",
    "video",
    "audio",
    "link",
    "base",
    "svg",
    "canvas",
    "dialog",
]


@pytest.fixture(params=DIGESTS, scope="module")
def digest(request: pytest.FixtureRequest) -> Digest:
    return DIGESTS[request.param]


@pytest.fixture(scope="module")
def tree(digest: Digest) -> Any:
    return html5lib.parse(digest.html, treebuilder="lxml", namespaceHTMLElements=False).getroot()


def test_language_and_direction_are_said_twice(tree: Any) -> None:
    wrapper = tree.xpath("//div[@role='article']")[0]

    assert tree.get("lang") == wrapper.get("lang")
    assert tree.get("dir") == wrapper.get("dir")
    assert wrapper.get("aria-label") == tree.xpath("//title")[0].text


def test_gmail_keeps_the_styles(digest: Digest, tree: Any) -> None:
    (style,) = tree.xpath("//style")

    assert style.getparent().tag == "head"
    assert len(style.text.encode()) < 8192
    assert style.text.count("{") == style.text.count("}")
    assert not re.search(r"@media[^{]*\{[^{}]*@", style.text)
    assert not re.search(r"\S!important", style.text)
    assert "@import" not in digest.html


def test_nothing_stands_in_it_that_clients_remove(tree: Any) -> None:
    assert [element.tag for tag in FORBIDDEN_TAGS for element in tree.iter(tag)] == []
    assert not tree.xpath("//@*[starts-with(name(), 'on')]")


def test_inline_styles_hold_only_what_every_client_knows(tree: Any) -> None:
    styles = " ".join(tree.xpath("//@style"))

    assert not re.search(
        r"var\(|calc\(|!important|flex|grid|position:|float:|rgba|:\s*-\d|\d(?:rem|vh|vw)\b", styles
    )
    assert min(map(int, re.findall(r"font-size:(\d+)px", styles))) >= 12
    assert not tree.xpath("//@*[name()='width' or name()='height'][not(number(.) > 0) and . != '100%']")


def test_one_heading_of_the_first_level_and_none_skipped(tree: Any) -> None:
    levels = [int(element.tag[1]) for element in tree.iter("h1", "h2", "h3", "h4", "h5", "h6")]

    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(next_level - level <= 1 for level, next_level in pairwise(levels))


def test_every_table_is_layout_or_data_with_headers(tree: Any) -> None:
    for table in tree.iter("table"):
        if table.get("role") == "presentation":
            assert (table.get("cellpadding"), table.get("cellspacing"), table.get("border")) == (
                "0",
                "0",
                "0",
            )
            assert not table.xpath("./tbody/tr/th | ./thead | ./caption")
        else:
            assert table.xpath(".//th")
            assert not table.xpath(".//th[not(@scope)]")


def test_every_picture_has_a_name_a_width_and_an_address(tree: Any) -> None:
    for image in tree.iter("img"):
        assert image.get("alt") is not None
        assert 0 < int(image.get("width")) <= 520
        assert image.get("src").startswith("https://")
        assert "max-width" in image.get("style")
        link = next(image.iterancestors("a"), None)
        assert link is None or image.get("alt") or "".join(link.itertext()).strip()


def test_every_link_leads_somewhere_and_is_what_it_seems(tree: Any) -> None:
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for link in tree.xpath("//a"):
        url, text = link.get("href"), " ".join("".join(link.itertext()).split())
        assert re.match(r"https?://|mailto:|tel:|#", url)
        assert not url.startswith("#") or url[1:] in ids
        assert text or link.xpath(".//img[@alt!='']")
        host = re.fullmatch(r"(?:https?://)?([\w.-]+\.[a-z]{2,})(?:/\S*)?", text, re.IGNORECASE)
        assert host is None or host[1].lower() == urlsplit(url).netloc.lower()


def test_no_template_mark_or_broken_letter_is_left(digest: Digest) -> None:
    assert not re.search(
        r"\{\{|\{%|\}\}|%7B%7B|javascript:|mark[0-9a-f]{16}",
        re.sub(r"<style.*?</style>", "", digest.html, flags=re.DOTALL),
    )
    assert not re.search(r"<[a-z][^>]*>|&nbsp;|&amp;|\{\{|mark[0-9a-f]{16}", digest.text)


def test_outlooks_comments_are_balanced(digest: Digest) -> None:
    conditional_html = "".join(re.findall(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", digest.html, re.DOTALL))

    assert digest.html.count("<!--[if") == digest.html.count("<![endif]-->")
    for tag in ("table", "tr", "td"):
        assert conditional_html.count(f"<{tag}") == conditional_html.count(f"</{tag}>")
    assert 'width="600"' in conditional_html


def test_the_text_says_what_the_html_says(digest: Digest, tree: Any) -> None:
    body = tree.find("body")
    html_words = set(re.findall(r"\w{4,}", "".join(body.itertext()).lower()))
    text_words = set(re.findall(r"\w{4,}", digest.text.lower()))

    assert len(html_words & text_words) >= 0.6 * len(html_words)
    assert all(
        url in digest.text for url in tree.xpath("//a/@href[starts-with(., 'https:')]") if "{" not in url
    )
