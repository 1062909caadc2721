"""A press for each test, and at its end the conservation law."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ketapress.store.database import open_store
from ketapress.testing import ScriptedRelay
from pressroom import Press


@pytest.fixture
def press(tmp_path: Path) -> Iterator[Press]:
    with open_store("sqlite:///ketapress.db", tmp_path) as store, ScriptedRelay() as relay:
        found = Press(store, relay, tmp_path)
        yield found
        for edition in found.editions:
            assert store.deliveries.conserved(edition.id)
