"""The subscription pages in Chromium, checked by axe: on a phone and on a desktop, light and dark."""

from pathlib import Path

import pytest

from ketapress.mail.tokens import Purpose
from support.browser import find_violations, render_pages
from support.cli_runner import ketapress
from support.web_fixture import run_web_server


@pytest.mark.axe
@pytest.mark.parametrize("language", ["en", "ar"])
def test_everybody_can_leave(own_publication: Path, language: str) -> None:
    toml = own_publication / "ketapress.toml"
    title = (
        "A newsletter whose name is a good deal longer than the others, Donaudampfschifffahrtsgesellschaft"
    )
    toml.write_text(
        toml.read_text().replace("[site]", f'[site]\nlanguage = "{language}"')
        + f'\n[newsletters.daily]\ntitle = "{title}"\nschedule = "0 8 * * *"\nstarts = 2030-01-01\nfrom = "d@example.org"\n'
    )
    ketapress(own_publication, "subscribers", "add", "ann@example.net", "--newsletter", "daily")
    (own_publication / "public" / "404.html").unlink()  # tests/site checks that page
    with run_web_server(own_publication) as server:
        paths = [server.build_link_path(purpose) for purpose in Purpose] + ["/unsubscribe/no", "/no"]
        views = render_pages(server.build_url(path) for path in paths)
    assert {view.direction for view in views} == {"rtl" if language == "ar" else "ltr"}
    assert find_violations(views) == []
