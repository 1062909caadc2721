"""The door's own pages in Chromium, looked at by axe: on a phone and on a desktop, light and dark."""

from pathlib import Path

import pytest

from ketapress.mail.tokens import Purpose
from support.browser import faults, sights
from support.cli_runner import ketapress
from support.web_fixture import open_door


@pytest.mark.axe
@pytest.mark.parametrize("language", ["en", "ar"])
def test_everybody_can_leave(published: Path, language: str) -> None:
    toml = published / "ketapress.toml"
    title = (
        "A newsletter whose name is a good deal longer than the others, Donaudampfschifffahrtsgesellschaft"
    )
    toml.write_text(
        toml.read_text().replace("[site]", f'[site]\nlanguage = "{language}"')
        + f'\n[newsletters.daily]\ntitle = "{title}"\nschedule = "0 8 * * *"\nstarts = 2030-01-01\nfrom = "d@example.org"\n'
    )
    ketapress(published, "subscribers", "add", "ann@example.net", "--newsletter", "daily")
    (published / "public" / "404.html").unlink()  # the archive's own tests look at that one
    with open_door(published) as door:
        paths = [door.path(purpose) for purpose in Purpose] + ["/unsubscribe/no", "/no"]
        found = sights(door.url(path) for path in paths)
    assert {sight.direction for sight in found} == {"rtl" if language == "ar" else "ltr"}
    assert faults(found) == []
