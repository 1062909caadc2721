"""Letters as a browser draws them: nothing is wider than its screen, and inlining changes nothing that one sees."""

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import css_inline
import pytest

from ketapress.mail.css_inline import inlined
from ketapress.mail.render import Issue, html_document
from ketapress.model.edition import Display, Edition, Item
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings, Settings
from support.factories import WEEKLY, edition, post
from support.sample_posts import (
    ARABIC,
    FILL,
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
WIDE = f"""<p>{"W" * 300}</p><p>https://example.org/{"a/" * 150}</p><pre>{"0123456789" * 30}</pre>
<table><thead><tr>{"<th>Column</th>" * 9}</tr></thead><tbody><tr>{"<td>Some words</td>" * 9}</tr></tbody></table>
{"<ul><li>x" * 9}{"</li></ul>" * 9}{"<blockquote>" * 9}deep{"</blockquote>" * 9}
<table><tbody><tr><td><img src="https://example.org/a.png" width="900" height="300" alt="wide"></td><td>x</td></tr></tbody></table>"""


def every_way_of_showing(*posts: Post) -> Edition:
    whole = edition(*posts)
    displays = [display for _ in posts for display in Display]
    return whole._replace(
        items=tuple(Item(each, display) for each, display in zip(posts, displays, strict=False)),
        more=(post("left-out"),),
    )


BULLETIN, PLAIN = WEEKLY._replace(theme="bulletin"), WEEKLY._replace(theme="letter")
MIXED = every_way_of_showing(rich_post(), seed_post(), post("short"), chinese_post())
LETTERS: dict[str, tuple[Edition, Settings, NewsletterSettings]] = {
    "seed": (edition(seed_post()), SETTINGS, WEEKLY),
    "rich": (edition(rich_post()), SETTINGS, WEEKLY),
    "mixed": (MIXED, SETTINGS, WEEKLY),
    "bulletin": (MIXED, SETTINGS, BULLETIN),
    "letter": (MIXED, SETTINGS, PLAIN),
    "arabic": (every_way_of_showing(*(arabic_post(f"arabic-{n}") for n in range(5))), ARABIC, WEEKLY),
    "arabic bulletin": (edition(arabic_post()), ARABIC, BULLETIN),
    "arabic letter": (edition(arabic_post()), ARABIC, PLAIN),
    "wide": (edition(post(title="W" * 90, html=WIDE), hostile_post()), SETTINGS, WEEKLY),
}


def test_no_letter_is_wider_than_its_screen(tmp_path: Path) -> None:
    pages = {name: inlined(_document(*letter)) for name, letter in LETTERS.items()}
    bare = {
        f"{name} without styles": re.sub(r"<style\b.*?</style>", "", page, flags=re.DOTALL)
        for name, page in pages.items()
    }
    frames = [
        (f"{name} at {width}", page, width) for name, page in {**pages, **bare}.items() for width in WIDTHS
    ]

    found = _seen(tmp_path, frames, _WIDER_THAN_THE_SCREEN)

    assert {name: wider for name, wider in found.items() if wider} == {}


def test_inlining_changes_nothing_that_one_sees(tmp_path: Path) -> None:
    plain = {name: _document(*letter) for name, letter in LETTERS.items()}
    frames = [
        frame
        for name, page in plain.items()
        for frame in ((name, page, 1024), (f"{name} inlined", inlined(page), 1024))
    ]

    found = _seen(tmp_path, frames, _SEEN_OTHERWISE_WHEN_INLINED)

    assert found == {name: [] for name in LETTERS}


def test_another_inliner_says_the_same_of_every_element(tmp_path: Path) -> None:
    """css-inline, which shares no line with premailer, is the oracle; it is used nowhere else."""
    oracle = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
    plain = {name: _document(*letter) for name, letter in LETTERS.items()}
    frames = [
        frame
        for name, page in plain.items()
        for frame in (
            (name, inlined(page), 1024),
            (f"{name} inlined", oracle.inline(page.replace('data-premailer="ignore"', _KEPT)), 1024),
        )
    ]

    found = _seen(tmp_path, frames, _SEEN_OTHERWISE_WHEN_INLINED)

    assert found == {name: [] for name in LETTERS}


_KEPT = 'data-css-inline="keep"'
_WIDER_THAN_THE_SCREEN = """(pages) => Object.fromEntries(pages.map(([name, page]) => {
  const width = page.documentElement.clientWidth;
  const wide = [...page.body.querySelectorAll("*")].filter(
    (each) => getComputedStyle(each).display !== "none" && each.getBoundingClientRect().right > width + 1);
  const names = wide.map((each) => each.outerHTML.slice(0, 80));
  return [name, page.documentElement.scrollWidth > width ? ["the page", ...names.slice(0, 3)] : names.slice(0, 3)];
}))"""

_SEEN_OTHERWISE_WHEN_INLINED = """(pages) => {
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

_PAGE = """<!DOCTYPE html><meta charset="utf-8"><body>{frames}<script>
addEventListener("load", () => {{
  const look = {look};
  const frames = [...document.querySelectorAll("iframe")];
  const result = document.createElement("pre");
  result.id = "result";
  result.textContent = JSON.stringify(look(frames.map((frame) => [frame.name, frame.contentDocument])));
  document.body.replaceChildren(result);
}});
</script>"""


def _document(made: Edition, whole: Settings, newsletter: NewsletterSettings) -> str:
    issue = Issue(edition=made, settings=whole, newsletter=newsletter, subject="A subject")
    return html_document(issue, READER, FILL)


def _seen(folder: Path, frames: list[tuple[str, str, int]], look: str) -> dict[str, list[Any]]:
    """What a function of JavaScript says of documents, each in a frame of its width. No name is ever resolved."""
    shown = "".join(
        f'<iframe name="{name}" style="width:{width}px;height:600px;border:0" srcdoc="{html.escape(page)}"></iframe>'
        for name, page, width in frames
    )
    page = folder / "page.html"
    page.write_text(_PAGE.format(frames=shown, look=look))
    command = [
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom"),
        *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}", page.as_uri()),
    ]
    dumped = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    result = re.search(r'<pre id="result">(.*?)</pre>', dumped, re.DOTALL)
    assert result, dumped[:2000]
    found: dict[str, list[Any]] = json.loads(html.unescape(result[1]))
    return found
