"""The pages of the archive: which there are, what they say, and where they lead."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings as bounds, strategies as st

from ketapress.feeds.formats import FORMATS
from ketapress.i18n.site_messages import TRANSLATIONS, site_messages
from ketapress.model.edition import Decision, EditionState, Slot, StoredEdition
from ketapress.model.post import Image
from ketapress.model.settings import Author, WebSettings
from ketapress.site.indexes import LATEST_TAG_POSTS, MAX_TAG_POSTS
from ketapress.site.pages import LATEST, alias_path
from support.factories import SITE, WEEKLY, post

Site = Callable[..., dict[str, str]]
FEEDS = {"feeds.opml"}


def issue(key: str = "2023-06-12T0800", newsletter: str = "weekly", **values: Any) -> StoredEdition:
    at = datetime.strptime(key, "%Y-%m-%dT%H%M").replace(tzinfo=UTC)
    whole: dict[str, Any] = {
        "id": 1,
        "slot": Slot(newsletter, key, at),
        "decision": Decision.COMPOSED,
        "state": EditionState.DONE,
        "subject": f"The news of {key}",
        "web_html": "<!doctype html><html><head><title>News</title></head><body><p>News</p></body></html>",
    }
    return StoredEdition(**(whole | values))


def parsed(page: str) -> Any:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(page)
    assert not parser.errors
    return tree


def links(page: str) -> Iterator[str]:
    tree = parsed(page)
    for name, attribute in (("a", "href"), ("link", "href"), ("img", "src")):
        for element in tree.iter(name):
            yield element.get(attribute, "")


def inside(path: str, page: str) -> Iterator[str]:
    """The paths under public/ that a page's relative links lead to."""
    for link in links(page):
        parts = urlsplit(link)
        if not parts.scheme and parts.path:
            yield normpath(str(PurePosixPath(path).parent / unquote(parts.path)))


def text(page: str, element: str) -> str:
    found = parsed(page).find(f".//{element}")
    return "" if found is None else " ".join("".join(found.itertext()).split())


def test_the_pages_of_a_small_site(site: Site) -> None:
    pages = site(post(tags=("Care",), aliases=("/old/first/",)), editions=(issue(),))

    assert set(pages) == {
        "style.css",
        "index.html",
        "subscribe.html",
        "404.html",
        "sitemap.xml",
        "robots.txt",
        "2023/index.html",
        "tags/index.html",
        "tags/care/index.html",
        "archive/index.html",
        "archive/weekly/2023-06-12T0800.html",
        "2023/first.html",
        "old/first/index.html",
    }


def test_an_empty_site_has_a_front_page(site: Site) -> None:
    pages = site()

    assert set(pages) == {
        "style.css",
        "index.html",
        "subscribe.html",
        "404.html",
        "sitemap.xml",
        "robots.txt",
    }
    assert "Nothing has been published yet." in pages["index.html"]


def test_every_relative_link_leads_to_a_page(site: Site) -> None:
    far = post("far", url="2022/caf%C3%A9/far.html", date=datetime(2022, 1, 1, tzinfo=UTC), tags=("C++", "c"))
    pages = site(post(tags=("Care & more",)), far, editions=(issue(),))

    for path, page in pages.items():
        if path.endswith(".html"):
            assert set(inside(path, page)) <= set(pages) | FEEDS, path


def test_a_page_stands_where_its_encoded_address_leads(site: Site) -> None:
    assert "2023/naïve.html" in site(post(url="2023/na%C3%AFve.html"))


def test_every_page_points_to_the_feeds_by_full_addresses(site: Site) -> None:
    for path, page in site(post(tags=("Care",)), editions=(issue(),)).items():
        if path.endswith(".html"):
            found = [
                (link.get("type"), link.get("href"))
                for link in parsed(page).iter("link")
                if link.get("rel") == "alternate"
            ]
            assert found[:3] == [
                ("application/rss+xml", "https://example.org/feed.xml"),
                ("application/atom+xml", "https://example.org/atom.xml"),
                ("application/feed+json", "https://example.org/feed.json"),
            ], path


def test_the_page_of_a_tag_points_to_its_own_feed_too(site: Site) -> None:
    page = site(post(tags=("Care",)))["tags/care/index.html"]

    assert 'href="https://example.org/tags/care/feed.xml"' in page
    assert "Example Press: Care" in page


def test_canonical_addresses_are_full_and_without_index_html(site: Site) -> None:
    pages = site(post(canonical="https://elsewhere.example/first"), post("second"))

    def canonical(path: str) -> str:
        found: str = parsed(pages[path]).find(".//link[@rel='canonical']").get("href")
        return found

    assert canonical("index.html") == "https://example.org/"
    assert canonical("2023/index.html") == "https://example.org/2023/"
    assert canonical("2023/second.html") == "https://example.org/2023/second.html"
    assert canonical("2023/first.html") == "https://elsewhere.example/first"


def test_each_page_has_one_h1_a_title_and_landmarks(site: Site) -> None:
    for path, page in site(post(tags=("Care",)), editions=(issue(),)).items():
        if path.endswith(".html") and not path.startswith("archive/weekly"):
            tree = parsed(page)
            assert [len(tree.findall(f".//{name}")) for name in ("h1", "main", "title")] == [1, 1, 1], path
            assert tree.find(".//title").text.strip()
            assert tree.get("lang") == "en"


def test_a_post_says_when_by_whom_and_about_what(site: Site) -> None:
    page = site(post(authors=("Ada", "Bob"), tags=("Care",)))["2023/first.html"]

    assert text(page, "h1") == "First"
    assert 'datetime="2023-06-07T06:00:00+00:00">7 June 2023</time>' in page
    assert '<p class="byline"><bdi>Ada</bdi>, <bdi>Bob</bdi></p>' in page
    assert 'href="../tags/care/index.html"><bdi>Care</bdi></a>' in page
    assert "<p>The body of first.</p>" in page


def test_a_title_of_markup_is_text(site: Site) -> None:
    pages = site(post(title="<script>alert(1)</script> & “more”", summary='"><b>'))

    for page in (pages["2023/first.html"], pages["index.html"], pages["2023/index.html"]):
        assert "<script>alert" not in page
    assert text(pages["2023/first.html"], "h1") == "<script>alert(1)</script> & “more”"


def test_posts_lead_to_their_neighbours(site: Site) -> None:
    page = site(post("new"), post("middle"), post("old"))["2023/middle.html"]

    assert '<a href="../2023/new.html" rel="next"><bdi>New</bdi></a>' in page
    assert '<a href="../2023/old.html" rel="prev"><bdi>Old</bdi></a>' in page


def test_a_post_that_is_read_from_right_to_left_says_so(site: Site) -> None:
    page = site(post(lang="ar", dir="rtl"))["2023/first.html"]

    assert '<article class="post" lang="ar" dir="rtl">' in page
    assert '<html lang="en" dir="ltr">' in page


def test_the_direction_follows_from_the_language_where_a_post_does_not_say(site: Site) -> None:
    assert '<article class="post" lang="ar" dir="rtl">' in site(post(lang="ar"))["2023/first.html"]


def test_a_site_that_is_read_from_right_to_left_says_so_on_every_page(site: Site) -> None:
    pages = site(post(), site=SITE._replace(language="he"))

    assert all('<html lang="he" dir="rtl">' in page for path, page in pages.items() if path.endswith(".html"))


def test_what_machines_read_of_a_post(site: Site) -> None:
    image = Image(url="https://example.org/i.png", alt="A press")
    page = site(
        post(title="</script>", image=image, tags=("Care",)), site=SITE._replace(author=Author("Ada"))
    )

    tree = parsed(page["2023/first.html"])
    found = {meta.get("property") or meta.get("name"): meta.get("content") for meta in tree.iter("meta")}
    assert (found["og:type"], found["og:title"], found["og:image"]) == ("article", "</script>", image.url)
    assert found["og:url"] == "https://example.org/2023/first.html"
    assert found["article:published_time"] == "2023-06-07T06:00:00+00:00"
    structured = json.loads(tree.find(".//script").text)
    assert (structured["@type"], structured["headline"]) == ("BlogPosting", "</script>")
    assert structured["author"] == [{"@type": "Person", "name": "Ada"}]


def test_a_picture_stands_above_the_text_unless_the_text_shows_it(site: Site) -> None:
    image = Image(url="https://example.org/i.png", alt="A press")
    shown = post("shown", image=image, html=f'<p><img src="{image.url}" alt=""></p>')
    pages = site(post(image=image), shown)

    assert (
        '<figure class="hero"><img src="https://example.org/i.png" alt="A press">' in pages["2023/first.html"]
    )
    assert "hero" not in pages["2023/shown.html"]


def test_tables_and_listings_scroll_by_keyboard(site: Site) -> None:
    html = "<table><tbody><tr><td>1</td></tr></tbody></table><pre><code>x</code></pre>"
    page = site(post(html=html))["2023/first.html"]

    assert '<div class="scroll" tabindex="0" role="group"><table>' in page
    assert "</table></div>" in page
    assert '<pre tabindex="0"><code>' in page


def test_the_front_page_shows_the_latest_and_the_years_hold_all(site: Site) -> None:
    first = datetime(2023, 1, 1, tzinfo=UTC)
    posts = [post(f"p{n}", date=first - timedelta(days=20 * n)) for n in range(LATEST + 5)]
    pages = site(*posts)

    assert pages["index.html"].count("<article") == LATEST
    listed = [page.count("<li><time") for path, page in pages.items() if path[:2] == "20" and "index" in path]
    assert sum(listed) == LATEST + 5
    assert 'href="./2022/index.html"' in pages["index.html"]


def test_years_are_those_of_the_sites_zone(site: Site) -> None:
    eve = post(date=datetime(2022, 12, 31, 23, 30, tzinfo=UTC))

    assert "2023/index.html" in site(eve, site=SITE._replace(timezone="Europe/Berlin"))
    assert "2022/index.html" in site(eve)


def test_editions_are_listed_by_newsletter_newest_first(site: Site) -> None:
    editions = (issue(), issue("2023-06-05T0800"), issue(newsletter="gone", subject="Of old"))
    page = site(post(), editions=editions)["archive/index.html"]

    places = [
        page.index(each) for each in (WEEKLY.title, "2023-06-12T0800", "2023-06-05T0800", "gone", "Of old")
    ]
    assert places == sorted(places)
    assert (
        '<a href="../archive/weekly/2023-06-12T0800.html"><bdi>The news of 2023-06-12T0800</bdi></a>' in page
    )


def test_an_edition_is_dated_in_the_zone_of_its_newsletter(site: Site) -> None:
    tokyo = WEEKLY._replace(timezone="Asia/Tokyo")
    page = site(editions=(issue("2023-06-11T2300"),), newsletters={"weekly": tokyo})["archive/index.html"]

    assert ">12 June 2023</time>" in page


def test_an_edition_is_shown_as_it_was_sent_and_not_to_search_engines(site: Site) -> None:
    page = site(editions=(issue(),))["archive/weekly/2023-06-12T0800.html"]

    head, _, body = page.partition("</head>")
    assert '<meta name="robots" content="noindex">' in head
    assert '<link rel="canonical" href="https://example.org/archive/weekly/2023-06-12T0800.html">' in head
    assert body.startswith('<body><nav class="ketapress-bar" aria-label="Site"><a href="../../index.html">')
    assert body.endswith("</nav><main><p>News</p></main></body></html>")


def test_the_subscribe_page_names_feeds_and_newsletters(site: Site) -> None:
    page = site(post(), web=WebSettings(url="https://door.example"))["subscribe.html"]

    assert "https://example.org/feed.xml</a>" in page
    assert '<a href="https://door.example"><bdi>The Example Weekly</bdi></a>' in page
    assert '<p class="schedule">every Monday at 08:00 (UTC)</p>' in page
    assert '<a href="./feeds.opml" dir="ltr">feeds.opml</a>' in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("alias", "path"),
    [
        ("/old/", "old/index.html"),
        ("/old", "old/index.html"),
        ("old/page.html", "old/page.html"),
        ("https://example.org/old/?p=1", "old/index.html"),
        ("/caf%C3%A9/", "café/index.html"),
        ("/../../etc/passwd", None),
        ("/a/%2e%2e/b", None),
        ("/", None),
        ("//", None),
        ("/a//b", None),
        ("/a\\b", None),
        ("/a%00b", None),
        ("http://[", None),
    ],
)
def test_where_an_old_address_stands(alias: str, path: str | None) -> None:
    assert alias_path(alias) == path


def test_an_old_address_leads_to_the_new_one(site: Site) -> None:
    page = site(post(title='A "post"', aliases=("/old.html",)))["old.html"]

    assert '<meta http-equiv="refresh" content="0; url=https://example.org/2023/first.html">' in page
    assert '<link rel="canonical" href="https://example.org/2023/first.html">' in page


def test_the_sitemap_names_what_is_ours_by_full_address(site: Site) -> None:
    elsewhere = post("elsewhere", canonical="https://other.example/x")
    root = ET.fromstring(site(post(url="2023/a&b.html"), elsewhere)["sitemap.xml"])

    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    found = {url.findtext(f"{space}loc"): url.findtext(f"{space}lastmod") for url in root}
    assert found == {
        "https://example.org/": None,
        "https://example.org/2023/": None,
        "https://example.org/2023/a&b.html": "2023-06-07T06:00:00+00:00",
    }


def test_the_style_sheet_has_both_accents(site: Site) -> None:
    style = site(site=SITE._replace(accent="#123456"))["style.css"]

    assert "--accent: #123456;" in style
    assert style.count("--accent: #") == 3
    assert "{{" not in style


def test_no_page_needs_a_script_or_anything_of_another_host(site: Site) -> None:
    for page in site(post(tags=("Care",)), editions=(issue(),)).values():
        assert "<script src" not in page
        assert "@import" not in page
        assert "url(" not in page


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]))


@bounds(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=TEXT, summary=TEXT, tag=TEXT, name=TEXT)
def test_no_text_breaks_a_page(site: Site, title: str, summary: str, tag: str, name: str) -> None:
    pages = site(post(title=title, summary=summary, tags=(tag,)), site=SITE._replace(title=name))

    assert text(pages["2023/first.html"], "h1") == " ".join(title.split())
    assert len(pages) == 10


def test_the_same_posts_make_the_same_pages(site: Site) -> None:
    posts = [post(tags=("b", "a")), post("second", tags=("a",))]

    assert site(*posts, editions=(issue(),)) == site(*posts, editions=(issue(),))


def test_a_lone_surrogate_does_not_stop_the_others(site: Site) -> None:
    assert text(site(post(title="a\ud800b"), post("second"))["2023/first.html"], "h1") == "a?b"


def test_the_page_for_what_is_not_there_works_at_any_depth(site: Site) -> None:
    page = site(post(tags=("Care",)), editions=(issue(),))["404.html"]

    assert '<meta name="robots" content="noindex">' in page
    assert 'rel="canonical"' not in page
    assert all(link.startswith(("https://example.org/", "#", "data:")) for link in links(page))
    assert "https://example.org/2023/index.html" in links(page)


def test_crawlers_are_told_where_the_list_of_pages_is(site: Site) -> None:
    assert site()["robots.txt"].endswith("\nSitemap: https://example.org/sitemap.xml\n")


def test_what_machines_read_of_the_front_page(site: Site) -> None:
    named = SITE._replace(title="</script> & more")
    structured = json.loads(parsed(site(post(), site=named)["index.html"]).find(".//script").text)

    assert (structured["@type"], structured["name"]) == ("Blog", "</script> & more")
    assert structured["url"] == "https://example.org/"


def test_the_front_page_names_the_most_used_subjects(site: Site) -> None:
    rare = [post(f"p{n}", tags=(f"a{n:02}",)) for n in range(30)]
    pages = site(*rare, post("one", tags=("zebra",)), post("two", tags=("zebra",)))

    assert pages["index.html"].index("<bdi>zebra</bdi>") < pages["index.html"].index("<bdi>a00</bdi>")
    assert "<bdi>a29</bdi>" not in pages["index.html"]
    assert "<bdi>a29</bdi>" in pages["tags/index.html"]


def test_a_year_is_listed_by_months_and_a_subject_by_years(site: Site) -> None:
    posts = [
        post(name, date=datetime(year, month, 7, tzinfo=UTC), tags=("Care",))
        for name, year, month in (("late", 2023, 6), ("newest", 2023, 7), ("old", 2022, 7))
    ]
    pages = site(*posts)

    def headings(path: str) -> list[str]:
        return [heading.text for heading in parsed(pages[path]).iter("h2")]

    assert headings("2023/index.html") == ["July", "June"]
    assert headings("tags/care/index.html") == ["2023", "2022"]


def test_a_subject_with_more_posts_than_a_page_should_hold_has_pages_by_year(site: Site) -> None:
    days = [datetime(2023, 6, 1, tzinfo=UTC) - timedelta(days=day) for day in range(MAX_TAG_POSTS + 1)]
    posts = [post(f"p{number}", date=day, tags=("Care",)) for number, day in enumerate(days)]

    few, many = site(*posts[:MAX_TAG_POSTS]), site(*posts)

    assert [path for path in few if path.startswith("tags/")] == ["tags/index.html", "tags/care/index.html"]
    assert few["tags/care/index.html"].count("<li><time") == MAX_TAG_POSTS
    assert many["tags/care/index.html"].count("<li><time") == LATEST_TAG_POSTS
    years = [f"tags/care/{year}.html" for year in (2023, 2022)]
    assert sum(many[path].count("<li><time") for path in years) == MAX_TAG_POSTS + 1
    for path in years:
        assert f'href="../../{path}"' in many["tags/care/index.html"]
        assert 'href="../../tags/care/index.html"><bdi>Care</bdi></a>' in many[path]
        assert f"https://example.org/{path}" in many["sitemap.xml"]
    assert 'href="../../tags/care/2022.html" rel="prev"' in many[years[0]]


def test_footnotes_lead_to_their_place_on_the_page_itself(site: Site) -> None:
    html = '<p><a href="https://example.org/2023/first.html#fn-1">1</a> <a href="https://example.org/2023/x.html#a">x</a></p>'

    assert (
        '<p><a href="#fn-1">1</a> <a href="https://example.org/2023/x.html#a">x</a></p>'
        in (site(post(html=html))["2023/first.html"])
    )


@pytest.mark.parametrize(
    ("html", "lang", "said"),
    [
        ("<p>" + "word " * 430, None, ""),
        ("<p>" + "word " * 650, None, " · 3 min read"),
        ("<p>" + "字" * 1700, "zh", " · 5 min read"),
    ],
)
def test_a_long_post_says_how_long_it_takes(site: Site, html: str, lang: str | None, said: str) -> None:
    assert f"7 June 2023</time>{said}</p>" in site(post(html=html, lang=lang))["2023/first.html"]


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_language_says_everything(site: Site, language: str) -> None:
    said = TRANSLATIONS[language]
    pages = site(post(tags=("Care",)), editions=(issue(),), site=SITE._replace(language=language))

    for name in said._fields:
        assert getattr(said, name), name
    assert set(said.feeds) == {form.media_type for form in FORMATS}
    assert said.minutes.format(count=3) != said.minutes
    for page in ("index.html", "subscribe.html", "404.html"):
        assert "{" not in text(pages[page], "main")
    assert said.subscribe in pages["2023/first.html"]


def test_a_language_without_phrases_is_spoken_to_in_english() -> None:
    assert site_messages("nl-BE") == site_messages("en")
