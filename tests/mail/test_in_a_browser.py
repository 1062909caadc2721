"""Every shipped theme in every script and shape, in Chromium: nothing overflows, and axe reports nothing."""

from pathlib import Path

import pytest

from support.browser import SCHEMES, View, find_violations, render_pages
from support.factories import WEEKLY
from support.sample_posts import LANGUAGES, SHAPES, THEMES, build_sample_digest

pytestmark = pytest.mark.axe

LOOKS = [
    *(View(width, is_audited=False) for width in (320, 375, 480, 1200)),
    *(View(600, scheme) for scheme in SCHEMES),
    View(320, disabled=("pictures",), is_audited=False),
    View(320, disabled=("styles",), is_audited=False),
]
# Mail is shown inside the page of a client, which has the landmarks.
_LANDMARK_RULES = ("landmark-one-main", "region")


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_is_open_to_everybody_in_every_script_and_shape(theme: str, tmp_path: Path) -> None:
    newsletter = WEEKLY._replace(theme=theme)
    pages = []
    for language, (make, site_settings) in LANGUAGES.items():
        for shape, make_edition in SHAPES.items():
            pages.append(tmp_path / f"{language}, {shape}.html")
            pages[-1].write_text(
                build_sample_digest(make_edition(make), site_settings, newsletter, "A subject").html
            )

    results = render_pages((page.as_uri() for page in pages), LOOKS)

    assert len(results) == len(pages) * len(LOOKS)
    assert find_violations(results, allowed=_LANDMARK_RULES, check_external=False) == []
