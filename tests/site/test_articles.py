"""Pages of posts that are filled are the ones that the template makes."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings as bounds, strategies as st

from ketapress.feeds.formats import FORMATS
from ketapress.i18n.dates import Days
from ketapress.model.output import Keys
from ketapress.model.post import Image, Post
from ketapress.model.prerender import Moulds
from ketapress.site.pages import site_pages
from ketapress.templates.environment import Templates
from support.factories import SITE, post, settings
from support.targets import made

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20)
MARKED = st.sampled_from(["", "<b>bold</b>", "R&amp;D", "Q & A", 'say "it"', "it's", "\ue000title\ue001"])
TEXT = st.tuples(WORDS, MARKED, WORDS).map("".join)
TITLES = st.one_of(TEXT, st.just("A long title " * 8))
PICTURE = "https://example.org/a.png?b=1&c=2"
IMAGES = st.builds(Image, url=st.just(PICTURE), alt=st.sampled_from(["", 'A picture\'s "alt"']))


@st.composite
def posts(draw: st.DrawFn, name: str) -> Post:
    picture = draw(st.sampled_from(["", f'<img src="{PICTURE}" alt="">']))
    return post(
        name,
        title=draw(TITLES) or "A title",
        html=f"<p>{draw(MARKED)}</p>{picture}" + "<p>word and word</p>" * draw(st.sampled_from([1, 300])),
        summary=draw(TEXT),
        url=draw(st.sampled_from([f"{name}.html", f"2023/{name}.html", f"a/b/{name}%20c/index.html"])),
        tags=tuple(
            draw(st.lists(st.sampled_from(["Care", "R & D", "العربية", "<b>"]), max_size=3, unique=True))
        ),
        authors=tuple(draw(st.lists(TEXT, max_size=3))),
        image=draw(st.none() | IMAGES),
        lang=draw(st.sampled_from([None, "en", "ar", "zh"])),
        dir=draw(st.sampled_from([None, "rtl", "ltr"])),
        canonical=draw(st.sampled_from([None, "https://other.example/?a=1&b=2"])),
        date=draw(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001 - hypothesis adds it
    )


@pytest.mark.parametrize("logo", ["", "https://example.org/logo.png"])
@bounds(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=st.tuples(posts("one"), posts("two"), posts("three")), count=st.integers(1, 3))
def test_a_page_that_is_filled_is_the_one_that_the_template_makes(
    templates: Templates, logo: str, found: tuple[Post, ...], count: int
) -> None:
    site = settings(site=SITE._replace(logo=logo, timezone="Europe/Berlin"))
    keys = Keys(logo, own_templates=False)
    parts = (found[:count], (), site, FORMATS, templates, keys, Days("Europe/Berlin", "en"))
    assert made(site_pages(*parts, Moulds())) == made(site_pages(*parts))
