"""A site that is made in memory from the shipped templates."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ketapress.feeds.formats import FORMATS
from ketapress.i18n.dates import DateFormatter
from ketapress.model.edition import StoredEdition
from ketapress.model.post import Post
from ketapress.site.pages import site_targets
from ketapress.templates.environment import Templates
from support.factories import settings
from support.targets import fingerprints, render_targets

Site = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def templates() -> Templates:
    return Templates(Path("/nowhere"))


@pytest.fixture
def site(templates: Templates) -> Site:
    def pages_of(*posts: Post, editions: tuple[StoredEdition, ...] = (), **sections: Any) -> dict[str, str]:
        found = settings(**sections)
        days = DateFormatter(found.site.timezone, found.site.language)
        pages = site_targets(posts, editions, found, FORMATS, templates, fingerprints(), days)
        return {path: content.decode() for path, content in render_targets(pages).items()}

    return pages_of
