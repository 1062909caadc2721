"""Every format in turn, for what holds in all of them."""

import pytest

from ketapress.feeds.formats import FORMATS, Format


@pytest.fixture(params=FORMATS, ids=lambda form: form.name)
def form(request: pytest.FixtureRequest) -> Format:
    found: Format = request.param
    return found
