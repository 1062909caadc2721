"""The pages in Chromium: nothing is wider than a phone, in either direction of reading."""

import json
import re
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from factories import post
from ketapress.archive.folder import write_outputs
from making import outputs

WIDE = """<p>A <code>very_long_name_of_something_that_has_no_place_to_break_anywhere_at_all</code> and
https://example.org/an/address/that/is/so/long/that/it/does/not/fit/on/any/phone/in/the/world.</p>
<pre><code>ketapress publish --at 2023-06-12T09:00 --and-many-other-options that-make-the-line-very-long</code></pre>
<table><thead><tr><th>One</th><th>Two</th><th>Three</th><th>Four</th><th>Five</th><th>Six</th></tr></thead>
<tbody><tr><td>1,000,000</td><td>2</td><td>3</td><td>4</td><td>5</td><td>6</td></tr></tbody></table>
<p><img src="wide.svg" alt="A wide picture" width="2000" height="100"></p><blockquote><p>Said.</p></blockquote>"""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="100"><rect width="2000" height="100"/></svg>'
# Chromium has a least width of its own, so the phone is a frame of 320 pixels in a wider window.
PHONE = """<!doctype html><body><script>
const found = {}, paths = %s;
Promise.all(paths.map(path => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.width = 320; frame.height = 640; frame.src = path;
  frame.onload = () => {
    const page = frame.contentDocument;
    found[path] = [page.scrollingElement.scrollWidth, getComputedStyle(page.body).direction, page.styleSheets.length];
    done();
  };
  document.body.append(frame);
}))).then(() => { document.title = JSON.stringify(found); });
</script>"""


def measured(folder: Path, paths: list[str]) -> dict[str, list[object]]:
    """For each page the width that it needs on a phone, its direction, and its number of style sheets."""
    (folder / "phone.html").write_text(PHONE % json.dumps(paths))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [
        "--allow-file-access-from-files",
        f"--user-data-dir={folder / 'profile'}",
        "--hide-scrollbars",
    ]
    command += ["--virtual-time-budget=10000", "--dump-dom", (folder / "phone.html").as_uri()]
    page = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    assert title, page
    found: dict[str, list[object]] = json.loads(unescape(title[1]))
    return found


@pytest.mark.chromium
def test_nothing_is_wider_than_a_phone(site: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    posts = [post(html=WIDE, tags=("Care",)), post("arabic", html=WIDE, lang="ar", title="الرسائل الإخبارية")]
    pages = site(*posts)
    write_outputs(tmp_path, [], outputs({path: page.encode() for path, page in pages.items()}), {})
    (tmp_path / "2023" / "wide.svg").write_text(PICTURE)
    paths = [path for path in pages if path.endswith(".html")]

    assert measured(tmp_path, paths) == {path: [320, "ltr", 1] for path in paths}
