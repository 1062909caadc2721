"""The pages in Chromium: nothing is wider than a phone, and nothing shuts anybody out, in either direction of reading."""

from pathlib import Path

import pytest

from support.browser import find_violations, render_pages
from support.site_server import publish_magazine, serve_folder

KINDS = (
    "",
    "404.html",
    "subscribe.html",
    "2023/",
    "2022/",
    "2023/everything.html",
    "2023/arabic.html",
    "2023/chinese.html",
    "2022/long.html",
    "2023/unbreakable.html",
    "tags/",
    "tags/care/",
    "archive/",
    "archive/weekly/2023-06-12T0800.html",
)
"""One page of each kind, and posts with whatever a post can hold."""


@pytest.mark.axe
@pytest.mark.parametrize(
    ("language", "direction", "kinds"),
    [("en", "ltr", KINDS), ("ar", "rtl", KINDS[::4]), ("zh-Hans", "ltr", KINDS[::4])],
    ids=["English", "Arabic", "Chinese"],
)
def test_every_page_is_open_to_everybody_on_a_phone_and_on_a_desktop(
    tmp_path: Path, language: str, direction: str, kinds: tuple[str, ...]
) -> None:
    with serve_folder(tmp_path / "press" / "public") as url:
        publish_magazine(tmp_path / "press", url, language)
        found = render_pages(url + kind for kind in kinds)

    assert find_violations(found) == []
    assert {sight.direction for sight in found if "archive/weekly" not in sight.url} == {direction}
    assert {sight.background for sight in found if "archive/weekly" not in sight.url} == {
        "rgb(255, 253, 248)",
        "rgb(23, 21, 15)",
    }
