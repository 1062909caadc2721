"""The page of settings is the declarations, printed."""

from factories import REPOSITORY
from ketapress.model.settings import declared
from ketapress.settings.fields import READERS
from ketapress.settings.file import declared_settings
from ketapress.settings.page import settings_page


def test_the_page_in_docs_is_the_one_that_the_declarations_print() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text()
    assert page == settings_page(), "run: python -m ketapress.settings.page > docs/settings.md"


def test_every_setting_has_a_sentence_and_a_reader() -> None:
    for section, cls in declared_settings():
        for each in declared(cls):
            assert each.sentence.endswith("."), f"{section}.{each.name}"
            assert each.reads in READERS, f"{section}.{each.name}"
