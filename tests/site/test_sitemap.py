"""The addresses for search engines: one file, or an index of files where there are too many for one."""

from datetime import UTC, datetime
from itertools import chain
from xml.etree import ElementTree as ET

import pytest

from ketapress.i18n.dates import DateFormatter
from ketapress.model.build_target import BuildTarget, Fingerprints
from ketapress.site.sitemap import SITEMAP, sitemap_targets
from support.factories import post

SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def files(posts: int, lists: int, most: int) -> dict[str, BuildTarget]:
    """The files for so many posts, newest first, and lists."""
    newest_first = [
        post(f"post-{number}", url=f"{number}.html", updated=datetime(2023, 6, 7, 6, tzinfo=UTC))
        for number in reversed(range(posts))
    ]
    paths = [f"tags/{number}/" for number in range(lists)]
    made = sitemap_targets(
        paths,
        newest_first,
        "https://example.org/{}".format,
        DateFormatter("UTC", "en"),
        Fingerprints("site"),
        most,
    )
    return {each.path: each for each in made}


def addresses(target: BuildTarget) -> list[str]:
    return [each.findtext(f"{SPACE}loc", "") for each in ET.fromstring(target.render())]


@pytest.mark.parametrize(("posts", "lists"), [(0, 1), (7, 3), (10, 0)])
def test_what_one_file_holds_is_in_one_file(posts: int, lists: int) -> None:
    made = files(posts, lists, most=10)

    assert list(made) == [SITEMAP]
    assert len(addresses(made[SITEMAP])) == posts + lists


@pytest.mark.parametrize(("posts", "lists", "parts"), [(8, 3, 2), (10, 1, 2), (25, 11, 5), (0, 11, 2)])
def test_more_addresses_than_one_file_may_hold_are_in_an_index_of_files(
    posts: int, lists: int, parts: int
) -> None:
    made = files(posts, lists, most=10)
    index = addresses(made[SITEMAP])

    assert index == [f"https://example.org/sitemap-{number + 1}.xml" for number in range(parts)]
    found = [addresses(made[f"sitemap-{number + 1}.xml"]) for number in range(parts)]
    assert max(map(len, found)) <= 10
    assert sorted(chain.from_iterable(found)) == sorted(
        [f"https://example.org/{number}.html" for number in range(posts)]
        + [f"https://example.org/tags/{number}/" for number in range(lists)]
    )


def test_a_new_post_changes_the_last_file_of_posts_only() -> None:
    before, after = files(25, 3, most=10), files(26, 3, most=10)

    assert {path for path in after if before[path].key != after[path].key} == {"sitemap-3.xml"}
