"""The browser that other tests look through: it sees what is wrong with a page."""

from dataclasses import replace
from pathlib import Path

import pytest

from support.browser import View, find_violations, render_pages

BAD = """<!doctype html><html><head><meta charset="utf-8"><title></title>
<style>body { background: #fff } p { color: #aaa } @media (prefers-color-scheme: dark) { p { color: #000 } }</style></head>
<body><p>Pale</p><img src="http://elsewhere.example/a.png" width="9"><div style="width: 900px">Wide</div></body></html>"""


@pytest.mark.axe
def test_what_is_wrong_with_a_page_is_seen_at_each_width_and_in_each_scheme(tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(BAD)
    found = render_pages([(tmp_path / "bad.html").as_uri()])

    told = "\n".join(find_violations(found))
    assert [(sight.width, sight.scheme) for sight in found] == [
        (320, "light"),
        (320, "dark"),
        (1200, "light"),
        (1200, "dark"),
    ]
    for rule in ("html-has-lang", "image-alt", "document-title"):
        assert told.count(f": {rule}: ") == 4
    assert "at 320 px, light: color-contrast: p" in told
    assert "at 320 px, dark: color-contrast: p" not in told
    assert "at 320 px, light: is 9" in told
    assert "at 1200 px, light: is " not in told
    assert "asks for http://elsewhere.example/a.png" in told


PICTURED = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pictured</title><style>
img { max-width: 100% } span { overflow-wrap: anywhere }</style></head><body><main><h1>Pictured</h1>
<p style="overflow: auto"><b style="display: block; width: 900px">This scrolls by itself.</b></p>
<p><img src="http://elsewhere.example/a.png" alt="A picture"></p>
<p><span>WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW</span></p></main></body></html>"""


@pytest.mark.axe
def test_a_page_is_seen_without_its_pictures_and_without_its_styles(tmp_path: Path) -> None:
    (tmp_path / "pictured.html").write_text(PICTURED)
    looks = [View(320), View(320, disabled=("pictures",)), View(320, disabled=("styles",), is_audited=False)]

    whole, blank, bare = render_pages([(tmp_path / "pictured.html").as_uri()], looks)

    assert find_violations([whole, blank], check_external=False) == []
    assert bare.content_width > 1000
    assert [element[:4] for element in bare.overflowing] == ["<img", "<spa"]
    assert (
        find_violations(
            [replace(whole, violations=("region: a: b",))], allowed=["region"], check_external=False
        )
        == []
    )
