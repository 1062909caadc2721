"""The pages in Chromium: nothing is wider than a phone, and nothing shuts anybody out, in either direction of reading."""

from collections.abc import Callable
from pathlib import Path

import pytest

from browser import faults, sights
from factories import post
from ketapress.archive.folder import write_outputs
from making import outputs

WIDE = """<h2>A heading</h2>
<p>A <code>very_long_name_of_something_that_has_no_place_to_break_anywhere_at_all</code> and
https://example.org/an/address/that/is/so/long/that/it/does/not/fit/on/any/phone/in/the/world.</p>
<pre><code>ketapress publish --at 2023-06-12T09:00 --and-many-other-options that-make-the-line-very-long</code></pre>
<table><thead><tr><th>One</th><th>Two</th><th>Three</th><th>Four</th><th>Five</th><th>Six</th></tr></thead>
<tbody><tr><td>1,000,000</td><td>2</td><td>3</td><td>4</td><td>5</td><td>6</td></tr></tbody></table>
<p><img src="wide.svg" alt="A wide picture" width="2000" height="100"></p><blockquote><p>Said.</p></blockquote>"""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="100"><rect width="2000" height="100"/></svg>'


@pytest.mark.axe
def test_every_page_is_open_to_everybody_on_a_phone_and_on_a_desktop(
    site: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    posts = [post(html=WIDE, tags=("Care",)), post("arabic", html=WIDE, lang="ar", title="الرسائل الإخبارية")]
    pages = site(*posts)
    write_outputs(tmp_path, [], outputs({path: page.encode() for path, page in pages.items()}), {})
    (tmp_path / "2023" / "wide.svg").write_text(PICTURE)

    found = sights((tmp_path / path).as_uri() for path in pages if path.endswith(".html"))

    assert {sight.direction for sight in found} == {"ltr"}
    assert faults(found) == []
