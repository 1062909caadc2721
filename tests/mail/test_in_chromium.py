"""Digests in a browser: nothing is wider than the screen, and inlining changes no computed style."""

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import css_inline
import pytest

from ketapress.mail.css_inline import inline_css
from ketapress.mail.render import DigestContext, render_html
from ketapress.model.edition import Display, Edition, EditionItem
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings, Settings
from support.factories import WEEKLY, edition, post
from support.sample_posts import (
    ARABIC,
    RENDERER,
    SETTINGS,
    arabic_post,
    chinese_post,
    hostile_post,
    rich_post,
    seed_post,
)

pytestmark = pytest.mark.chromium

WIDTHS = (320, 375, 414, 600, 1024)
READER = {
    "unsubscribe_url": "https://example.org/unsubscribe/x",
    "preferences_url": "https://example.org/preferences/x",
    "address": "a-reader-with-a-very-long-name-before-the-at-sign@a-long-domain.example.com",
}
WIDE_HTML = f"""<p>{"W" * 300}</p><p>https://example.org/{"a/" * 150}</p><pre>{"0123456789" * 30}</pre>
<table><thead><tr>{"<th>Column</th>" * 9}</tr></thead><tbody><tr>{"<td>Some words</td>" * 9}</tr></tbody></table>
{"<ul><li>x" * 9}{"</li></ul>" * 9}{"<blockquote>" * 9}deep{"</blockquote>" * 9}
<table><tbody><tr><td><img src="https://example.org/a.png" width="900" height="300" alt="wide"></td><td>x</td></tr></tbody></table>"""


def edition_with_all_displays(*posts: Post) -> Edition:
    full_edition = edition(*posts)
    displays = [display for _ in posts for display in Display]
    return full_edition._replace(
        items=tuple(
            EditionItem(shown_post, display) for shown_post, display in zip(posts, displays, strict=False)
        ),
        overflow=(post("left-out"),),
    )


BULLETIN_NEWSLETTER, LETTER_NEWSLETTER = WEEKLY._replace(theme="bulletin"), WEEKLY._replace(theme="letter")
MIXED_EDITION = edition_with_all_displays(rich_post(), seed_post(), post("short"), chinese_post())
CASES: dict[str, tuple[Edition, Settings, NewsletterSettings]] = {
    "seed": (edition(seed_post()), SETTINGS, WEEKLY),
    "rich": (edition(rich_post()), SETTINGS, WEEKLY),
    "mixed": (MIXED_EDITION, SETTINGS, WEEKLY),
    "bulletin": (MIXED_EDITION, SETTINGS, BULLETIN_NEWSLETTER),
    "letter": (MIXED_EDITION, SETTINGS, LETTER_NEWSLETTER),
    "arabic": (edition_with_all_displays(*(arabic_post(f"arabic-{n}") for n in range(5))), ARABIC, WEEKLY),
    "arabic bulletin": (edition(arabic_post()), ARABIC, BULLETIN_NEWSLETTER),
    "arabic letter": (edition(arabic_post()), ARABIC, LETTER_NEWSLETTER),
    "wide": (edition(post(title="W" * 90, html=WIDE_HTML), hostile_post()), SETTINGS, WEEKLY),
}


def test_no_letter_is_wider_than_its_screen(tmp_path: Path) -> None:
    pages = {name: inline_css(_render_document(*case)) for name, case in CASES.items()}
    pages_without_styles = {
        f"{name} without styles": re.sub(r"<style\b.*?</style>", "", page, flags=re.DOTALL)
        for name, page in pages.items()
    }
    frames = [
        (f"{name} at {width}", page, width)
        for name, page in {**pages, **pages_without_styles}.items()
        for width in WIDTHS
    ]

    results = _run_in_chromium(tmp_path, frames, _OVERFLOW_SCRIPT)

    assert {name: elements for name, elements in results.items() if elements} == {}


def test_inlining_changes_nothing_that_one_sees(tmp_path: Path) -> None:
    pages = {name: _render_document(*case) for name, case in CASES.items()}
    frames = [
        frame
        for name, page in pages.items()
        for frame in ((name, page, 1024), (f"{name} inlined", inline_css(page), 1024))
    ]

    results = _run_in_chromium(tmp_path, frames, _STYLE_DIFFERENCE_SCRIPT)

    assert results == {name: [] for name in CASES}


def test_another_inliner_says_the_same_of_every_element(tmp_path: Path) -> None:
    """The oracle is css-inline, which shares no code with premailer and is used nowhere else."""
    oracle = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
    pages = {name: _render_document(*case) for name, case in CASES.items()}
    frames = [
        frame
        for name, page in pages.items()
        for frame in (
            (name, inline_css(page), 1024),
            (
                f"{name} inlined",
                oracle.inline(page.replace('data-premailer="ignore"', _KEEP_ATTRIBUTE)),
                1024,
            ),
        )
    ]

    results = _run_in_chromium(tmp_path, frames, _STYLE_DIFFERENCE_SCRIPT)

    assert results == {name: [] for name in CASES}


_KEEP_ATTRIBUTE = 'data-css-inline="keep"'
_OVERFLOW_SCRIPT = """(pages) => Object.fromEntries(pages.map(([name, page]) => {
  const width = page.documentElement.clientWidth;
  const wide = [...page.body.querySelectorAll("*")].filter(
    (each) => getComputedStyle(each).display !== "none" && each.getBoundingClientRect().right > width + 1);
  const names = wide.map((each) => each.outerHTML.slice(0, 80));
  return [name, page.documentElement.scrollWidth > width ? ["the page", ...names.slice(0, 3)] : names.slice(0, 3)];
}))"""

_STYLE_DIFFERENCE_SCRIPT = """(pages) => {
  const documents = new Map(pages);
  const elements = (name) => [...documents.get(name).body.querySelectorAll("*")];
  const differences = (one, other) => {
    const [before, after] = [getComputedStyle(one), getComputedStyle(other)];
    return [...before].filter((name) => before[name] !== after[name]).map(
      (name) => `${one.tagName}.${one.className} ${name}: ${before[name]} -> ${after[name]}`);
  };
  return Object.fromEntries(pages.filter(([name]) => !name.endsWith(" inlined")).map(([name]) => {
    const [before, after] = [elements(name), elements(name + " inlined")];
    if (before.length !== after.length || before.length < 20) return [name, ["other elements"]];
    return [name, before.flatMap((each, place) => differences(each, after[place])).slice(0, 5)];
  }));
}"""

_PAGE_TEMPLATE = """<!DOCTYPE html><meta charset="utf-8"><body>{frames}<script>
addEventListener("load", () => {{
  const look = {look};
  const frames = [...document.querySelectorAll("iframe")];
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = JSON.stringify(look(frames.map((frame) => [frame.name, frame.contentDocument])));
  document.body.replaceChildren(result);
}});
</script>"""


def _render_document(edition: Edition, settings: Settings, newsletter: NewsletterSettings) -> str:
    context = DigestContext(edition=edition, settings=settings, newsletter=newsletter, subject="A subject")
    return render_html(context, READER, RENDERER)


def _run_in_chromium(folder: Path, frames: list[tuple[str, str, int]], script: str) -> dict[str, list[Any]]:
    """Return the result of a JavaScript function for documents in frames of a width. No host name is resolved."""
    iframes = "".join(
        f'<iframe name="{name}" style="width:{width}px;height:600px;border:0" srcdoc="{html.escape(page)}"></iframe>'
        for name, page, width in frames
    )
    page = folder / "page.html"
    page.write_text(_PAGE_TEMPLATE.format(frames=iframes, look=script))
    command = [
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom"),
        *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}", page.as_uri()),
    ]
    document = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    result = re.search(r'<pre id="result">(.*?)</pre>', document, re.DOTALL)
    assert result, document[:2000]
    results: dict[str, list[Any]] = json.loads(html.unescape(result[1]))
    return results
