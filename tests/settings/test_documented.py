"""The page of settings is the declarations, printed."""

from ketapress.model.settings import declared
from ketapress.settings.converters import READERS
from ketapress.settings.docs_page import settings_page
from ketapress.settings.loader import declared_settings
from support.factories import REPOSITORY


def test_the_page_in_docs_is_the_one_that_the_declarations_print() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text()
    assert page == settings_page(), "run: python -m ketapress.settings.docs_page > docs/settings.md"


def test_every_setting_has_a_sentence_and_a_reader() -> None:
    for section, cls in declared_settings():
        for each in declared(cls):
            assert each.sentence.endswith("."), f"{section}.{each.name}"
            assert each.reads in READERS, f"{section}.{each.name}"
